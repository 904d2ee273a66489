#include "verify/log_record.h"

#include <algorithm>

#include "verify/encoding.h"

namespace verify {

namespace {

// Takes the lines of a record one after another; the first that is not as it must be stays known.
class record_reader {
public:
    explicit record_reader(std::string_view text) : rest_(text) {}

    // The rest of the next line, which must begin with this key and a space.
    std::string_view value(std::string_view key) {
        const auto found = optional_value(key);
        if (!found) fail(key);
        return found.value_or(std::string_view{});
    }
    // Nothing, and nothing taken, when the next line has another key.
    std::optional<std::string_view> optional_value(std::string_view key) {
        if (!wrong_.empty() || !next_is(key)) return std::nullopt;
        return take_line(rest_)->substr(key.size() + 1);
    }
    std::int64_t number(std::string_view key) { return number_of(key, value(key)); }
    std::int64_t number_of(std::string_view key, std::string_view text) {
        const auto number = decimal(text);
        if (!number) fail(key);
        return number.value_or(0);
    }
    digest hash(std::string_view key) {
        const auto found = digest_from_hex(value(key));
        if (!found) fail(key);
        return found.value_or(digest{});
    }
    void nonce() {
        const auto bytes = from_hex(value("nonce"));
        if (!bytes || bytes->size() != 16) fail("nonce");
    }
    void fail(std::string_view key) {
        if (wrong_.empty())
            wrong_ = "its line `" + std::string(key) + "` is malformed or not there";
    }
    void end() {
        if (wrong_.empty() && !rest_.empty()) wrong_ = "it has lines too many";
    }
    [[nodiscard]] const std::string& wrong() const noexcept { return wrong_; }
    std::string_view line() {
        const auto found = take_line(rest_);
        if (!found) fail("kind");
        return found.value_or(std::string_view{});
    }

private:
    [[nodiscard]] bool next_is(std::string_view key) const {
        return rest_.size() > key.size() && rest_.starts_with(key) && rest_[key.size()] == ' ' &&
               rest_.find('\n') != std::string_view::npos;
    }

    std::string_view rest_;
    std::string wrong_;
};

struct words {
    std::string_view first, second, third;
    bool exact = false;
};

// `count` words with one space between each, none of them empty.
words split(std::string_view text, std::size_t count) {
    words found;
    std::string_view* const places[] = {&found.first, &found.second, &found.third};
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t space = i + 1 < count ? text.find(' ') : text.size();
        if (space == std::string_view::npos || space == 0) return found;
        *places[i] = text.substr(0, space);
        text.remove_prefix(std::min(space + 1, text.size()));
    }
    found.exact =
        std::ranges::count(found.third, ' ') == 0 && std::ranges::count(found.second, ' ') == 0;
    return found;
}

void read_batch(record_reader& lines, log_record& record) {
    const std::string_view tenant = lines.value("tenant");
    if (tenant != "-") {
        record.tenant = from_uuid_text(tenant);
        if (!record.tenant) lines.fail("tenant");
    }
    record.tenant_sequence = lines.number("tseq");
    record.previous = lines.hash("tprev");
    const words ids = split(lines.value("ids"), 2);
    const auto first = signed_decimal(ids.first);
    if (!ids.exact || !first) lines.fail("ids");
    record.first_id = first.value_or(0);
    record.row_count = lines.number_of("ids", ids.second);
    if (record.row_count < 1 || record.first_id > INT64_MAX - record.row_count) lines.fail("ids");
    record.root = lines.hash("root");
    while (const auto line = lines.optional_value("src")) {
        const words source = split(*line, 3);
        const auto after = decimal(source.second), newest = decimal(source.third);
        if (!source.exact || !after || !newest || *newest < *after) lines.fail("src");
        record.sources.push_back(
            {std::string(source.first), after.value_or(0), newest.value_or(0)});
    }
    const words writer = split(lines.value("writer"), 2);
    record.writer = writer.first;
    record.epoch = lines.number_of("writer", writer.second);
}

record_kind kind_of(std::string_view line) {
    if (line == "ual-seg/v1") return record_kind::batch;
    if (line == "ual-genesis/v1") return record_kind::genesis;
    if (line == "ual-heartbeat/v1") return record_kind::heartbeat;
    if (line == "ual-key/v1") return record_kind::key;
    return record_kind::other;
}

}  // namespace

std::string_view to_string(record_kind kind) noexcept {
    switch (kind) {
        case record_kind::batch: return "seg";
        case record_kind::genesis: return "genesis";
        case record_kind::heartbeat: return "heartbeat";
        case record_kind::key: return "key";
        case record_kind::other: return "other";
    }
    return "";
}

std::expected<log_record, std::string> parse_record(std::string_view text) {
    if (text.size() > record_bytes_max) return std::unexpected("it is too long");
    const bool plain =
        std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
    if (!plain) return std::unexpected("it is not plain ASCII");
    record_reader lines(text);
    log_record record;
    record.kind = kind_of(lines.line());
    record.origin = lines.value("origin");
    record.index = lines.number("index");
    if (record.kind == record_kind::other) {
        if (!lines.wrong().empty()) return std::unexpected(lines.wrong());
        return record;
    }
    switch (record.kind) {
        case record_kind::batch: read_batch(lines, record); break;
        case record_kind::genesis: record.row_format = lines.value("row"); break;
        case record_kind::key:
            record.new_key = lines.value("vkey");
            record.from_index = lines.number("from_index");
            break;
        case record_kind::heartbeat:
        case record_kind::other: break;
    }
    record.time_us = lines.number("time");
    lines.nonce();
    lines.end();
    if (!lines.wrong().empty()) return std::unexpected(lines.wrong());
    return record;
}

}  // namespace verify
