// A growing run of bytes that, unlike std::string and std::vector, does not clear what it grows
// by. Grows by doubling; `clear` keeps the memory. Offsets stay valid, pointers do not.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace ingest {

class byte_buffer {
public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] char* data() noexcept { return bytes_.get(); }
    [[nodiscard]] const char* data() const noexcept { return bytes_.get(); }
    [[nodiscard]] std::string_view view() const noexcept { return {data(), size_}; }
    [[nodiscard]] std::string_view view(std::size_t offset, std::size_t length) const noexcept {
        return {data() + offset, length};
    }

    // Room for `bytes` more without moving; size is unchanged.
    void reserve_more(std::size_t bytes) {
        if (capacity_ - size_ < bytes) grow(size_ + bytes);
    }

    // Adds `bytes` of unset memory and returns where they begin.
    [[nodiscard]] char* extend(std::size_t bytes) {
        reserve_more(bytes);
        char* const begin = data() + size_;
        size_ += bytes;
        return begin;
    }

    void append(std::string_view text) {
        if (text.empty()) return;
        std::memcpy(extend(text.size()), text.data(), text.size());
    }
    void push_back(char c) { *extend(1) = c; }

    void truncate(std::size_t size) noexcept { size_ = size < size_ ? size : size_; }
    void clear() noexcept { size_ = 0; }

    // Clears, and gives the memory back when there is more than `keep_bytes` of it.
    void clear_above(std::size_t keep_bytes) noexcept {
        size_ = 0;
        if (capacity_ > keep_bytes) {
            bytes_.reset();
            capacity_ = 0;
        }
    }

private:
    void grow(std::size_t needed) {
        std::size_t capacity = capacity_ < 256 ? 256 : capacity_;
        while (capacity < needed) capacity *= 2;
        auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
        if (size_ != 0) std::memcpy(bytes.get(), bytes_.get(), size_);
        bytes_ = std::move(bytes);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace ingest
