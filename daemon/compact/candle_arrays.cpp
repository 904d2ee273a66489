#include "daemon/compact/candle_arrays.h"

#include <algorithm>

#include "ingest/decimal.h"
#include "ingest/timestamp.h"

namespace tickd {

void pg_array_text::add_plain(std::string_view element) {
    text_ += text_.empty() ? '{' : ',';
    text_ += element;
}

void pg_array_text::add(std::string_view element) {
    add_plain("\"");
    for (const char c : element) {
        if (c == '"' || c == '\\') text_ += '\\';
        text_ += c;
    }
    text_ += '"';
}

std::string pg_array_text::take() {
    std::string whole = text_.empty() ? "{" : std::exchange(text_, {});
    return whole + '}';
}

namespace {

void add_tenant(pg_array_text& to, const std::optional<ingest::uuid>& tenant) {
    tenant ? to.add_plain(ingest::to_text(*tenant)) : to.add_null();
}

template <std::size_t Count>
[[nodiscard]] std::vector<pg_parameter> taken(std::array<pg_array_text, Count>& arrays) {
    std::vector<pg_parameter> parameters;
    parameters.reserve(Count);
    for (pg_array_text& each : arrays) parameters.emplace_back(each.take());
    return parameters;
}

}  // namespace

std::vector<pg_parameter> candle_parameters(candle_iterator begin, candle_iterator end) {
    std::array<pg_array_text, 12> arrays;
    for (; begin != end; ++begin) {
        const auto& [key, made] = *begin;
        arrays[0].add(key.symbol);
        add_tenant(arrays[1], key.tenant);
        arrays[2].add_plain(ingest::to_rfc3339(key.begin_us));
        arrays[3].add_plain(ingest::to_text(made.open));
        arrays[4].add_plain(ingest::to_text(made.high));
        arrays[5].add_plain(ingest::to_text(made.low));
        arrays[6].add_plain(ingest::to_text(made.close));
        arrays[7].add_plain(ingest::to_rfc3339(made.first_us));
        arrays[8].add_plain(ingest::to_rfc3339(made.last_us));
        arrays[9].add_plain(std::to_string(made.tick_count));
        if (made.has_volume) {
            arrays[10].add_plain(ingest::to_text(made.volume));
            arrays[11].add_plain(ingest::to_text(made.volume_value));
        } else {
            arrays[10].add_null();
            arrays[11].add_null();
        }
    }
    return taken(arrays);
}

std::vector<pg_parameter> latest_parameters(const ingest::candle_set& candles) {
    std::array<pg_array_text, 3> arrays;
    const auto& all = candles.all();
    for (auto at = all.begin(); at != all.end(); ++at) {
        // Keys run by symbol, tenant and time, so the last of a symbol and tenant has the newest.
        const auto next = std::next(at);
        if (next != all.end() && next->first.symbol == at->first.symbol &&
            next->first.tenant == at->first.tenant) {
            continue;
        }
        arrays[0].add(at->first.symbol);
        add_tenant(arrays[1], at->first.tenant);
        arrays[2].add_plain(ingest::to_rfc3339(at->second.last_us));
    }
    return taken(arrays);
}

}  // namespace tickd
