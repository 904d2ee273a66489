#include "ingest/activity_record.h"

#include <algorithm>
#include <charconv>
#include <format>

namespace ingest {

namespace {

// Takes a text apart line by line; once something does not fit, nothing does.
class line_reader {
public:
    explicit line_reader(std::string_view text) noexcept : rest_(text) {}

    // The value of the next line, which must have this key.
    [[nodiscard]] std::string_view value(std::string_view key) {
        const std::size_t end = rest_.find('\n');
        if (!good_ || end == std::string_view::npos || !next_is(key)) {
            good_ = false;
            return {};
        }
        const std::string_view found = rest_.substr(key.size() + 1, end - key.size() - 1);
        rest_.remove_prefix(end + 1);
        return found;
    }
    [[nodiscard]] std::int64_t number(std::string_view key) { return to_number(value(key)); }
    // `text number`
    [[nodiscard]] std::string_view word_and_number(std::string_view key, std::int64_t& number) {
        const std::string_view both = value(key);
        const std::size_t space = both.find(' ');
        if (space == std::string_view::npos) {
            good_ = false;
            return {};
        }
        number = to_number(both.substr(space + 1));
        return both.substr(0, space);
    }
    [[nodiscard]] std::int64_t to_number(std::string_view text) {
        std::int64_t value = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
        good_ = good_ && failed == std::errc() && end == text.data() + text.size() && value >= 0;
        return value;
    }
    [[nodiscard]] std::string hex(std::string_view key, std::size_t digits) {
        const std::string_view text = value(key);
        good_ = good_ && text.size() == digits && std::ranges::all_of(text, [](char c) {
                    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                });
        return std::string(text);
    }
    [[nodiscard]] bool next_is(std::string_view key) const noexcept {
        return good_ && rest_.starts_with(key) && rest_.size() > key.size() &&
               rest_[key.size()] == ' ';
    }
    [[nodiscard]] bool take(std::string_view line) noexcept {
        if (!rest_.starts_with(line)) return false;
        rest_.remove_prefix(line.size());
        return true;
    }
    void fail() noexcept { good_ = false; }
    [[nodiscard]] bool ended_well() const noexcept { return good_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool good_ = true;
};

void read_rows(line_reader& lines, activity_record& record) {
    if (const std::string_view tenant = lines.value("tenant"); tenant != "-") {
        record.tenant = parse_uuid(tenant);
        if (!record.tenant) lines.fail();
    }
    record.tseq = lines.number("tseq");
    record.previous = lines.hex("tprev", 64);
    record.first_id = lines.to_number(lines.word_and_number("ids", record.count));
    record.root = lines.hex("root", 64);
    while (lines.next_is("src")) record.sources += std::format("src {}\n", lines.value("src"));
    record.writer = lines.word_and_number("writer", record.epoch);
}

}  // namespace

std::string to_text(const activity_record& record) {
    std::string text;
    const auto head = [&](std::string_view kind) {
        text = std::format("ual-{}/v1\norigin {}\nindex {}\n", kind, record.origin, record.index);
    };
    switch (record.kind) {
        case record_of::genesis:
            head("genesis");
            text += "row ual-row/v1\n";
            break;
        case record_of::rows:
            head("seg");
            text +=
                std::format("tenant {}\ntseq {}\ntprev {}\nids {} {}\nroot {}\n{}writer {} {}\n",
                            record.tenant ? to_text(*record.tenant) : "-", record.tseq,
                            record.previous, record.first_id, record.count, record.root,
                            record.sources, record.writer, record.epoch);
            break;
        case record_of::heartbeat: head("heartbeat"); break;
        case record_of::key:
            head("key");
            text += std::format("vkey {}\nfrom_index {}\n", record.vkey, record.from_index);
            break;
    }
    return text + std::format("time {}\nnonce {}\n", record.time_us, record.nonce);
}

std::expected<activity_record, std::string> parse_activity_record(std::string_view text) {
    activity_record record;
    line_reader lines(text);
    if (lines.take("ual-seg/v1\n")) {
        record.kind = record_of::rows;
    } else if (lines.take("ual-heartbeat/v1\n")) {
        record.kind = record_of::heartbeat;
    } else if (lines.take("ual-key/v1\n")) {
        record.kind = record_of::key;
    } else if (!lines.take("ual-genesis/v1\n")) {
        return std::unexpected("is of no known kind");
    }
    record.origin = lines.value("origin");
    record.index = lines.number("index");
    if (record.kind == record_of::genesis && lines.value("row") != "ual-row/v1") lines.fail();
    if (record.kind == record_of::rows) read_rows(lines, record);
    if (record.kind == record_of::key) {
        record.vkey = lines.value("vkey");
        record.from_index = lines.number("from_index");
    }
    record.time_us = lines.number("time");
    record.nonce = lines.hex("nonce", 32);
    // Numbers with leading zeros, an upper-case tenant: there is one way to write each.
    if (!lines.ended_well() || to_text(record) != text) {
        return std::unexpected("is not written as its kind is");
    }
    return record;
}

}  // namespace ingest
