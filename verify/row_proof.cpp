#include "verify/row_proof.h"

#include <chrono>
#include <format>

#include "verify/copy_tuples.h"
#include "verify/encoding.h"

namespace verify {

namespace {

constexpr std::string_view proof_tag = "c2sp.org/tlog-proof@v1";
constexpr std::string_view extra_tag = "ual-row-proof/v1";
constexpr std::size_t path_max = 64;

// The value of a line that must begin with this key.
std::optional<std::string_view> value_of(std::string_view& rest, std::string_view key) {
    if (!rest.starts_with(std::string(key) + ' ')) return std::nullopt;
    const auto line = take_line(rest);
    if (!line) return std::nullopt;
    return line->substr(key.size() + 1);
}

bool parse_extra(std::string_view rest, row_proof& proof) {
    if (take_line(rest) != extra_tag) return false;
    const auto row = value_of(rest, "row");
    const auto bytes = row ? from_base64(*row) : std::nullopt;
    const auto position = value_of(rest, "position");
    const auto place = position ? decimal(*position) : std::nullopt;
    if (!bytes || !place) return false;
    proof.row = *bytes;
    proof.position = *place;
    while (const auto line = value_of(rest, "path")) {
        const auto sibling = digest_from_base64(*line);
        if (!sibling || proof.batch_path.size() == path_max) return false;
        proof.batch_path.push_back(*sibling);
    }
    const auto record = value_of(rest, "record");
    const auto text = record ? from_base64(*record) : std::nullopt;
    if (!text || !rest.empty()) return false;
    proof.record = *text;
    return true;
}

std::string time_text(const copy_field& field) {
    const auto us = int8_of(field);
    if (!us) return "NULL";
    using namespace std::chrono;
    constexpr sys_days epoch = 2000y / January / 1;
    // Beyond what the calendar takes, as PostgreSQL's infinity, the number has to do.
    if (*us < -400'000'000'000'000'000 || *us > 400'000'000'000'000'000) return std::to_string(*us);
    return std::format("{:%Y-%m-%dT%H:%M:%S}Z", sys_time<microseconds>(epoch) + microseconds(*us));
}

// The ten fields of a row as words.
std::optional<std::vector<std::string>> words_of(const copy_tuple& row) {
    if (!int8_of(row.fields[0])) return std::nullopt;
    std::vector<std::string> words;
    for (std::size_t i = 0; i < row.fields.size(); ++i) {
        const copy_field& field = row.fields[i];
        if (!field) {
            words.emplace_back("NULL");
        } else if (i == 0) {
            words.push_back(std::to_string(*int8_of(field)));
        } else if (i == 1 || i == 8) {
            words.push_back(time_text(field));
        } else if (i == 4 || i == 7) {
            words.emplace_back(field->substr(std::min<std::size_t>(1, field->size())));
        } else if (i == 5 || i == 6 || i == 9) {
            words.push_back(to_uuid_text(*field));
        } else {
            words.emplace_back(*field);
        }
    }
    return words;
}

}  // namespace

std::string to_text(const row_proof& proof) {
    std::string extra =
        std::format("{}\nrow {}\nposition {}\n", extra_tag, to_base64(proof.row), proof.position);
    for (const digest& each : proof.batch_path) extra += "path " + to_base64(bytes_of(each)) + '\n';
    extra += "record " + to_base64(proof.record) + '\n';
    std::string text =
        std::format("{}\nextra {}\nindex {}\n", proof_tag, to_base64(extra), proof.index);
    for (const digest& each : proof.log_path) text += to_base64(bytes_of(each)) + '\n';
    return text + '\n' + proof.checkpoint;
}

std::expected<row_proof, std::string> parse_row_proof(std::string_view text) {
    if (text.size() > proof_bytes_max) return std::unexpected("the proof is too long");
    std::string_view rest = text;
    row_proof proof;
    if (take_line(rest) != proof_tag) return std::unexpected("it does not begin as a tlog-proof");
    const auto extra = value_of(rest, "extra");
    const auto extra_text = extra ? from_base64(*extra) : std::nullopt;
    if (!extra_text || !parse_extra(*extra_text, proof)) {
        return std::unexpected("its extra data is no row of the activity log");
    }
    const auto index = value_of(rest, "index");
    const auto number = index ? decimal(*index) : std::nullopt;
    if (!number) return std::unexpected("it has no index");
    proof.index = *number;
    for (;;) {
        const auto line = take_line(rest);
        if (!line) return std::unexpected("it ends before its checkpoint");
        if (line->empty()) break;
        const auto sibling = digest_from_base64(*line);
        if (!sibling || proof.log_path.size() == path_max) {
            return std::unexpected("its path is malformed");
        }
        proof.log_path.push_back(*sibling);
    }
    proof.checkpoint = rest;
    return proof;
}

std::expected<proven_row, std::string> check_row_proof(const row_proof& proof,
                                                       const verifier_key& key) {
    hasher sha;
    auto note = parse_checkpoint(proof.checkpoint);
    if (!note) return std::unexpected("the checkpoint: " + note.error());
    switch (check_signature(note->note, key)) {
        case signature_state::good: break;
        case signature_state::bad: return std::unexpected("the signature is not the key's");
        case signature_state::unknown: return std::unexpected("the key has not signed it");
    }
    const digest entry = sha.of(proof.record);
    if (!includes(sha, note->head.root, note->head.size, sha.leaf(entry),
                  static_cast<std::uint64_t>(proof.index), proof.log_path)) {
        return std::unexpected("the record is not at that index of the signed tree");
    }
    auto record = parse_record(proof.record);
    if (!record) return std::unexpected("the record: " + record.error());
    if (record->kind != record_kind::batch || record->index != proof.index ||
        record->origin != note->origin) {
        return std::unexpected("the record is not the batch of that index in that log");
    }
    // A stream of one tuple, for the one reader of tuples that there is.
    copy_reader reader(10);
    const std::string stream = std::string("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19) + proof.row;
    reader.give(stream);
    const copy_tuple* const row = reader.next();
    const auto words =
        row == nullptr || row->bytes.size() + 2 != proof.row.size() ? std::nullopt : words_of(*row);
    if (!words) return std::unexpected("the row is no tuple of ten fields");
    const std::int64_t id = *int8_of(row->fields[0]);
    if (id - record->first_id != proof.position) {
        return std::unexpected("the row's id is not at that position of the batch");
    }
    const digest hash = sha.row(row->bytes);
    if (!includes(sha, record->root, static_cast<std::uint64_t>(record->row_count), sha.leaf(hash),
                  static_cast<std::uint64_t>(proof.position), proof.batch_path)) {
        return std::unexpected("the row is not at that position of the batch's tree");
    }
    return proven_row{.id = id,
                      .hash = hash,
                      .record = std::move(*record),
                      .note = std::move(*note),
                      .fields = *words};
}

}  // namespace verify
