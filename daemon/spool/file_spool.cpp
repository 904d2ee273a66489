#include "daemon/spool/file_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <format>
#include <iterator>
#include <limits>
#include <utility>

#include "daemon/spool/spool_io.h"
#include "ingest/block_codec.h"
#include "ingest/limits.h"

namespace tickd {

namespace {

// How many numbers one write of `next` reserves: about 300 MiB of full blocks.
constexpr std::int64_t numbers_reserved = 1024;
// How far a start goes on behind the last block when `next` is lost: further than anybody has been.
constexpr std::int64_t numbers_unknown = std::int64_t{1} << 32;
// What a block of one huge record leaves behind is not kept.
constexpr std::size_t buffer_bytes_keep = 2 * ingest::limits::block_bytes_keep;

}  // namespace

std::expected<std::unique_ptr<file_spool>, std::string> file_spool::open(
    file_spool_settings settings) {
    auto folder = spool_folder::take(settings.folder);
    if (!folder) return std::unexpected(folder.error());
    std::vector<std::string> messages;
    const auto name = folder->identity(messages);
    if (!name) return std::unexpected(name.error());
    std::unique_ptr<file_spool> spool{
        new file_spool(std::move(settings), *std::move(folder), *name)};
    spool->recovery_.messages = std::move(messages);
    if (auto recovered = spool->recover(); !recovered) return std::unexpected(recovered.error());
    return spool;
}

file_spool::file_spool(file_spool_settings settings, spool_folder folder, const ingest::uuid& name)
    : settings_{std::move(settings)}, folder_{std::move(folder)}, name_{name} {}

file_spool::~file_spool() {
    // An orderly end leaves no numbers out.
    if (reserved_ > next_ && !folder_.set_next_number(next_)) {
        warn(std::format("next: cannot be written: {}", error_text(errno)));
    }
}

void file_spool::warn(const std::string& message) const {
    if (settings_.warn) settings_.warn(std::format("spool {}: {}", settings_.folder, message));
}

// --- opening ---

std::expected<void, std::string> file_spool::recover() {
    auto found = scan_spool(settings_.folder, name_);
    if (!found) return std::unexpected(std::format("{}: {}", settings_.folder, found.error()));
    std::swap(recovery_, found->recovery);
    std::ranges::move(found->recovery.messages, std::back_inserter(recovery_.messages));
    if (auto taken = take_numbers(*found); !taken) return taken;
    clean_up(*found);
    files_ = std::move(found->files);
    producers_ = std::move(found->producers);
    last_ = found->last_number;
    for (const auto& [first, file] : files_) bytes_ += file.bytes;
    return {};
}

std::expected<void, std::string> file_spool::take_numbers(const spool_contents& found) {
    if (const auto next = folder_.next_number()) {
        reserved_ = *next;
        next_ = std::max(*next, found.last_number + 1);
        return {};
    }
    if (found.files.empty()) {
        // Without a block to keep it for, the old name can go, and with it the numbers under it.
        const auto name = folder_.new_identity();
        if (!name) return std::unexpected(name.error());
        name_ = *name;
        return {};
    }
    next_ = found.last_number + numbers_unknown;
    recovery_.messages.push_back(
        std::format("next: missing or damaged; blocks are numbered from {} on", next_));
    return {};
}

void file_spool::clean_up(spool_contents& found) {
    cut_torn_tail(found);
    for (const std::string& name : found.unusable) {
        const auto aside = folder_.set_aside(name);
        recovery_.messages.push_back(
            aside ? std::format("{}: no block in it is whole; it is kept as {}", name, *aside)
                  : std::format("{}: cannot be renamed: {}", name, error_text(errno)));
    }
    for (const std::string& name : found.empty) {
        if (folder_.remove(name)) continue;
        recovery_.messages.push_back(
            std::format("{}: is empty and cannot be removed: {}", name, error_text(errno)));
    }
    if (!found.unusable.empty() || !found.empty.empty()) (void)folder_.sync();
}

void file_spool::cut_torn_tail(spool_contents& found) {
    if (!found.torn) return;
    const std::string name = spool_file_name(found.torn->file);
    recovery_.messages.push_back(
        std::format("{}: its last {} bytes are of a block that was being written; they are cut off",
                    name, recovery_.torn_bytes));
    const auto file = found.files.find(found.torn->file);
    if (file == found.files.end()) return;  // It has no whole block either, and goes as a whole.
    const unique_fd fd{::openat(folder_.fd(), name.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW)};
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(found.torn->begins_at)) != 0 ||
        ::fsync(fd.get()) != 0) {
        // Nothing is written behind them: the next block begins a new file.
        recovery_.messages.push_back(std::format("{}: cannot be cut: {}", name, error_text(errno)));
        return;
    }
    file->second.bytes = found.torn->begins_at;
}

