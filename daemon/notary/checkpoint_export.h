// Where a checkpoint goes besides the database, which whoever rewrites the log could rewrite, too.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

namespace tickd {

// Into the folder: `checkpoint`, replaced whole, is the newest; `checkpoints-YYYY-MM-DD` (UTC)
// collects all, each followed by an empty line. On the disk when it returns.
[[nodiscard]] std::expected<void, std::string> export_to_folder(const std::string& folder,
                                                                const std::string& note,
                                                                std::int64_t unix_us);

// Runs `command` by the shell with the note on its stdin; an error unless it ends with 0 in time.
[[nodiscard]] std::expected<void, std::string> export_to_command(const std::string& command,
                                                                 const std::string& note,
                                                                 std::chrono::milliseconds at_most);

}  // namespace tickd
