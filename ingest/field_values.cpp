#include "ingest/field_values.h"

#include "ingest/json_scalar.h"
#include "ingest/timestamp.h"
#include "ingest/top_level_scan.h"

namespace ingest {

namespace {

[[nodiscard]] bool is_json_number(std::string_view token) noexcept {
    const decimal_error error = parse_decimal(token, excess_digits::round, volume_limit).error;
    return error != decimal_error::not_decimal && error != decimal_error::not_finite;
}

}  // namespace

verdict misfit(token_kind kind, std::string_view raw) noexcept {
    if (kind == token_kind::broken) return verdict::not_json;
    if (kind == token_kind::bare && !is_json_number(raw)) return verdict::not_json;
    return verdict::wrong_type;
}

verdict detail::read_other_string(token_kind kind, std::string_view raw,
                                  simdjson::ondemand::value& value, std::string_view& out) {
    if (kind != token_kind::string) return misfit(kind, raw);
    if (value.get_string().get(out) != simdjson::SUCCESS) return why_not_decoded(raw);
    // Only an escape can make a NUL: raw ones are not JSON.
    return out.contains('\0') ? verdict::nul_character : verdict::accepted;
}

verdict detail::from_error(decimal_error error) noexcept {
    switch (error) {
        case decimal_error::none: return verdict::accepted;
        case decimal_error::not_decimal: return verdict::not_decimal;
        case decimal_error::not_finite: return verdict::not_finite;
        case decimal_error::too_precise: return verdict::too_precise;
        case decimal_error::out_of_range: return verdict::out_of_range;
    }
    return verdict::not_decimal;
}

verdict read_time(token_kind kind, std::string_view raw, simdjson::ondemand::value& value,
                  std::int64_t& out_us) {
    time_result parsed;
    if (kind == token_kind::bare) {
        if (!is_json_number(raw)) return verdict::not_json;
        parsed = parse_epoch(raw);
    } else {
        std::string_view text;
        const verdict read = read_string(kind, raw, value, text);
        if (read != verdict::accepted) return read;
        parsed = parse_rfc3339(text);
    }
    if (parsed.error == time_error::invalid) return verdict::time_invalid;
    if (parsed.error == time_error::leap_second) return verdict::leap_second;
    out_us = parsed.unix_us;
    return verdict::accepted;
}

verdict read_uuid(token_kind kind, std::string_view raw, simdjson::ondemand::value& value,
                  std::optional<uuid>& out) {
    std::string_view text;
    const verdict read = read_string(kind, raw, value, text);
    if (read != verdict::accepted) return read;
    out = parse_uuid(text);
    return out ? verdict::accepted : verdict::uuid_invalid;
}

verdict read_seq(token_kind kind, std::string_view raw, std::uint64_t& out) noexcept {
    if (kind != token_kind::bare) {
        return kind == token_kind::broken ? verdict::not_json : verdict::seq_invalid;
    }
    out = parse_seq(raw);
    if (out != 0) return verdict::accepted;
    return is_json_number(raw) ? verdict::seq_invalid : verdict::not_json;
}

verdict read_kind(token_kind kind, std::string_view raw, simdjson::ondemand::value& value,
                  record_kind& out) {
    std::string_view text;
    const verdict read = read_string(kind, raw, value, text);
    if (read != verdict::accepted) return read;
    if (text != "tick" && text != "activity") return verdict::unknown_type;
    out = text == "tick" ? record_kind::tick : record_kind::activity;
    return verdict::accepted;
}

verdict why_not_decoded(std::string_view raw) {
    // `raw` lies between two quotes.
    byte_buffer decoded;
    const verdict why = append_decoded({raw.data() - 1, raw.size() + 2}, decoded);
    return why == verdict::accepted ? verdict::not_json : why;
}

}  // namespace ingest
