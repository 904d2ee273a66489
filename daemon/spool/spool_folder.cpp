#include "daemon/spool/spool_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <format>
#include <string_view>
#include <utility>

#include "daemon/spool/spool_io.h"
#include "daemon/spool/spool_scan.h"

namespace tickd {

namespace {

// Makes a folder that survives a crash, unless it is there.
[[nodiscard]] bool make_folder(const std::filesystem::path& path) {
    if (::mkdir(path.c_str(), 0700) != 0) return errno == EEXIST;
    const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
    const unique_fd above{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return above && ::fsync(above.get()) == 0;
}

[[nodiscard]] std::string cannot_use(const std::string& path, int error) {
    std::string remedy;
    switch (error) {
        case EACCES:
        case EPERM: remedy = "; the daemon's user must own it"; break;
        case ENOTDIR:
        case ENOENT: remedy = "; make the folder above it, or change spool.folder"; break;
        case EROFS:
        case ENOSPC: remedy = "; make room, or change spool.folder"; break;
        default: break;
    }
    return std::format("the spool's folder {} cannot be used: {}{}", path, error_text(error),
                       remedy);
}

[[nodiscard]] std::optional<std::int64_t> number_of(std::string_view text) {
    if (!text.ends_with('\n')) return std::nullopt;
    text.remove_suffix(1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 1) {
        return std::nullopt;
    }
    return number;
}

}  // namespace

spool_folder::spool_folder(std::string path, unique_fd folder, unique_fd lock)
    : path_{std::move(path)}, folder_{std::move(folder)}, lock_{std::move(lock)} {}

std::expected<spool_folder, std::string> spool_folder::take(const std::string& path) {
    const std::filesystem::path folder_path{path};
    if (folder_path.has_parent_path() && !make_folder(folder_path.parent_path())) {
        return std::unexpected(cannot_use(path, errno));
    }
    if (!make_folder(folder_path)) return std::unexpected(cannot_use(path, errno));
    unique_fd folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder) return std::unexpected(cannot_use(path, errno));
    unique_fd lock{::openat(folder.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!lock) return std::unexpected(cannot_use(path, errno));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return std::unexpected(cannot_use(path, errno));
        return std::unexpected(std::format(
            "the spool's folder {} is in use by another tickd: stop that one, or give this one a "
            "spool.folder or lanes.first of its own",
            path));
    }
    return spool_folder{path, std::move(folder), std::move(lock)};
}

std::expected<ingest::uuid, std::string> spool_folder::identity(
    std::vector<std::string>& messages) {
    const auto known = read_spool_identity(path_);
    if (!known) return new_identity();
    const std::string text = ingest::to_text(*known) + '\n';
    if (small_file(folder_.get(), "identity") != text) {
        messages.push_back("identity: was missing or damaged; taken from the files again");
        if (!replace_small_file(folder_.get(), "identity", text)) {
            return std::unexpected(cannot_use(path_, errno));
        }
    }
    return *known;
}

std::expected<ingest::uuid, std::string> spool_folder::new_identity() {
    ingest::uuid name;
    if (::getrandom(name.bytes.data(), name.bytes.size(), 0) !=
        static_cast<ssize_t>(name.bytes.size())) {
        return std::unexpected(cannot_use(path_, errno));
    }
    // The name first: numbers must never begin anew under the old one. A start that finds a name
    // but no number, and no block, comes here again.
    if (!replace_small_file(folder_.get(), "identity", ingest::to_text(name) + '\n') ||
        !set_next_number(1)) {
        return std::unexpected(cannot_use(path_, errno));
    }
    return name;
}

std::optional<std::int64_t> spool_folder::next_number() const {
    const auto text = small_file(folder_.get(), "next");
    return text ? number_of(*text) : std::nullopt;
}

bool spool_folder::set_next_number(std::int64_t next) {
    return replace_small_file(folder_.get(), "next", std::format("{}\n", next));
}

std::optional<std::string> spool_folder::set_aside(const std::string& name) {
    std::string aside = name + ".damaged";
    for (int copy = 2; ::faccessat(folder_.get(), aside.c_str(), F_OK, 0) == 0; ++copy) {
        aside = std::format("{}.{}.damaged", name, copy);
    }
    if (::renameat(folder_.get(), name.c_str(), folder_.get(), aside.c_str()) != 0) {
        return std::nullopt;
    }
    return aside;
}

bool spool_folder::remove(const std::string& name) {
    return ::unlinkat(folder_.get(), name.c_str(), 0) == 0;
}

bool spool_folder::sync() const noexcept { return ::fsync(folder_.get()) == 0; }

}  // namespace tickd
