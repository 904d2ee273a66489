#include "daemon/verify/row_proving.h"

#include <format>

#include "verify/encoding.h"
#include "verify/rows_check.h"

namespace tickd {

namespace {

// The leaves of the first `size` records: 32 bytes each, of as many as the checkpoint covers.
std::expected<std::vector<verify::digest>, read_error> read_leaves(log_snapshot& snapshot,
                                                                   std::uint64_t size) {
    std::vector<verify::digest> leaves;
    verify::hasher sha;
    const auto done = snapshot.read(
        std::format("SELECT index, record FROM tickd.activity_batch WHERE index < '{}'"
                    " ORDER BY index",
                    size),
        2, [&](const verify::copy_tuple& row) {
            if (!row.fields[1]) return false;
            leaves.push_back(sha.leaf(sha.of(*row.fields[1])));
            return true;
        });
    if (!done) return std::unexpected(done.error());
    return leaves;
}

// The record that claims the id; nothing: none does.
std::expected<std::optional<std::string>, read_error> record_of(log_snapshot& snapshot,
                                                                std::int64_t id) {
    std::optional<std::string> record;
    const auto done =
        snapshot.read(std::format("SELECT record FROM tickd.activity_batch WHERE kind = 'seg'"
                                  " AND int8range(first_id, first_id + row_count) @> '{}'::int8",
                                  id),
                      1, [&](const verify::copy_tuple& row) {
                          record = row.fields[0].value_or("");
                          return true;
                      });
    if (!done) return std::unexpected(done.error());
    return record;
}

// The batch's leaves, and the wanted row's tuple.
std::expected<std::vector<verify::digest>, read_error> read_batch(log_snapshot& snapshot,
                                                                  const verify::log_record& record,
                                                                  std::int64_t id,
                                                                  std::string& tuple) {
    std::vector<verify::digest> leaves;
    verify::hasher sha;
    const auto done = snapshot.read(
        std::format("SELECT {} FROM public.unified_activity_log WHERE id >= '{}' AND id < '{}'"
                    " ORDER BY id",
                    verify::row_columns, record.first_id, record.first_id + record.row_count),
        verify::row_fields, [&](const verify::copy_tuple& row) {
            const auto fields = row.bytes.substr(0, row.starts[verify::row_fields - 1]);
            leaves.push_back(sha.leaf(sha.row(fields)));
            if (verify::int8_of(row.fields[0]) == id) {
                tuple = std::string("\0\x0a", 2).append(fields);
            }
            return true;
        });
    if (!done) return std::unexpected(done.error());
    return leaves;
}

std::expected<std::string, read_error> newest_checkpoint(log_snapshot& snapshot) {
    std::string note;
    const auto done =
        snapshot.read("SELECT note FROM tickd.activity_checkpoint ORDER BY size DESC LIMIT 1", 1,
                      [&](const verify::copy_tuple& row) {
                          note = row.fields[0].value_or("");
                          return true;
                      });
    if (!done) return std::unexpected(done.error());
    if (note.empty()) return std::unexpected("the database has no checkpoint");
    return note;
}

}  // namespace

std::expected<verify::row_proof, read_error> prove_row(
    const pg_target& target, std::int64_t id, const std::optional<std::string>& outside,
    const std::optional<verify::verifier_key>& key) {
    auto snapshot = log_snapshot::open(target);
    if (!snapshot) return std::unexpected(snapshot.error());
    verify::row_proof proof;
    if (outside) {
        proof.checkpoint = *outside;
    } else {
        auto note = newest_checkpoint(*snapshot);
        if (!note) return std::unexpected(note.error());
        proof.checkpoint = std::move(*note);
    }
    const auto note = verify::parse_checkpoint(proof.checkpoint);
    if (!note) return std::unexpected("the checkpoint: " + note.error());
    const auto text = record_of(*snapshot, id);
    if (!text) return std::unexpected(text.error());
    if (!*text) return std::unexpected(std::format("no activity batch has a row {}", id));
    proof.record = **text;
    const auto record = verify::parse_record(proof.record);
    if (!record) return std::unexpected("the row's record: " + record.error());
    if (static_cast<std::uint64_t>(record->index) >= note->head.size) {
        return std::unexpected(std::format(
            "record {} of row {} is newer than the checkpoint of size {}: wait for the next one",
            record->index, id, note->head.size));
    }
    proof.index = record->index;
    proof.position = id - record->first_id;
    const auto log = read_leaves(*snapshot, note->head.size);
    if (!log) return std::unexpected(log.error());
    const auto batch = read_batch(*snapshot, *record, id, proof.row);
    if (!batch) return std::unexpected(batch.error());
    if (proof.row.empty() || log->size() != note->head.size ||
        batch->size() != static_cast<std::size_t>(record->row_count)) {
        return std::unexpected(
            std::format("row {} or another of its batch or its log is not there", id));
    }
    verify::hasher sha;
    proof.log_path = verify::inclusion_path(sha, *log, static_cast<std::size_t>(proof.index));
    proof.batch_path =
        verify::inclusion_path(sha, *batch, static_cast<std::size_t>(proof.position));
    if (key) {
        const auto proven = verify::check_row_proof(proof, *key);
        if (!proven) return std::unexpected("the log does not prove it: " + proven.error());
    }
    return proof;
}

std::expected<consistency, read_error> prove_consistency(const pg_target& target,
                                                         const verify::tree_head& older,
                                                         const verify::tree_head& newer) {
    consistency result;
    if (older.size > newer.size) {
        result.why_not = "the older one is larger";
        return result;
    }
    auto snapshot = log_snapshot::open(target);
    if (!snapshot) return std::unexpected(snapshot.error());
    const auto leaves = read_leaves(*snapshot, newer.size);
    if (!leaves) return std::unexpected(leaves.error());
    if (leaves->size() < newer.size) {
        result.why_not = std::format("the database's log ends at {}", leaves->size());
        return result;
    }
    verify::hasher sha;
    if (older.size != 0) {
        result.path = verify::consistency_path(sha, *leaves, static_cast<std::size_t>(older.size));
    }
    result.holds = verify::continues(sha, older, newer, result.path);
    if (!result.holds) {
        const bool new_fits = verify::tree_root(sha, *leaves) == newer.root;
        result.why_not = new_fits ? "the records up to the older one have another root"
                                  : "the records up to the newer one have another root";
    }
    return result;
}

}  // namespace tickd
