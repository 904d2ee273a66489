#include "daemon/spool/spool_scan.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <format>
#include <string_view>
#include <system_error>
#include <utility>

#include "daemon/log.h"
#include "daemon/spool/spool_file.h"
#include "daemon/spool/spool_io.h"
#include "ingest/block_codec.h"

namespace tickd {

namespace {

constexpr std::string_view extension = ".spool";
constexpr std::size_t number_digits = 20;

// The number in a data file's name; nothing: it is not a data file's name.
[[nodiscard]] std::optional<std::int64_t> number_in(std::string_view name) {
    if (name.size() != number_digits + extension.size() || !name.ends_with(extension)) {
        return std::nullopt;
    }
    name.remove_suffix(extension.size());
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || end != name.data() + name.size() || number < 1) {
        return std::nullopt;
    }
    return number;
}

// Reads a file's header; nothing: it cannot be read.
[[nodiscard]] std::optional<spool_header_state> header_of(int file, ingest::uuid& identity) {
    char header[spool_file_header_bytes];
    const auto got = read_at(file, header, sizeof header, 0);
    if (!got) return std::nullopt;
    return read_spool_file_header({header, *got}, identity);
}

[[nodiscard]] std::string newer_format(std::string_view name) {
    return std::format(
        "{} was written by a newer version of tickd: run that version until its "
        "spool is empty",
        name);
}

class scanner {
public:
    scanner(std::string folder, const ingest::uuid& identity)
        : folder_{std::move(folder)}, identity_{identity} {}

    [[nodiscard]] std::expected<spool_contents, std::string> run();

private:
    void scan_file();
    void scan_entries(spool_reader& reader, spool_data_file& file);
    void end_of_file(spool_reader::found how, const spool_reader& reader, spool_data_file& file);
    void take_entry(const spool_reader& reader, spool_data_file& file);
    void take_producers(std::int64_t number);
    void take_lost(std::int64_t first, std::int64_t last, spool_data_file& file);
    void close_damage();
    void say(std::string message);

    std::string folder_;
    ingest::uuid identity_;
    spool_contents found_;
    std::string name_;        // of the file being read
    std::int64_t first_ = 0;  // the number in it
    bool last_file_ = false;
    std::int64_t expected_ = 0;   // the next entry's number
    bool behind_damage_ = false;  // no whole block since the last damage
    std::size_t damages_ = 0;
    std::map<std::string, std::size_t, std::less<>> damages_seen_;  // when a producer was seen last
    std::optional<std::string> refused_;
    ingest::byte_buffer payload_;
    ingest::block block_;
};

std::expected<spool_contents, std::string> scanner::run() {
    std::error_code error;
    const auto files = list_spool_files(folder_, error);
    if (error) return std::unexpected("cannot be read: " + error.message());
    for (const auto& [first, name] : files) {
        name_ = name;
        first_ = first;
        last_file_ = first == files.rbegin()->first;
        scan_file();
        if (refused_) return std::unexpected(*std::move(refused_));
    }
    close_damage();
    return std::move(found_);
}

void scanner::say(std::string message) {
    constexpr std::size_t messages_max = 100;
    auto& messages = found_.recovery.messages;
    if (messages.size() < messages_max) messages.push_back(std::move(message));
    if (messages.size() == messages_max) messages.emplace_back("there is more that is not listed");
}

void scanner::scan_file() {
    unique_fd fd = open_for_reading(AT_FDCWD, folder_ + '/' + name_);
    if (!fd && errno == ENOENT) return;
    spool_data_file file;
    ingest::uuid identity;
    const auto header = fd ? header_of(fd.get(), identity) : std::nullopt;
    if (!header) {
        say(std::format("{}: cannot be read ({}); what it holds is left out", name_,
                        error_text(errno)));
        ++found_.recovery.damaged_blocks;
        ++damages_;
        behind_damage_ = true;
        return;
    }
    file.bytes = size_of(fd.get()).value_or(0);
    found_.recovery.bytes += file.bytes;
    switch (*header) {
        case spool_header_state::newer: refused_ = newer_format(name_); return;
        case spool_header_state::too_short:
            found_.recovery.torn_bytes += file.bytes;
            found_.empty.push_back(name_);
            return;
        case spool_header_state::damaged:
            say(std::format("{}: its header is damaged; its blocks are tried", name_));
            file.damaged = true;
            break;
        case spool_header_state::good:
            if (identity == identity_) break;
            say(std::format("{}: belongs to the spool {}, not to this one ({}); it is left out",
                            name_, ingest::to_text(identity), ingest::to_text(identity_)));
            found_.unusable.push_back(name_);
            return;
    }
    expected_ = std::max(first_, found_.last_number + 1);
    spool_reader reader{std::move(fd), identity_};
    scan_entries(reader, file);
    if (file.last != 0) {
        found_.files.emplace(first_, file);
    } else {
        (file.damaged ? found_.unusable : found_.empty).push_back(name_);
    }
}

void scanner::scan_entries(spool_reader& reader, spool_data_file& file) {
    while (!refused_) {
        const auto next = reader.next();
        if (next == spool_reader::found::entry) {
            take_entry(reader, file);
        } else if (next == spool_reader::found::damage) {
            say(std::format("{}: {} bytes at {} are damaged", name_, reader.skipped(),
                            reader.offset()));
            file.damaged = true;
        } else {
            end_of_file(next, reader, file);
            return;
        }
    }
}

void scanner::end_of_file(spool_reader::found how, const spool_reader& reader,
                          spool_data_file& file) {
    if (how == spool_reader::found::end) return;
    if (how == spool_reader::found::torn && last_file_) {
        found_.torn = {first_, reader.offset()};
        found_.recovery.torn_bytes += reader.skipped();
        return;
    }
    if (how == spool_reader::found::unreadable) {
        say(std::format("{}: cannot be read behind block {} ({}); the rest of it is left out",
                        name_, expected_ - 1, error_text(errno)));
    } else {
        say(std::format("{}: its last {} bytes, from {} on, are damaged: at least block {} is lost",
                        name_, reader.skipped(), reader.offset(), expected_));
    }
    ++found_.recovery.damaged_blocks;
    ++damages_;
    behind_damage_ = true;
    file.damaged = true;
}

// Blocks that should be here and are not whole.
void scanner::take_lost(std::int64_t first, std::int64_t last, spool_data_file& file) {
    const std::string which = first == last ? std::format("block {} is", first)
                                            : std::format("blocks {} to {} are", first, last);
    say(std::format("{}: {} damaged and left out: what was not committed before is lost", name_,
                    which));
    found_.recovery.damaged_blocks += static_cast<std::uint64_t>(last - first) + 1;
    ++damages_;
    behind_damage_ = true;
    file.damaged = true;
}

void scanner::take_entry(const spool_reader& reader, spool_data_file& file) {
    const std::int64_t number = reader.entry().number;
    if (number <= found_.last_number) {
        say(std::format("{}: block {} is out of its order and left out", name_, number));
        file.damaged = true;
        return;
    }
    if (number > expected_) take_lost(expected_, number - 1, file);
    expected_ = std::max(expected_, number + 1);
    if (!reader.payload(payload_)) {
        take_lost(number, number, file);
        return;
    }
    std::uint16_t version = 0;
    if (payload_.size() >= sizeof version) std::memcpy(&version, payload_.data(), sizeof version);
    if (version > ingest::block_codec::version) {
        refused_ = newer_format(name_);
        return;
    }
    if (!ingest::block_codec::decode(payload_.view(), block_)) {
        take_lost(number, number, file);
        return;
    }
    ++found_.recovery.blocks;
    found_.recovery.rows += block_.row_count();
    found_.last_number = file.last = number;
    const std::int64_t oldest = block_.oldest_us();
    if (oldest != 0 && (found_.oldest_us == 0 || oldest < found_.oldest_us)) {
        found_.oldest_us = oldest;
    }
    take_producers(number);
}

void scanner::take_producers(std::int64_t number) {
    for (const ingest::origin& from : block_.origins()) {
        if (from.producer == 0 || from.lost) continue;
        const std::string_view name = block_.text(from.producer_name);
        const auto known = found_.producers.find(name);
        if (known == found_.producers.end()) {
            if (behind_damage_ && from.expected_seq != 0) {
                say(std::format("producer {}: records up to sequence {} may be among the lost",
                                printable(name), from.expected_seq));
            }
        } else if (damages_seen_.find(name)->second != damages_ &&
                   from.expected_seq > known->second.newest_seq) {
            say(std::format("producer {}: its sequences {} to {} are among the lost",
                            printable(name), known->second.newest_seq + 1, from.expected_seq));
        }
        note_producer(found_.producers, name, from.newest_seq, number);
        damages_seen_.insert_or_assign(std::string(name), damages_);
    }
    behind_damage_ = false;
}

void scanner::close_damage() {
    for (const auto& [name, known] : found_.producers) {
        if (damages_seen_.find(name)->second == damages_) continue;
        say(std::format("producer {}: what it sent behind sequence {} may be among the lost",
                        printable(name), known.newest_seq));
    }
}

}  // namespace

