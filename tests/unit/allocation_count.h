// How often this thread has called operator new, and for how much: the unit tests replace it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tickd::test {

[[nodiscard]] std::uint64_t allocations_of_this_thread() noexcept;
// Bytes of the largest since this was asked last.
[[nodiscard]] std::size_t largest_allocation_of_this_thread() noexcept;

}  // namespace tickd::test
