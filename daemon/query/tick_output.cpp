#include "daemon/query/tick_output.h"

#include <format>
#include <iterator>

#include "daemon/json_quoted.h"
#include "daemon/query/csv_text.h"
#include "ingest/copy_cursor.h"
#include "ingest/copy_encode.h"
#include "ingest/timestamp.h"

namespace tickd {

namespace {

[[nodiscard]] std::string volume_text(const ingest::tick_columns& from, std::size_t i) {
    return from.has_volume(i) ? ingest::to_text(from.volume[i]) : std::string();
}

[[nodiscard]] std::string_view metadata_of(const ingest::tick_columns& from, std::size_t i) {
    return from.metadata.ends.empty() ? std::string_view() : from.metadata[i];
}

constexpr std::int16_t binary_fields = 8;

}  // namespace

void tick_output::begin(std::string& out) const {
    switch (form_) {
        case output_form::csv: out += "time,symbol,bid,ask,mid,volume,source,metadata\n"; break;
        case output_form::table:
            out += std::format("{:<27} {:<20} {:>20} {:>20} {:>20} {:>20} {}\n", "time", "symbol",
                               "bid", "ask", "mid", "volume", "source");
            break;
        case output_form::ndjson: break;
        case output_form::binary: {
            ingest::byte_buffer header;
            ingest::begin_copy_stream(header);
            out += header.view();
            break;
        }
    }
}

void tick_output::end(std::string& out) const {
    if (form_ != output_form::binary) return;
    ingest::byte_buffer trailer;
    ingest::end_copy_stream(trailer);
    out += trailer.view();
}

void tick_output::ticks(const ingest::tick_columns& from, std::string& out) {
    for (std::size_t i = 0; i < from.size(); ++i) {
        switch (form_) {
            case output_form::csv: csv(from, i, out); break;
            case output_form::ndjson: ndjson(from, i, out); break;
            case output_form::table: table(from, i, out); break;
            case output_form::binary:
                row_.clear();
                binary(from, i);
                out += row_.view();
                break;
        }
    }
}

void tick_output::csv(const ingest::tick_columns& from, std::size_t i, std::string& out) const {
    out += ingest::to_rfc3339(from.time_us[i]) + ',';
    append_csv(from.symbol[i], out);
    std::format_to(std::back_inserter(out), ",{},{},{},{},", ingest::to_text(from.bid[i]),
                   ingest::to_text(from.ask[i]), ingest::to_text(from.mid[i]),
                   volume_text(from, i));
    append_csv(from.source[i], out);
    out += ',';
    append_csv(metadata_of(from, i), out);
    out += '\n';
}

void tick_output::ndjson(const ingest::tick_columns& from, std::size_t i, std::string& out) const {
    std::format_to(std::back_inserter(out),
                   R"({{"type":"tick","time":"{}","symbol":{},"bid":"{}","ask":"{}","mid":"{}")",
                   ingest::to_rfc3339(from.time_us[i]), json_quoted(from.symbol[i]),
                   ingest::to_text(from.bid[i]), ingest::to_text(from.ask[i]),
                   ingest::to_text(from.mid[i]));
    if (from.has_volume(i)) out += std::format(R"(,"volume":"{}")", volume_text(from, i));
    if (const auto source = from.source[i]; ingest::present(source)) {
        out += std::format(R"(,"source":{})", json_quoted(source));
    }
    if (const auto metadata = metadata_of(from, i); !metadata.empty()) {
        out += std::format(R"(,"metadata":{})", metadata);
    }
    out += "}\n";
}

void tick_output::table(const ingest::tick_columns& from, std::size_t i, std::string& out) const {
    std::format_to(std::back_inserter(out), "{:<27} {:<20} {:>20} {:>20} {:>20} {:>20} {}\n",
                   ingest::to_rfc3339(from.time_us[i]), from.symbol[i],
                   ingest::to_text(from.bid[i]), ingest::to_text(from.ask[i]),
                   ingest::to_text(from.mid[i]), volume_text(from, i), from.source[i]);
}

void tick_output::binary(const ingest::tick_columns& from, std::size_t i) {
    const std::string_view symbol = from.symbol[i], source = from.source[i];
    const std::string_view metadata = metadata_of(from, i);
    const std::size_t fixed = 2 + binary_fields * 4 + 8 + 4 * ingest::numeric_wire_bytes_max + 1;
    ingest::append_copy_row(row_, fixed + symbol.size() + source.size() + metadata.size(),
                            [&](ingest::copy_cursor& to) {
                                to.number(binary_fields);
                                to.timestamptz(from.time_us[i]);
                                to.text(symbol);
                                to.numeric(from.bid[i]);
                                to.numeric(from.ask[i]);
                                to.numeric(from.mid[i]);
                                from.has_volume(i) ? to.numeric(from.volume[i]) : to.null();
                                ingest::present(source) ? to.text(source) : to.null();
                                metadata.empty() ? to.null() : to.jsonb(metadata);
                            });
}

}  // namespace tickd
