// How often this thread has called operator new, which the unit tests replace to count it.
#pragma once

#include <cstdint>

namespace tickd::test {

[[nodiscard]] std::uint64_t allocations_of_this_thread() noexcept;

}  // namespace tickd::test
