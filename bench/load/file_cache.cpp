#include "bench/load/file_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "daemon/send/unique_fd.h"

namespace bench {

namespace {

[[nodiscard]] std::uint64_t cached_bytes(const tickd::unique_fd& file, std::size_t size) {
    void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
    if (mapped == MAP_FAILED) return 0;
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::vector<unsigned char> pages((size + page - 1) / page);
    const bool known = ::mincore(mapped, size, pages.data()) == 0;
    ::munmap(mapped, size);
    if (!known) return 0;
    return page * static_cast<std::uint64_t>(std::ranges::count_if(
                      pages, [](unsigned char in) { return (in & 1U) != 0; }));
}

}  // namespace

std::uint64_t drop_cached_files(const std::filesystem::path& folder) {
    // Pages that are being written are not dropped.
    ::sync();
    std::uint64_t kept_bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file() || entry.is_symlink() || entry.file_size() == 0) continue;
        const tickd::unique_fd file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
        if (!file) {
            throw std::runtime_error(entry.path().string() + ": " +
                                     std::generic_category().message(errno));
        }
        ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
        kept_bytes += cached_bytes(file, entry.file_size());
    }
    return kept_bytes;
}

}  // namespace bench
