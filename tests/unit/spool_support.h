// What the tests of the spool on disk share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/spool/file_spool.h"

namespace tests {

// Fails the test when it cannot be opened.
[[nodiscard]] std::unique_ptr<tickd::file_spool> open_spool(tickd::file_spool_settings settings);
[[nodiscard]] std::unique_ptr<tickd::file_spool> open_spool(const std::filesystem::path& folder);

// Appends the numbered blocks (spool_blocks.h) first to last, and syncs.
void append(tickd::file_spool& to, std::int64_t first, std::int64_t last);

// The numbers of all that is left to read.
[[nodiscard]] std::vector<std::int64_t> read_all(tickd::file_spool& from);

// Files whose name ends so, in order.
[[nodiscard]] std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder,
                                                          const std::string& extension);
// Of all its *.spool files together.
[[nodiscard]] std::uint64_t bytes_in(const std::filesystem::path& folder);

// Runs `work` in a process that ends without a destructor, as if it had been killed; fails the test
// when it throws. Within, `require` takes the place of REQUIRE.
void in_killed_process(const std::function<void()>& work);
void require(bool condition);

}  // namespace tests
