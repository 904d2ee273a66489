// A spool's folder, held by one process, and the two things that outlive its blocks: the spool's
// name and the numbers it has given out.
//
//   identity   the spool's name in the ledger, as a UUID: sixteen random bytes
//   next       a number: no block had it or a greater one
//   lock       held by the daemon that uses the spool
//   *.spool    blocks (spool_file.h)
//   *.damaged  files that were set aside because something in them is damaged
//
// The ledger remembers a spool by its name and its newest committed number. A number given to a
// second block would make the writer take that block for committed. So numbers are reserved in
// `next`, durably and many at a time, before the first of them is used; whatever becomes of the
// files, a start goes on behind all that may have been used.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "daemon/send/unique_fd.h"
#include "ingest/uuid.h"

namespace tickd {

class spool_folder {
public:
    // Makes the folder and its parent (mode 0700) when they are not there, and takes the lock. An
    // error says what to do about it.
    [[nodiscard]] static std::expected<spool_folder, std::string> take(const std::string& path);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] int fd() const noexcept { return folder_.get(); }

    // Reads the spool's name; gives it one when it has none. `messages` hears what was wrong.
    [[nodiscard]] std::expected<ingest::uuid, std::string> identity(
        std::vector<std::string>& messages);
    // Gives the spool a new name and lets its numbers begin anew. It must have no blocks.
    [[nodiscard]] std::expected<ingest::uuid, std::string> new_identity();

    // What `next` says; nothing when it cannot be read.
    [[nodiscard]] std::optional<std::int64_t> next_number() const;
    // Sets it, durably.
    [[nodiscard]] bool set_next_number(std::int64_t next);

    // Renames a file to `*.damaged`, and tells the new name; nothing: it cannot be renamed.
    [[nodiscard]] std::optional<std::string> set_aside(const std::string& name);
    [[nodiscard]] bool remove(const std::string& name);
    // Makes it durable which files there are.
    [[nodiscard]] bool sync() const noexcept;

private:
    spool_folder(std::string path, unique_fd folder, unique_fd lock);

    std::string path_;
    unique_fd folder_, lock_;
};

}  // namespace tickd
