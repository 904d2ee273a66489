// Ticks as columns, the form in which a client gets a million of them: plain vectors to run over,
// and none for what all of them lack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ingest/decimal.h"

namespace ingest {

// Leaves what resize() adds unset, as it is written at once: clearing 32 bytes a tick first costs
// as much as unpacking them.
template <typename T>
struct unset_allocator : std::allocator<T> {
    template <typename U>
    struct rebind {
        using other = unset_allocator<U>;
    };
    template <typename U>
    void construct(U* at) noexcept {
        ::new (static_cast<void*>(at)) U;
    }
    template <typename U, typename... Args>
    void construct(U* at, Args&&... args) {
        ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
    }
};
template <typename T>
using column_vector = std::vector<T, unset_allocator<T>>;

// Prices or volumes in units of 10^-8. In `narrow`, or, from the first value on that 64 bits
// cannot hold (92 billion and more), all of them in `wide`; the other one is empty.
struct decimal_column {
    column_vector<std::int64_t> narrow;
    column_vector<int128> wide;
    bool is_wide = false;

    [[nodiscard]] std::size_t size() const noexcept {
        return is_wide ? wide.size() : narrow.size();
    }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] int128 operator[](std::size_t i) const noexcept {
        return is_wide ? wide[i] : int128{narrow[i]};
    }
    void push_back(int128 value);
    void widen();
    void resize(std::size_t count);
    void clear() noexcept;
};

// Texts that repeat: each is in `entries` once, and ticks have its number. As long as all ticks
// have the same, `index` is empty and `uniform` is that number.
struct text_column {
    static constexpr std::uint32_t none = 0xFFFF'FFFF;

    std::vector<std::string> entries;
    column_vector<std::uint32_t> index;
    std::uint32_t uniform = none;

    [[nodiscard]] std::uint32_t number(std::size_t i) const noexcept {
        return index.empty() ? uniform : index[i];
    }
    // A null view when the tick has none.
    [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept {
        const std::uint32_t at = number(i);
        return at == none ? std::string_view{} : std::string_view{entries[at]};
    }
    // The text's number; added when it is new.
    [[nodiscard]] std::uint32_t number_of(std::string_view text);
    // Gives `count` ticks that number, where `size` have one so far.
    void append(std::size_t size, std::size_t count, std::uint32_t number);
    // So that `index` has `size` numbers, whatever they are.
    void spread_out(std::size_t size);
    void clear() noexcept;

private:
    struct hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };
    std::unordered_map<std::string, std::uint32_t, hash, std::equal_to<>> numbers_;
};

// Long texts, one behind the other; empty where a tick has none.
struct metadata_column {
    std::string bytes;
    std::vector<std::uint64_t> ends;

    [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept {
        const std::uint64_t begin = i == 0 ? 0 : ends[i - 1];
        return std::string_view{bytes}.substr(begin, ends[i] - begin);
    }
    void push_back(std::string_view text);
    void clear() noexcept;
};

struct tick_columns {
    column_vector<std::int64_t> time_us;  // since 1970
    decimal_column bid, ask, mid;
    decimal_column volume;                  // empty: no tick has one
    column_vector<std::uint8_t> no_volume;  // 1: this one has none; empty: all are the same
    text_column symbol, source;
    metadata_column metadata;  // its ends are empty unless metadata were asked for

    [[nodiscard]] std::size_t size() const noexcept { return time_us.size(); }
    [[nodiscard]] bool has_volume(std::size_t i) const noexcept {
        return no_volume.empty() ? !volume.empty() : no_volume[i] == 0;
    }

    void reserve(std::size_t ticks);
    // Keeps the memory.
    void clear() noexcept;
    // Adds tick `i` of another. With its metadata when both columns have them.
    void append_tick(const tick_columns& from, std::size_t i);
    // Orders by time; ticks of the same time stay as they are to one another. Costs next to nothing
    // when they are in order, and little when a few runs overlap.
    void sort_by_time();
    // Makes room for the volumes of ticks up to `size`, the first `old_size` of which have none.
    void begin_volumes(std::size_t old_size);
    void begin_missing_volumes(std::size_t old_size);
};

}  // namespace ingest
