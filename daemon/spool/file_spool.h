// A lane's spool on disk: append-only files in a folder of the lane's own, deleted as a whole once
// everything in them is committed.
//
//   append -> newest file        read: oldest file -> newest        committed: files go
//
// One thread. Memory does not grow with what is on disk: a block being written, a block being read,
// a line per file and per producer.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/send/unique_fd.h"
#include "daemon/spool/fsync_policy.h"
#include "daemon/spool/spool_file.h"
#include "daemon/spool/spool_folder.h"
#include "daemon/spool/spool_scan.h"
#include "ingest/byte_buffer.h"
#include "ingest/lane_spool.h"

namespace tickd {

struct file_spool_settings {
    std::string folder;  // of this lane alone; made with mode 0700
    std::uint64_t bytes_max = 1024ULL * 1024 * 1024;
    // A file that has reached this gets a successor. Space comes back a file at a time.
    std::uint64_t file_bytes = 64ULL * 1024 * 1024;
    fsync_policy fsync = fsync_policy::always;
    // Hears, on the spool's thread, what goes wrong after opening; may be empty.
    std::function<void(const std::string&)> warn;
};

class file_spool final : public ingest::lane_spool {
public:
    // Takes the folder, checks everything in it, cuts off a torn tail and sets damaged files
    // aside. An error when the folder cannot be used at all: permissions, no folder, in use by
    // another process, or written by a newer version. Damage is no error: see recovery().
    [[nodiscard]] static std::expected<std::unique_ptr<file_spool>, std::string> open(
        file_spool_settings settings);

    file_spool(const file_spool&) = delete;
    file_spool& operator=(const file_spool&) = delete;
    ~file_spool() override;

    // What opening found.
    [[nodiscard]] const spool_recovery& recovery() const noexcept { return recovery_; }
    // Of all files, committed blocks among them.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    // The number that the next appended block gets. Numbers rise by one, but a start after a crash
    // leaves out those that may have been used.
    [[nodiscard]] std::int64_t next_number() const noexcept { return next_; }

    // --- lane_spool ---

    [[nodiscard]] const ingest::uuid& name() const noexcept override { return name_; }
    [[nodiscard]] std::optional<std::int64_t> append(
        const ingest::block& next, std::optional<ingest::batch_name> doubt) override;
    [[nodiscard]] bool sync() override;
    [[nodiscard]] std::optional<ingest::spool_entry> read(ingest::block& into) override;
    void rewind() override;
    void committed(std::int64_t number) override;
    [[nodiscard]] bool empty() const noexcept override { return last_ <= committed_; }
    [[nodiscard]] std::uint64_t newest_seq(std::string_view producer) const override;

private:
    file_spool(file_spool_settings settings, spool_folder folder, const ingest::uuid& name);

    [[nodiscard]] std::expected<void, std::string> recover();
    [[nodiscard]] std::expected<void, std::string> take_numbers(const spool_contents& found);
    void clean_up(spool_contents& found);
    void cut_torn_tail(spool_contents& found);

    // Each false: nothing was written, and warn() was told why.
    [[nodiscard]] bool ready_to_append(std::size_t entry_bytes);
    [[nodiscard]] bool cut_unfinished();
    [[nodiscard]] bool close_file();
    [[nodiscard]] bool make_file();
    [[nodiscard]] bool reserve_numbers();
    [[nodiscard]] bool cannot_append(std::string_view why);
    void give_back(std::int64_t first, const spool_data_file& file);

    [[nodiscard]] bool open_next_reader();
    [[nodiscard]] bool take_entry(ingest::block& into);
    void damaged_while_reading();
    void warn(const std::string& message) const;

    file_spool_settings settings_;
    spool_folder folder_;
    ingest::uuid name_;
    spool_recovery recovery_;
    spool_data_files files_;
    spool_producers producers_;
    std::uint64_t bytes_ = 0;
    std::int64_t next_ = 1;      // number of the next block
    std::int64_t reserved_ = 1;  // what the file `next` says
    std::int64_t last_ = 0;      // number of the last block that can be read
    std::int64_t committed_ = 0;

    // The newest file, while it is being written.
    unique_fd current_;
    std::int64_t current_first_ = 0;
    bool unfinished_ = false;  // bytes of a failed append stand behind its end
    bool unsynced_ = false;    // some of it may not have come to the disk yet
    bool folder_unsynced_ = false;
    bool refusing_ = false;  // the last append failed, and the reason was told
    bool broken_ = false;    // an fsync failed: nobody knows what is on the disk
    ingest::byte_buffer writing_;

    std::optional<spool_reader> reader_;
    std::int64_t reading_first_ = 0;  // the file it reads, or has read last
    std::int64_t read_ = 0;           // number of the block read last, or committed_
    ingest::byte_buffer reading_;
};

}  // namespace tickd
