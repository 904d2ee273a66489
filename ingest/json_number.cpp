#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "ingest/json_scalar.h"
#include "ingest/limits.h"

namespace ingest {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

const char* skip_digits(const char* at, const char* end) noexcept {
    while (at != end && is_digit(*at)) ++at;
    return at;
}

bool only_zeros(std::string_view digits) noexcept {
    return digits.find_first_not_of('0') == std::string_view::npos;
}

// Reads `e`, a sign and digits; the value is cut just beyond the limit. False: no exponent.
bool read_exponent(const char*& at, const char* end, std::int64_t& exponent) noexcept {
    ++at;
    const bool below = at != end && *at == '-';
    if (at != end && (*at == '-' || *at == '+')) ++at;
    const char* const begin = at;
    for (; at != end && is_digit(*at); ++at) {
        exponent = std::min(exponent * 10 + (*at - '0'), limits::json_number_exponent_max + 1);
    }
    if (at == begin) return false;
    if (below) exponent = -exponent;
    return true;
}

void append_zeros(std::size_t count, byte_buffer& out) {
    if (count != 0) std::memset(out.extend(count), '0', count);
}

// The mantissa with its point moved by `exponent`. As NUMERIC does it: the decimals shown are the
// mantissa's less the exponent, at least none; zeros at the end stay.
void append_shifted(std::string_view whole, std::string_view fraction, std::int64_t exponent,
                    byte_buffer& out) {
    if (exponent >= 0) {
        const auto shift = static_cast<std::size_t>(exponent);
        const std::size_t moved = std::min(shift, fraction.size());
        std::string_view moved_digits = fraction.substr(0, moved);
        if (whole == "0") {
            const std::size_t zeros = std::min(moved_digits.find_first_not_of('0'), moved);
            moved_digits.remove_prefix(zeros);
            if (moved_digits.empty()) {
                out.push_back('0');
            } else {
                out.append(moved_digits);
                append_zeros(shift - moved, out);
            }
        } else {
            out.append(whole);
            out.append(moved_digits);
            append_zeros(shift - moved, out);
        }
        if (moved == fraction.size()) return;
        out.push_back('.');
        out.append(fraction.substr(moved));
        return;
    }
    const auto shift = static_cast<std::size_t>(-exponent);
    const std::size_t kept = whole.size() - std::min(shift, whole.size());
    if (kept == 0) {
        out.append("0.");
        append_zeros(shift - whole.size(), out);
    } else {
        out.append(whole.substr(0, kept));
        out.push_back('.');
    }
    out.append(whole.substr(kept));
    out.append(fraction);
}

}  // namespace

verdict copy_number(const char*& at, const char* end, byte_buffer& out) {
    const bool negative = at != end && *at == '-';
    const char* const whole = negative ? at + 1 : at;
    const char* const whole_end = skip_digits(whole, end);
    if (whole_end == whole || (*whole == '0' && whole_end - whole > 1)) return verdict::not_json;

    const char* fraction = whole_end;
    const char* fraction_end = whole_end;
    if (whole_end != end && *whole_end == '.') {
        fraction = whole_end + 1;
        fraction_end = skip_digits(fraction, end);
        if (fraction_end == fraction) return verdict::not_json;
    }
    std::int64_t exponent = 0;
    const char* stop = fraction_end;
    if (stop != end && (*stop == 'e' || *stop == 'E') && !read_exponent(stop, end, exponent)) {
        return verdict::not_json;
    }

    at = stop;

    const auto digits = static_cast<std::size_t>((whole_end - whole) + (fraction_end - fraction));
    if (digits > limits::json_number_digits_max ||
        std::abs(exponent) > limits::json_number_exponent_max) {
        return verdict::number_too_long;
    }
    // NUMERIC has no negative zero.
    if (negative && !(*whole == '0' && only_zeros({fraction, fraction_end}))) out.push_back('-');
    if (exponent == 0) {
        out.append({whole, fraction_end});
    } else {
        append_shifted({whole, whole_end}, {fraction, fraction_end}, exponent, out);
    }
    return verdict::accepted;
}

verdict append_number(std::string_view token, byte_buffer& out) {
    const char* at = token.data();
    const char* const end = at + token.size();
    const std::size_t begin = out.size();
    const verdict copied = copy_number(at, end, out);
    if (copied == verdict::not_json || at == end) return copied;
    out.truncate(begin);
    return verdict::not_json;
}

}  // namespace ingest
