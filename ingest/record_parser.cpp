#include "ingest/record_parser.h"

#include <simdjson.h>

#include <algorithm>
#include <memory>
#include <new>

#include "ingest/json_normal_form.h"
#include "ingest/record_fields.h"
#include "ingest/top_level_scan.h"
#include "ingest/usual_tick.h"

namespace ingest {

static_assert(line_padding_bytes >= simdjson::SIMDJSON_PADDING);

namespace {

namespace ondemand = simdjson::ondemand;

constexpr refusal not_json{verdict::not_json, {}};

}  // namespace

struct record_parser::state {
    explicit state(std::size_t bytes_max) : line_bytes_max(bytes_max), parser(bytes_max) {}

    [[nodiscard]] refusal read(std::string_view line, const record_rules& rules,
                               optional_text session_source, std::int64_t now_us, record& out);
    [[nodiscard]] verdict read_fields(ondemand::document& document, ondemand::object object,
                                      record_fields& fields);
    [[nodiscard]] std::string_view keep_apart(std::string_view line);
    [[nodiscard]] verdict check_whole(std::string_view line, const record_rules& rules,
                                      verdict when_json);

    std::size_t line_bytes_max;
    ondemand::parser parser;
    record_memory memory;
    json_normalizer whole_line;
    byte_buffer apart;  // a line that had to be copied
};

refusal record_parser::state::read(std::string_view line, const record_rules& rules,
                                   optional_text session_source, std::int64_t now_us, record& out) {
    if (line.empty()) return not_json;
    if (line.size() > line_bytes_max) return {verdict::line_too_long, {}};
    memory.clear();
    if (read_usual_tick(line, rules, session_source, now_us, memory, out)) return {};
    std::construct_at(&out);
    // simdjson takes a brace behind the document for a reason to look at it more closely, so the
    // verdict on a line that is not JSON could depend on it. No line of a frame_buffer has one.
    if (line.data()[line.size()] == '}') line = keep_apart(line);
    ondemand::document document;
    simdjson::error_code error =
        parser.iterate(line.data(), line.size(), line.size() + line_padding_bytes).get(document);
    if (error != simdjson::SUCCESS) return {verdict_of(error), {}};
    ondemand::object object;
    error = document.get_object().get(object);
    if (error == simdjson::INCORRECT_TYPE) {
        return {check_whole(line, rules, verdict::not_object), {}};
    }
    if (error != simdjson::SUCCESS) return {verdict_of(error), {}};

    memory.clear();
    record_fields fields(rules, now_us, memory, out);
    const verdict read = read_fields(document, object, fields);
    if (read == verdict::unknown_type) {
        const verdict why = check_whole(line, rules, read);
        return why == read ? refusal{read, fields.culprit()} : refusal{why, {}};
    }
    if (read != verdict::accepted) return {read, fields.culprit()};
    if (!document.at_end()) return not_json;
    const verdict finished = fields.finish(session_source);
    if (finished != verdict::accepted) return {finished, fields.culprit()};
    return {};
}

// The usual record names its type first, and is walked once. Any other is walked twice, the first
// time for its kind alone.
verdict record_parser::state::read_fields(ondemand::document& document, ondemand::object object,
                                          record_fields& fields) {
    const verdict read = fields.add_all(object);
    if (read != verdict::accepted || fields.kind_known()) return read;
    document.rewind();
    simdjson::error_code error = document.get_object().get(object);
    if (error != simdjson::SUCCESS) return verdict_of(error);
    const verdict found = fields.find_kind(object);
    if (found != verdict::accepted) return found;
    document.rewind();
    error = document.get_object().get(object);
    if (error != simdjson::SUCCESS) return verdict_of(error);
    return fields.add_all(object);
}

std::string_view record_parser::state::keep_apart(std::string_view line) {
    apart.clear_above(limits::block_bytes_keep);
    char* const copy = apart.extend(line.size() + line_padding_bytes);
    std::ranges::copy(line, copy);
    std::fill_n(copy + line.size(), line_padding_bytes, '\n');
    return {copy, line.size()};
}

// For a line whose fields cannot be read for want of a kind: what is wrong with it as JSON, and
// `when_json` if nothing is.
verdict record_parser::state::check_whole(std::string_view line, const record_rules& rules,
                                          verdict when_json) {
    memory.clear();
    const verdict read = whole_line.normalize(line, rules.depth_max, memory.ignored);
    return read == verdict::accepted ? when_json : read;
}

record_parser::record_parser(std::size_t line_bytes_max)
    : state_(std::make_unique<state>(line_bytes_max)) {
    if (state_->parser.allocate(line_bytes_max) != simdjson::SUCCESS) throw std::bad_alloc();
}
record_parser::~record_parser() = default;
record_parser::record_parser(record_parser&&) noexcept = default;
record_parser& record_parser::operator=(record_parser&&) noexcept = default;

refusal record_parser::parse(std::string_view line, const record_rules& rules,
                             optional_text session_source, std::int64_t now_us, record& out) {
    std::construct_at(&out);  // in place: a copy of a fresh one costs 10 ns more
    const refusal result = state_->read(line, rules, session_source, now_us, out);
    // The walk ended at what is wrong, which may have been before `seq`.
    if (!result.accepted() && out.seq == 0) out.seq = salvage_seq(line);
    return result;
}

}  // namespace ingest
