// The fields of one record, read in the order in which they come: each is checked, turned into its
// column's type and put into the record. Included only where simdjson is.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "ingest/byte_buffer.h"
#include "ingest/field_key.h"
#include "ingest/field_values.h"
#include "ingest/json_walk.h"
#include "ingest/record.h"
#include "ingest/verdict.h"

namespace ingest {

// What a record's JSON values are written to. Kept from one record to the next.
struct record_memory {
    json_scratch scratch;  // of metadata and action_payload
    byte_buffer metadata, payload;
    json_scratch ignored_scratch;  // of fields that are checked and dropped
    byte_buffer ignored;

    void clear() noexcept;
};

// Reads one record. Made anew for each line.
class record_fields {
public:
    // `out` is a fresh record. All references must outlive this object; texts of `out` point into
    // the line, `memory` and simdjson's parser.
    record_fields(const record_rules& rules, std::int64_t now_us, record_memory& memory,
                  record& out) noexcept
        : rules_(rules), now_us_(now_us), memory_(memory), out_(out) {}

    // Takes in every field of `line`, if the record's kind is known: from find_kind, or because the
    // first field is `type`. If it is not, nothing is taken in and kind_known() stays false.
    [[nodiscard]] verdict add_all(simdjson::ondemand::object line);

    // Looks for the kind in a line that add_all can do nothing with; all that is not needed for it
    // is passed over unchecked. The line is to be rewound before and after.
    // Verdicts: unknown_type when nothing tells, also for a line that may not be JSON.
    [[nodiscard]] verdict find_kind(simdjson::ondemand::object line);

    [[nodiscard]] bool kind_known() const noexcept { return kind_known_; }

    // After the last field and the line's end: what is missing, and what follows from the rest.
    [[nodiscard]] verdict finish(optional_text session_source);

    // What the last refusal was about; static storage, empty for the line as a whole.
    [[nodiscard]] std::string_view culprit() const noexcept { return culprit_; }

private:
    [[nodiscard]] verdict read_type(simdjson::ondemand::value& value);
    [[nodiscard]] verdict add(simdjson::ondemand::field& field);
    [[nodiscard]] verdict add_known(field_key key, simdjson::ondemand::value& value);
    [[nodiscard]] verdict add_unknown(std::string_view name, field_key key,
                                      simdjson::ondemand::value& value);
    [[nodiscard]] verdict convert(field_key key, token_kind kind, std::string_view raw,
                                  simdjson::ondemand::value& value);
    [[nodiscard]] verdict add_time(token_kind kind, std::string_view raw,
                                   simdjson::ondemand::value& value);
    [[nodiscard]] verdict add_volume(token_kind kind, std::string_view raw,
                                     simdjson::ondemand::value& value);
    [[nodiscard]] verdict add_tenant(token_kind kind, std::string_view raw,
                                     simdjson::ondemand::value& value);
    [[nodiscard]] verdict add_metadata(token_kind kind, std::string_view raw,
                                       simdjson::ondemand::value& value);
    [[nodiscard]] verdict add_payload(token_kind kind, simdjson::ondemand::value& value);
    [[nodiscard]] object_writer& metadata_writer();
    [[nodiscard]] verdict finish_tick(optional_text session_source);
    [[nodiscard]] verdict finish_activity();
    // Gives `reason` back, and remembers what it is about.
    [[nodiscard]] verdict refuse(verdict reason, field_key about) noexcept;

    const record_rules& rules_;
    const std::int64_t now_us_;
    record_memory& memory_;
    record& out_;
    std::string_view culprit_;
    bool kind_known_ = false;
    field_set named_;    // keys that occurred
    field_set present_;  // keys whose value is not null
    std::optional<object_writer> metadata_writer_;
    std::optional<object_writer> ignored_writer_;
};

}  // namespace ingest