// --- writing ---

std::optional<std::int64_t> file_spool::append(const ingest::block& next,
                                               std::optional<ingest::batch_name> doubt) {
    if (broken_) return std::nullopt;
    writing_.clear_above(buffer_bytes_keep);
    (void)writing_.extend(spool_entry_header_bytes);
    ingest::block_codec::encode(next, writing_);
    const std::string_view payload = writing_.view().substr(spool_entry_header_bytes);
    if (payload.size() > std::numeric_limits<std::uint32_t>::max()) {
        (void)cannot_append("the block is too large");
        return std::nullopt;
    }
    write_spool_entry_header(name_, {next_, doubt}, payload, writing_.data());
    if (!ready_to_append(writing_.size())) return std::nullopt;

    spool_data_file& file = files_.find(current_first_)->second;
    unsynced_ = true;
    if (!write_at(current_.get(), writing_.view(), file.bytes)) {
        const int error = errno;
        unfinished_ = true;
        (void)cut_unfinished();
        (void)cannot_append(error_text(error));
        return std::nullopt;
    }
    file.bytes += writing_.size();
    bytes_ += writing_.size();
    file.last = last_ = next_++;
    refusing_ = false;
    for (const ingest::origin& from : next.origins()) {
        if (from.producer != 0 && !from.lost) {
            note_producer(producers_, next.text(from.producer_name), from.newest_seq, last_);
        }
    }
    return last_;
}

bool file_spool::cannot_append(std::string_view why) {
    if (!std::exchange(refusing_, true)) warn(std::format("takes no more blocks: {}", why));
    return false;
}

bool file_spool::ready_to_append(std::size_t entry_bytes) {
    if (unfinished_ && !cut_unfinished()) return cannot_append(error_text(errno));
    // Within a file numbers rise by one: that is how a missing block is noticed.
    const auto file = files_.find(current_first_);
    const bool goes_on = current_ && file->second.bytes < settings_.file_bytes &&
                         next_ == (file->second.last == 0 ? file->first : file->second.last + 1);
    const std::uint64_t wanted = entry_bytes + (goes_on ? 0 : spool_file_header_bytes);
    if (bytes_ + wanted > settings_.bytes_max) {
        return cannot_append(std::format("spool.max_bytes ({}) is reached", settings_.bytes_max));
    }
    if (next_ >= reserved_ && !reserve_numbers()) return cannot_append(error_text(errno));
    if (goes_on) return true;
    if (!close_file()) return false;
    return make_file() || cannot_append(error_text(errno));
}

bool file_spool::reserve_numbers() {
    if (!folder_.set_next_number(next_ + numbers_reserved)) return false;
    reserved_ = next_ + numbers_reserved;
    return true;
}

// Takes away what a failed append left behind the end.
bool file_spool::cut_unfinished() {
    const std::uint64_t end = files_.find(current_first_)->second.bytes;
    if (::ftruncate(current_.get(), static_cast<off_t>(end)) != 0) return false;
    unfinished_ = false;
    return true;
}

bool file_spool::close_file() {
    if (current_ && unsynced_ && settings_.fsync == fsync_policy::always &&
        ::fdatasync(current_.get()) != 0) {
        broken_ = true;
        return cannot_append(std::format("fsync failed: {}", error_text(errno)));
    }
    current_ = unique_fd{};
    unsynced_ = false;
    return true;
}

