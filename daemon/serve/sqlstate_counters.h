// How often the database failed, by SQLSTATE. A server has some 250 states and meets few of them:
// the first that come have a place of their own, the rest share one, so that nobody who looks is
// ever sent more series than that.
//
// One thread counts, any thread reads.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tickd {

class sqlstate_counters {
public:
    static constexpr std::size_t places = 32;
    static constexpr std::string_view no_answer = "none";  // the connection broke: no state
    static constexpr std::string_view others = "other";

    void count(std::string_view sqlstate) noexcept {
        const std::uint64_t key = key_of(sqlstate);
        for (place& each : places_) {
            const std::uint64_t known = each.key.load(std::memory_order_relaxed);
            if (known != 0 && known != key) continue;
            // The count first: whoever sees the key sees at least one.
            each.times.store(each.times.load(std::memory_order_relaxed) + 1,
                             std::memory_order_relaxed);
            if (known == 0) each.key.store(key, std::memory_order_release);
            return;
        }
        others_.fetch_add(1, std::memory_order_relaxed);
    }

    [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> read() const {
        std::vector<std::pair<std::string, std::uint64_t>> all;
        for (const place& each : places_) {
            const std::uint64_t key = each.key.load(std::memory_order_acquire);
            if (key == 0) break;
            all.emplace_back(text_of(key), each.times.load(std::memory_order_relaxed));
        }
        all.emplace_back(others, others_.load(std::memory_order_relaxed));
        return all;
    }

private:
    struct place {
        std::atomic<std::uint64_t> key{0};
        std::atomic<std::uint64_t> times{0};
    };

    // Five characters in the lower bytes, the first one highest. Never 0.
    [[nodiscard]] static std::uint64_t key_of(std::string_view sqlstate) noexcept {
        std::uint64_t key = 0;
        for (const char c : (sqlstate.empty() ? no_answer : sqlstate).substr(0, 5)) {
            key = key << 8 | static_cast<unsigned char>(c);
        }
        return key;
    }
    [[nodiscard]] static std::string text_of(std::uint64_t key) {
        std::string text;
        for (; key != 0; key >>= 8) text.insert(text.begin(), static_cast<char>(key & 0xFF));
        return text;
    }

    std::array<place, places> places_{};
    std::atomic<std::uint64_t> others_{0};
};

}  // namespace tickd
