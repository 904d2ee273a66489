// What is in a spool's folder: every entry of every file checked and counted, nothing changed, one
// block in memory at a time. The spool begins with it, and `tickd spool status` is made of it.
//
// Damage costs no more than the blocks it is in. What they held is told as far as their neighbours
// know it: each block says for its producers which sequence it builds on.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "ingest/uuid.h"

namespace tickd {

// What opening a spool found.
struct spool_recovery {
    std::uint64_t blocks = 0;           // whole ones, committed before or not
    std::uint64_t rows = 0;             // in them
    std::uint64_t bytes = 0;            // of the files
    std::uint64_t torn_bytes = 0;       // of a block that was being written at the end; cut off
    std::uint64_t damaged_blocks = 0;   // were whole once and are not any more; at least so many
    std::vector<std::string> messages;  // for people: what was lost, of whom, where it is kept
};

// A file with at least one whole block, by the number in its name.
struct spool_data_file {
    std::int64_t last = 0;  // number of its last whole block
    std::uint64_t bytes = 0;
    bool damaged = false;  // in some place: it is set aside, not deleted, once it is committed
};
using spool_data_files = std::map<std::int64_t, spool_data_file>;

struct spool_producer {
    std::uint64_t newest_seq = 0;
    std::int64_t last_number = 0;  // of the last block that has records of it
};
using spool_producers = std::map<std::string, spool_producer, std::less<>>;

// A block with records of the producer follows.
void note_producer(spool_producers& producers, std::string_view name, std::uint64_t newest_seq,
                   std::int64_t number);

struct torn_tail {
    std::int64_t file = 0;  // the number in its name
    std::uint64_t begins_at = 0;
};

struct spool_contents {
    spool_recovery recovery;
    spool_data_files files;
    spool_producers producers;
    std::int64_t last_number = 0;       // of the last whole block; 0: none
    std::int64_t oldest_us = 0;         // the oldest record's arrival, since 1970; 0: no record
    std::optional<torn_tail> torn;      // of the last file
    std::vector<std::string> empty;     // files without anything in them
    std::vector<std::string> unusable;  // files without a whole block, but not empty
};

// `00000000000000000042.spool`: the file that begins with block 42.
[[nodiscard]] std::string spool_file_name(std::int64_t first);

// Where lane `number` keeps its spool below spool.folder.
[[nodiscard]] std::string spool_folder_of_lane(const std::string& folder, std::uint32_t number);

// The spool's files in order, as many as could be listed before the error, if there is one.
[[nodiscard]] std::map<std::int64_t, std::string> list_spool_files(const std::string& folder,
                                                                   std::error_code& error);

// The name a spool gave itself: of its file `identity`, or else of any file's header. Nothing: the
// folder has none.
[[nodiscard]] std::optional<ingest::uuid> read_spool_identity(const std::string& folder);

// An error when the folder cannot be read or holds what only a newer version understands. May run
// while a daemon uses the spool: files that it deletes meanwhile are passed over.
[[nodiscard]] std::expected<spool_contents, std::string> scan_spool(const std::string& folder,
                                                                    const ingest::uuid& identity);

}  // namespace tickd