void note_producer(spool_producers& producers, std::string_view name, std::uint64_t newest_seq,
                   std::int64_t number) {
    auto known = producers.find(name);
    if (known == producers.end()) known = producers.emplace(name, spool_producer{}).first;
    known->second.newest_seq = std::max(known->second.newest_seq, newest_seq);
    known->second.last_number = number;
}

std::string spool_file_name(std::int64_t first) {
    return std::format("{:020}{}", first, extension);
}

std::string spool_folder_of_lane(const std::string& folder, std::uint32_t number) {
    return std::format("{}/lane-{}", folder, number);
}

std::map<std::int64_t, std::string> list_spool_files(const std::string& folder,
                                                     std::error_code& error) {
    std::map<std::int64_t, std::string> files;
    std::filesystem::directory_iterator each{folder, error};
    while (!error && each != std::filesystem::directory_iterator{}) {
        std::string name = each->path().filename().string();
        if (const auto number = number_in(name)) files.emplace(*number, std::move(name));
        each.increment(error);
    }
    return files;
}

std::optional<ingest::uuid> read_spool_identity(const std::string& folder) {
    const auto text = small_file(AT_FDCWD, (folder + "/identity").c_str());
    if (text && text->ends_with('\n')) {
        const auto identity =
            ingest::parse_uuid(std::string_view(*text).substr(0, text->size() - 1));
        if (identity) return identity;
    }
    std::error_code ignored;
    for (const auto& [first, name] : list_spool_files(folder, ignored)) {
        const std::string path = std::format("{}/{}", folder, name);
        const unique_fd file = open_for_reading(AT_FDCWD, path);
        ingest::uuid identity;
        const auto header = file ? header_of(file.get(), identity) : std::nullopt;
        if (header == spool_header_state::good || header == spool_header_state::newer) {
            return identity;
        }
    }
    return std::nullopt;
}

std::expected<spool_contents, std::string> scan_spool(const std::string& folder,
                                                      const ingest::uuid& identity) {
    return scanner{folder, identity}.run();
}

}  // namespace tickd
