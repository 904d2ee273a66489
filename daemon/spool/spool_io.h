// The few file operations of the spool, each to its end or to an error. `errno` tells which.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/send/unique_fd.h"

namespace tickd {

// Writes all of it at `offset`. False: some of it may be there.
[[nodiscard]] bool write_at(int fd, std::string_view bytes, std::uint64_t offset) noexcept;

// Reads up to `bytes` from `offset`; fewer only at the file's end. Nothing: it cannot be read.
[[nodiscard]] std::optional<std::size_t> read_at(int fd, char* to, std::size_t bytes,
                                                 std::uint64_t offset) noexcept;

// The file's size; nothing: it cannot be told.
[[nodiscard]] std::optional<std::uint64_t> size_of(int fd) noexcept;

// A file's content; nothing: it is not there, cannot be read or has more than 4 KiB.
[[nodiscard]] std::optional<std::string> small_file(int folder, const char* name);

// Replaces a file as a whole, durably: after a crash it has its old content or the new one.
[[nodiscard]] bool replace_small_file(int folder, const char* name, std::string_view content);

// Opens a file below the folder for reading, or nothing.
[[nodiscard]] unique_fd open_for_reading(int folder, const std::string& name) noexcept;

// What an errno means, in words.
[[nodiscard]] std::string error_text(int error);

}  // namespace tickd
