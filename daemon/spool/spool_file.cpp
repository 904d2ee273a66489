#include "daemon/spool/spool_file.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "daemon/spool/spool_io.h"

namespace tickd {

namespace {

static_assert(std::endian::native == std::endian::little, "the byte order of the file is ours");

constexpr std::string_view file_magic = "tickd spool 1\n";
constexpr std::string_view file_magic_of_any_version = "tickd spool ";
constexpr std::string_view entry_magic = "TKSB";

// Where an entry header's fields begin; payload crc and header crc are its last.
constexpr std::size_t length_at = 4, number_at = 8, has_doubt_at = 16, epoch_at = 17;
constexpr std::size_t doubt_at = 25, payload_crc_at = 33, header_crc_at = 37;
static_assert(header_crc_at + 4 == spool_entry_header_bytes);

[[nodiscard]] std::uint32_t crc_of(std::string_view bytes, std::uint32_t begun = 0) {
    // crc32_z takes a size_t; crc32 would cut lengths beyond 4 GiB.
    return static_cast<std::uint32_t>(
        ::crc32_z(begun, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

[[nodiscard]] std::string_view bytes_of(const ingest::uuid& id) {
    return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

[[nodiscard]] std::uint32_t payload_crc_of(const ingest::uuid& identity, std::int64_t number,
                                           std::string_view payload) {
    char number_bytes[sizeof number];
    std::memcpy(number_bytes, &number, sizeof number);
    const std::uint32_t begun = crc_of({number_bytes, sizeof number}, crc_of(bytes_of(identity)));
    return crc_of(payload, begun);
}

[[nodiscard]] std::uint32_t header_crc_of(const ingest::uuid& identity, const char* header) {
    return crc_of({header + length_at, header_crc_at - length_at}, crc_of(bytes_of(identity)));
}

template <typename T>
void put(char* to, const T& value) {
    std::memcpy(to, &value, sizeof value);
}

template <typename T>
[[nodiscard]] T get(const char* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

}  // namespace

std::array<char, spool_file_header_bytes> spool_file_header(const ingest::uuid& identity) {
    std::array<char, spool_file_header_bytes> header;
    char* const behind_magic = std::ranges::copy(file_magic, header.begin()).out;
    char* const crc = std::ranges::copy(bytes_of(identity), behind_magic).out;
    put(crc, crc_of({header.data(), header.size() - 4}));
    return header;
}

spool_header_state read_spool_file_header(std::string_view bytes, ingest::uuid& identity) {
    if (bytes.size() < spool_file_header_bytes) return spool_header_state::too_short;
    bytes = bytes.substr(0, spool_file_header_bytes);
    if (get<std::uint32_t>(bytes.data() + bytes.size() - 4) !=
        crc_of(bytes.substr(0, bytes.size() - 4))) {
        return spool_header_state::damaged;
    }
    if (!bytes.starts_with(file_magic_of_any_version)) return spool_header_state::damaged;
    std::memcpy(identity.bytes.data(), bytes.data() + file_magic.size(), identity.bytes.size());
    return bytes.starts_with(file_magic) ? spool_header_state::good : spool_header_state::newer;
}

void write_spool_entry_header(const ingest::uuid& identity, const ingest::spool_entry& entry,
                              std::string_view payload, char* out) {
    const ingest::batch_name doubt = entry.doubt.value_or(ingest::batch_name{});
    std::ranges::copy(entry_magic, out);
    put(out + length_at, static_cast<std::uint32_t>(payload.size()));
    put(out + number_at, entry.number);
    put(out + has_doubt_at, static_cast<std::uint8_t>(entry.doubt.has_value()));
    put(out + epoch_at, doubt.epoch);
    put(out + doubt_at, doubt.number);
    put(out + payload_crc_at, payload_crc_of(identity, entry.number, payload));
    put(out + header_crc_at, header_crc_of(identity, out));
}

spool_reader::spool_reader(unique_fd file, const ingest::uuid& identity)
    : file_(std::move(file)), identity_(identity) {}

// Whether an entry begins with `bytes`, as many as a header has; if so, it is the one found.
bool spool_reader::take_header(std::string_view bytes) {
    const char* const from = bytes.data();
    if (!bytes.starts_with(entry_magic)) return false;
    if (get<std::uint32_t>(from + header_crc_at) != header_crc_of(identity_, from)) return false;
    entry_.number = get<std::int64_t>(from + number_at);
    entry_.doubt.reset();
    if (get<std::uint8_t>(from + has_doubt_at) != 0) {
        entry_.doubt = {get<std::int64_t>(from + epoch_at), get<std::int64_t>(from + doubt_at)};
    }
    payload_bytes_ = get<std::uint32_t>(from + length_at);
    payload_crc_ = get<std::uint32_t>(from + payload_crc_at);
    return true;
}

void spool_reader::skip_to(std::uint64_t to) noexcept {
    skipped_ = to - next_at_;
    found_at_ = next_at_;
    next_at_ = to;
}

spool_reader::found spool_reader::next() {
    const auto size = size_of(file_.get());
    if (!size) return found::unreadable;
    if (*size <= next_at_) return found::end;
    char header[spool_entry_header_bytes];
    const auto got = read_at(file_.get(), header, sizeof header, next_at_);
    if (!got) return found::unreadable;
    if (*got < sizeof header) return end_of_file(*size);
    if (!take_header({header, sizeof header})) return find_next(*size);
    const std::uint64_t end = next_at_ + sizeof header + payload_bytes_;
    if (end > *size) return end_of_file(*size);
    found_at_ = next_at_;
    next_at_ = end;
    return found::entry;
}

// What stands at next_at_ is too short for what it claims to be. It stays where it is: the rest of
// it may be on its way.
spool_reader::found spool_reader::end_of_file(std::uint64_t size) {
    found_at_ = next_at_;
    skipped_ = size - next_at_;
    return found::torn;
}

// Looks for the next good header behind bytes that are none.
spool_reader::found spool_reader::find_next(std::uint64_t size) {
    constexpr std::size_t window_bytes = 256 * 1024;
    window_.clear();
    char* const window = window_.extend(window_bytes);
    bool zeros = true;  // a file that grew before its data came to the disk ends in zeros
    for (std::uint64_t at = next_at_; at < size;) {
        const auto got = read_at(file_.get(), window, window_bytes, at);
        if (!got) return found::unreadable;
        const std::string_view bytes{window, *got};
        zeros = zeros && bytes.find_first_not_of('\0') == std::string_view::npos;
        for (std::size_t i = bytes.find(entry_magic); i != std::string_view::npos;
             i = bytes.find(entry_magic, i + 1)) {
            if (bytes.size() - i < spool_entry_header_bytes) break;
            if (at + i == next_at_ || !take_header(bytes.substr(i))) continue;
            skip_to(at + i);
            return found::damage;
        }
        if (bytes.size() < window_bytes) break;
        at += bytes.size() - (spool_entry_header_bytes - 1);
    }
    found_at_ = next_at_;
    skipped_ = size - next_at_;
    return zeros ? found::torn : found::damaged_end;
}

bool spool_reader::payload(ingest::byte_buffer& into) const {
    into.clear();
    char* const to = into.extend(payload_bytes_);
    const auto got = read_at(file_.get(), to, payload_bytes_, found_at_ + spool_entry_header_bytes);
    return got == payload_bytes_ &&
           payload_crc_of(identity_, entry_.number, into.view()) == payload_crc_;
}

}  // namespace tickd
