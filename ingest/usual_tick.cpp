#include "ingest/usual_tick.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "ingest/json_text.h"
#include "ingest/limits.h"
#include "ingest/timestamp.h"
#include "ingest/top_level_scan.h"

namespace ingest {

namespace {

[[nodiscard]] constexpr std::uint64_t every_byte(std::uint64_t byte) noexcept {
    return byte * 0x0101'0101'0101'0101;
}

[[nodiscard]] std::uint64_t load_word(const char* at) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

[[nodiscard]] constexpr bool in_number(char c) noexcept {
    return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

[[nodiscard]] bool is_ascii(const char* begin, const char* end) noexcept {
    return std::all_of(begin, end, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Up to eight digits in the bytes of a word, the first in its lowest byte.
struct digit_word {
    std::uint64_t values = 0;  // of the bytes, digits and what follows them
    unsigned count = 0;        // of digits before the first other byte

    explicit digit_word(const char* at) noexcept : values(load_word(at) ^ every_byte('0')) {
        const std::uint64_t others = ((values + every_byte(0x76)) | values) & every_byte(0x80);
        count = others == 0 ? 8U : static_cast<unsigned>(std::countr_zero(others)) / 8;
    }
};

// The number that eight bytes of 0 to 9 spell: neighbours are joined three times.
[[nodiscard]] constexpr std::uint64_t number_of(std::uint64_t digits) noexcept {
    digits = digits * 10 + (digits >> 8U);
    constexpr std::uint64_t pairs = 0x0000'00FF'0000'00FF;
    return ((digits & pairs) * 0x000F'4240'0000'0064 +
            ((digits >> 16U) & pairs) * 0x0000'2710'0000'0001) >>
           32U;
}

// At most seven digits, a point and at most eight: two words, without a branch for each digit.
// Moves `at` behind what it has read; false: something else, `at` stands anywhere.
[[nodiscard]] bool read_short_decimal(const char*& at, int128& out) noexcept {
    const bool negative = *at == '-';
    if (negative) ++at;
    const digit_word whole(at);
    if (whole.count == 0 || whole.count == 8 || (whole.count > 1 && *at == '0')) return false;
    std::uint64_t value = number_of(whole.values << (64 - 8 * whole.count)) * 100'000'000;
    at += whole.count;
    if (*at == '.') {
        const digit_word fraction(++at);
        if (fraction.count == 0) return false;
        const std::uint64_t digits =
            fraction.count == 8
                ? fraction.values
                : fraction.values & ((std::uint64_t{1} << (8 * fraction.count)) - 1);
        value += number_of(digits);
        at += fraction.count;
    }
    out = negative ? -static_cast<int128>(value) : static_cast<int128>(value);
    return !in_number(*at);
}

class usual_tick {
public:
    usual_tick(std::string_view line, const record_rules& rules, std::int64_t now_us,
               record_memory& memory, record& out) noexcept
        : at_(line.data()),
          end_(at_ + line.size()),
          rules_(rules),
          now_us_(now_us),
          memory_(memory),
          out_(out) {}

    [[nodiscard]] bool read(optional_text session_source) {
        if (!take('{')) return false;
        do {
            if (!read_member()) return false;
        } while (take(','));
        return take('}') && at_ == end_ && finish(session_source);
    }

private:
    [[nodiscard]] bool take(char c) noexcept {
        if (*at_ != c) return false;
        ++at_;
        return true;
    }
    // Python writes a space behind each `,` and `:`.
    void skip_space() noexcept { at_ += *at_ == ' ' ? 1 : 0; }

    template <std::size_t size>
    [[nodiscard]] bool take_key(const char (&literal)[size], field_key key) noexcept {
        if (std::memcmp(at_, literal, size - 1) != 0 || named_.has(key)) return false;
        named_.add(key);
        at_ += size - 1;
        skip_space();
        return true;
    }

    // No reader runs more than 64 bytes past the line's end before the next member is asked for.
    [[nodiscard]] bool read_member() {
        skip_space();
        if (at_ >= end_ || *at_ != '"') return false;
        using enum field_key;
        switch (at_[1]) {
            case 't':
                if (take_key("\"time\":", time)) return read_time();
                return take_key("\"type\":", type) && read_type();
            case 'b': return take_key("\"bid\":", bid) && read_decimal(price_limit, out_.bid);
            case 'a': return take_key("\"ask\":", ask) && read_decimal(price_limit, out_.ask);
            case 's':
                if (take_key("\"symbol\":", symbol)) {
                    return read_text(limits::symbol_chars_max, out_.symbol);
                }
                if (take_key("\"seq\":", seq)) return read_seq();
                return take_key("\"source\":", source) &&
                       read_text(limits::source_chars_max, out_.source);
            case 'm':
                if (take_key("\"metadata\":", metadata)) return read_metadata();
                return take_key("\"mid\":", mid) && read_decimal(price_limit, out_.mid);
            case 'v': return take_key("\"volume\":", volume) && read_volume();
            default: return false;
        }
    }

    [[nodiscard]] bool read_type() noexcept {
        if (std::memcmp(at_, "\"tick\"", 6) != 0) return false;
        at_ += 6;
        return true;
    }

    [[nodiscard]] bool read_text(std::size_t bytes_max, std::string_view& out) noexcept {
        if (!take('"')) return false;
        const char* const begin = at_;
        for (; at_ < end_; at_ += 8) {
            const std::uint64_t word = load_word(at_);
            const std::uint64_t quote = word ^ every_byte('"');
            const std::uint64_t backslash = word ^ every_byte('\\');
            // A zero byte marks what is sought. Borrows only cause false marks above a true one.
            const std::uint64_t marks = ((quote - every_byte(1)) | (backslash - every_byte(1)) |
                                         (word - every_byte(0x20)) | word) &
                                        every_byte(0x80);
            if (marks == 0) continue;
            at_ += std::countr_zero(marks) / 8;
            out = {begin, at_};
            return at_ < end_ && !out.empty() && out.size() <= bytes_max && take('"');
        }
        return false;
    }

    [[nodiscard]] std::string_view take_number() noexcept {
        const char* const begin = at_;
        while (at_ < end_ && in_number(*at_)) ++at_;
        return {begin, at_};
    }

    [[nodiscard]] bool read_decimal(int128 limit, int128& out) noexcept {
        const bool quoted = take('"');
        const char* const begin = at_;
        if (!read_short_decimal(at_, out)) {
            at_ = begin;
            const decimal_result any = parse_decimal(take_number(), rules_.excess, limit);
            if (any.error != decimal_error::none) return false;
            out = any.value;
        }
        return !quoted || take('"');
    }

    [[nodiscard]] bool read_volume() noexcept {
        int128 volume = 0;
        if (!read_decimal(volume_limit, volume) || volume < 0) return false;
        out_.volume = volume;
        return true;
    }

    [[nodiscard]] bool read_seq() noexcept {
        out_.seq = parse_seq(take_number());
        return out_.seq != 0;
    }

    // The lengths of times in seconds to nanoseconds, with `Z` or `+00:00`. What lies before the
    // quote, the parser of times checks.
    [[nodiscard]] bool read_time() noexcept {
        time_result parsed{0, time_error::invalid};
        if (take('"')) {
            for (const std::ptrdiff_t length : {20, 24, 25, 27, 29, 30, 32}) {
                if (at_[length] != '"' || end_ - at_ <= length) continue;
                parsed = parse_rfc3339({at_, at_ + length});
                at_ += length + 1;
                break;
            }
        } else {
            parsed = parse_epoch(take_number());
        }
        out_.time_us = parsed.unix_us;
        const std::int64_t ahead_us = parsed.unix_us - now_us_;
        return parsed.error == time_error::none && ahead_us <= rules_.future_limit_us &&
               (!rules_.past_limit_us || -ahead_us <= *rules_.past_limit_us);
    }

    [[nodiscard]] bool read_metadata() {
        if (at_ >= end_) return false;
        const char* const begin = at_;
        object_builder object(memory_.scratch, memory_.metadata);
        json_text text({at_, end_}, memory_.scratch, memory_.metadata,
                       limits::normal_form_bytes_max);
        const std::uint32_t depth_max = rules_.depth_max - 1;
        if (text.first_members(object, depth_max, at_) != verdict::accepted) return false;
        return is_ascii(begin, at_) && object.close() == verdict::accepted;
    }

    // As record_fields does it.
    [[nodiscard]] bool finish(optional_text session_source) noexcept {
        using enum field_key;
        if (!named_.has(symbol) || !named_.has(bid) || !named_.has(ask)) return false;
        if (named_.has(metadata)) out_.metadata = memory_.metadata.view();
        if (!named_.has(time)) out_.time_us = now_us_;
        if (!named_.has(mid)) out_.mid = mid_of(out_.bid, out_.ask);
        if (!named_.has(source)) out_.source = session_source;
        out_.tenant = rules_.tenant;
        out_.kind = record_kind::tick;
        return true;
    }

    const char* at_;
    const char* const end_;
    const record_rules& rules_;
    const std::int64_t now_us_;
    record_memory& memory_;
    record& out_;
    field_set named_;
};

}  // namespace

bool read_usual_tick(std::string_view line, const record_rules& rules, optional_text session_source,
                     std::int64_t now_us, record_memory& memory, record& out) {
    if constexpr (std::endian::native != std::endian::little) return false;
    return usual_tick(line, rules, now_us, memory, out).read(session_source);
}

}  // namespace ingest