bool file_spool::make_file() {
    const std::string name = spool_file_name(next_);
    unique_fd file{::openat(folder_.fd(), name.c_str(),
                            O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file) return false;
    const auto header = spool_file_header(name_);
    if (!write_at(file.get(), {header.data(), header.size()}, 0)) {
        const int error = errno;
        (void)folder_.remove(name);
        errno = error;
        return false;
    }
    current_ = std::move(file);
    current_first_ = next_;
    files_[next_] = {.last = 0, .bytes = header.size(), .damaged = false};
    bytes_ += header.size();
    unsynced_ = folder_unsynced_ = true;
    return true;
}

bool file_spool::sync() {
    if (broken_) return false;
    if (settings_.fsync == fsync_policy::never) return true;
    // After a failed fsync the kernel forgets what it could not write: asking again would get a
    // yes that means nothing.
    if ((unsynced_ && ::fdatasync(current_.get()) != 0) || (folder_unsynced_ && !folder_.sync())) {
        broken_ = true;
        return cannot_append(std::format("fsync failed: {}", error_text(errno)));
    }
    unsynced_ = folder_unsynced_ = false;
    return true;
}

// --- reading ---

std::optional<ingest::spool_entry> file_spool::read(ingest::block& into) {
    using found = spool_reader::found;
    while (reader_ || open_next_reader()) {
        const found next = reader_->next();
        if (next == found::entry) {
            if (take_entry(into)) return reader_->entry();
            continue;
        }
        // A tail that could not be cut is known; a file that ends within a block is damaged.
        if (next != found::end && next != found::torn) damaged_while_reading();
        if (next == found::damage) continue;
        if (current_ && reading_first_ == current_first_) break;  // More may come.
        reader_.reset();
    }
    // Nothing readable is left, even where more was expected.
    last_ = std::max(read_, committed_);
    return std::nullopt;
}

bool file_spool::open_next_reader() {
    for (auto file = files_.upper_bound(reading_first_); file != files_.end(); ++file) {
        reading_first_ = file->first;
        unique_fd fd = open_for_reading(folder_.fd(), spool_file_name(file->first));
        if (fd) {
            reader_.emplace(std::move(fd), name_);
            return true;
        }
        damaged_while_reading();
    }
    return false;
}

// False: the entry is committed, read already, or damaged.
bool file_spool::take_entry(ingest::block& into) {
    const std::int64_t number = reader_->entry().number;
    if (number <= read_) return false;
    reading_.clear_above(buffer_bytes_keep);
    if (!reader_->payload(reading_) || !ingest::block_codec::decode(reading_.view(), into)) {
        damaged_while_reading();
        return false;
    }
    read_ = number;
    return true;
}

void file_spool::damaged_while_reading() {
    spool_data_file& file = files_.find(reading_first_)->second;
    if (std::exchange(file.damaged, true)) return;
    warn(
        std::format("{}: cannot be read as it was written, behind block {}; what cannot be read "
                    "is left out",
                    spool_file_name(reading_first_), read_));
}

void file_spool::rewind() {
    reader_.reset();
    reading_first_ = 0;
    read_ = committed_;
}

void file_spool::committed(std::int64_t number) {
    if (number <= committed_) return;
    committed_ = number;
    read_ = std::max(read_, number);
    next_ = std::max(next_, number + 1);
    bool changed = false;
    while (!files_.empty() && files_.begin()->second.last <= number) {
        give_back(files_.begin()->first, files_.begin()->second);
        files_.erase(files_.begin());
        changed = true;
    }
    // A file that comes back after a loss of power holds what the ledger knows.
    if (changed) (void)folder_.sync();
    std::erase_if(producers_,
                  [number](const auto& each) { return each.second.last_number <= number; });
}

void file_spool::give_back(std::int64_t first, const spool_data_file& file) {
    const std::string name = spool_file_name(first);
    if (file.damaged) {
        const auto aside = folder_.set_aside(name);
        warn(aside ? std::format("{}: parts of it are damaged; it is kept as {}", name, *aside)
                   : std::format("{}: cannot be renamed: {}", name, error_text(errno)));
    } else if (!folder_.remove(name)) {
        warn(std::format("{}: cannot be removed: {}", name, error_text(errno)));
    }
    bytes_ -= file.bytes;
    if (reading_first_ == first) reader_.reset();
    if (current_ && current_first_ == first) {
        current_ = unique_fd{};
        unsynced_ = unfinished_ = false;
    }
}

std::uint64_t file_spool::newest_seq(std::string_view producer) const {
    const auto known = producers_.find(producer);
    return known == producers_.end() ? 0 : known->second.newest_seq;
}

}  // namespace tickd
