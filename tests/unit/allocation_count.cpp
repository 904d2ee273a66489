#include "tests/unit/allocation_count.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace {

thread_local std::uint64_t allocations = 0;
thread_local std::size_t largest_bytes = 0;

void count(std::size_t bytes) noexcept {
    ++allocations;
    largest_bytes = std::max(largest_bytes, bytes);
}

}  // namespace

std::uint64_t tickd::test::allocations_of_this_thread() noexcept { return allocations; }
std::size_t tickd::test::largest_allocation_of_this_thread() noexcept {
    return std::exchange(largest_bytes, 0);
}

// The array forms call these. Over-aligned memory, which nothing on the data path uses, is the
// library's own.
void* operator new(std::size_t bytes) {
    count(bytes);
    // NOLINTNEXTLINE(*-no-malloc,*-owning-memory): this is what gives memory
    if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
    throw std::bad_alloc();
}
// The standard's own form of it calls the one above; a sanitizer's does not.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    count(bytes);
    // NOLINTNEXTLINE(*-no-malloc,*-owning-memory)
    return std::malloc(bytes == 0 ? 1 : bytes);
}
// NOLINTBEGIN(*-no-malloc,*-owning-memory)
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
// NOLINTEND(*-no-malloc,*-owning-memory)
