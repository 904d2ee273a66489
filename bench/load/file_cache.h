// The kernel's cache of files.
#pragma once

#include <cstdint>
#include <filesystem>

namespace bench {

// Has the kernel forget the files below `folder`; nobody may have them open or dirty. How many
// bytes of them it holds all the same. Throws std::runtime_error for a file that cannot be read.
std::uint64_t drop_cached_files(const std::filesystem::path& folder);

}  // namespace bench
