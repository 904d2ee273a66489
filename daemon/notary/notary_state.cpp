#include "daemon/notary/notary_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "ingest/sha256.h"

namespace tickd {

namespace {

constexpr std::string_view tag = "ual-notary/v1 ";

[[nodiscard]] std::string check_of(std::string_view text) {
    const ingest::sha256_hex hex = ingest::to_hex(ingest::sha256().digest(text));
    return {hex.begin(), hex.begin() + 16};
}

[[nodiscard]] std::string system_error(std::string_view what, const std::string& path) {
    return std::format("{} {}: {}", what, path, std::strerror(errno));
}

// A line without its newline; nothing when its check does not hold.
[[nodiscard]] std::optional<checkpoint> parse_line(std::string_view line,
                                                   const std::string& origin) {
    const std::size_t check = line.rfind(' ');
    const std::size_t root = line.find(' ');
    if (check == std::string_view::npos || check == root ||
        check_of(line.substr(0, check)) != line.substr(check + 1)) {
        return std::nullopt;
    }
    const auto head = parse_checkpoint(std::format("{}\n{}\n{}\n", origin, line.substr(0, root),
                                                   line.substr(root + 1, check - root - 1)));
    return head ? std::optional(*head) : std::nullopt;
}

}  // namespace

notary_state::~notary_state() {
    if (file_ >= 0) ::close(file_);
}

notary_state::notary_state(notary_state&& other) noexcept
    : file_(std::exchange(other.file_, -1)), newest_(std::move(other.newest_)) {}

std::expected<notary_state, std::string> notary_state::open(const std::string& path) {
    notary_state state;
    state.file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (state.file_ < 0) return std::unexpected(system_error("cannot open", path));
    if (::flock(state.file_, LOCK_EX | LOCK_NB) != 0) {
        return std::unexpected("another notary holds " + path);
    }
    // The name itself must survive a crash, too.
    const std::string folder = std::filesystem::absolute(path).parent_path().string();
    const int folder_fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool kept = folder_fd >= 0 && ::fsync(folder_fd) == 0;
    if (folder_fd >= 0) ::close(folder_fd);
    if (!kept) return std::unexpected(system_error("cannot fsync", folder));
    if (auto good = state.read(path); !good) return std::unexpected(good.error());
    return state;
}

std::expected<void, std::string> notary_state::read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open()) return std::unexpected(system_error("cannot read", path));
    std::string origin;
    std::size_t good = 0;
    for (int number = 1; good < text.size(); ++number) {
        const std::size_t end = text.find('\n', good);
        if (end == std::string::npos) break;  // Torn: its signature never left.
        const std::string_view line(text.data() + good, end - good);
        if (number == 1) {
            if (!line.starts_with(tag)) return std::unexpected(path + " is no notary's state");
            origin = line.substr(tag.size());
        } else {
            auto head = parse_line(line, origin);
            if (!head || (newest_ && head->size < newest_->size)) {
                return std::unexpected(std::format("{}:{} is damaged", path, number));
            }
            newest_ = std::move(head);
        }
        good = end + 1;
    }
    if (good < text.size() && ::ftruncate(file_, static_cast<off_t>(good)) != 0) {
        return std::unexpected(system_error("cannot cut", path));
    }
    // A file of one line: the crash came between the name and the first checkpoint.
    if (!newest_ && ::ftruncate(file_, 0) != 0) {
        return std::unexpected(system_error("cannot cut", path));
    }
    return {};
}

std::expected<void, std::string> notary_state::write(const std::string& line) {
    const ssize_t written = ::write(file_, line.data(), line.size());
    if (written != static_cast<ssize_t>(line.size()) || ::fsync(file_) != 0) {
        return std::unexpected(std::format("cannot write the state: {}", std::strerror(errno)));
    }
    return {};
}

std::expected<void, std::string> notary_state::append(const checkpoint& head) {
    std::string lines;
    if (!newest_) lines = std::format("{}{}\n", tag, head.origin);
    const std::string line =
        std::format("{} {}", head.size,
                    to_base64({reinterpret_cast<const char*>(head.root.data()), head.root.size()}));
    lines += std::format("{} {}\n", line, check_of(line));
    if (auto kept = write(lines); !kept) return kept;
    newest_ = head;
    return {};
}

}  // namespace tickd
