#include "daemon/verify/activity_verification.h"

#include <algorithm>
#include <format>
#include <limits>

#include "daemon/verify/row_reading.h"

namespace tickd {

namespace {

constexpr std::int64_t first_of_all = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t last_of_all = std::numeric_limits<std::int64_t>::max();

// Sizes at which the tree is compared with a checkpoint.
std::expected<std::vector<std::uint64_t>, read_error> watched_sizes(
    log_snapshot& snapshot, const verification_request& request) {
    std::vector<std::uint64_t> sizes;
    sizes.reserve(request.outside.size());
    for (const named_checkpoint& each : request.outside) sizes.push_back(each.note.head.size);
    const auto done = snapshot.read(
        "SELECT size, note FROM tickd.activity_checkpoint", 2, [&](const verify::copy_tuple& row) {
            if (const auto size = verify::int8_of(row.fields[0]); size && *size >= 0) {
                sizes.push_back(static_cast<std::uint64_t>(*size));
            }
            // Its own size too, so that a note under another size is still compared.
            if (const auto note = verify::parse_checkpoint(row.fields[1].value_or(""))) {
                sizes.push_back(note->head.size);
            }
            return true;
        });
    if (!done) return std::unexpected(done.error());
    std::ranges::sort(sizes);
    const auto doubled = std::ranges::unique(sizes);
    sizes.erase(doubled.begin(), doubled.end());
    return sizes;
}

std::expected<void, read_error> read_records(log_snapshot& snapshot, verify::log_check& log) {
    const auto read = [&](std::string_view columns, const char* from, std::size_t count,
                          const log_snapshot::row_function& take) {
        return snapshot.read(std::format("SELECT {} FROM {}", columns, from), count, take);
    };
    auto done = read(verify::record_columns, "tickd.activity_batch ORDER BY index",
                     verify::record_fields, [&](const auto& row) { return log.take(row); });
    if (!done) return done;
    done = read(verify::head_columns, "tickd.activity_head", verify::head_fields,
                [&](const auto& row) { return log.take_head(row); });
    if (!done) return done;
    done = read(verify::tenant_head_columns, "tickd.activity_tenant_head ORDER BY tenant_key",
                verify::tenant_head_fields,
                [&](const auto& row) { return log.take_tenant_head(row); });
    if (done) log.finish();
    return done;
}

// Which batches, and which ids around them, the request asks for.
row_reading chosen_rows(const verification_request& request, const verify::log_check& log,
                        std::vector<verify::batch_rows>& of_tenant) {
    row_reading reading{.batches = log.batches(),
                        .tenants = log.tenants(),
                        .first_id = first_of_all,
                        .last_id = last_of_all,
                        .tenant = request.tenant,
                        .jobs = request.jobs};
    if (request.tenant) {
        std::ranges::copy_if(log.batches(), std::back_inserter(of_tenant), [&](const auto& batch) {
            return log.tenants()[batch.tenant] == *request.tenant;
        });
        reading.batches = of_tenant;
    }
    if (request.since_record != 0) {
        // From the lowest id that a newer record claims: batches of other lanes between are read
        // again.
        const auto since = static_cast<std::int64_t>(request.since_record);
        const auto first = std::ranges::find_if(
            reading.batches, [&](const auto& batch) { return batch.record >= since; });
        const auto skipped = static_cast<std::size_t>(first - reading.batches.begin());
        reading.first_id = first != reading.batches.end() ? first->first_id
                           : reading.batches.empty()      ? first_of_all
                                                          : reading.batches.back().end_id;
        reading.batches = reading.batches.subspan(skipped);
    }
    if (request.ids) {
        const auto [from, to] = *request.ids;
        const auto first = std::ranges::find_if(
            reading.batches, [&](const auto& batch) { return batch.end_id > from; });
        const auto end = std::find_if(first, reading.batches.end(),
                                      [&](const auto& batch) { return batch.first_id > to; });
        reading.batches = {first, end};
        reading.first_id = std::max(reading.first_id, from);
        reading.last_id = to;
        if (!reading.batches.empty()) {
            reading.first_id = std::min(from, reading.batches.front().first_id);
            reading.last_id = std::max(to, reading.batches.back().end_id - 1);
        }
    }
    return reading;
}

void fill_levels(verification_report& report, const verification_request& request,
                 const verify::log_check& log, const verify::checkpoint_check& checkpoints) {
    auto& levels = report.levels;
    const auto asked = [&](std::size_t level, std::uint64_t checked) {
        levels[level].checked = checked;
        levels[level].findings = report.found.count(level);
        levels[level].state =
            levels[level].findings == 0 ? verify::level_state::passed : verify::level_state::failed;
    };
    asked(0, report.rows);
    asked(1, report.batches);
    asked(2, log.records());
    asked(3, checkpoints.roots() + 1);
    if (!request.whole()) {
        levels[0].note = levels[1].note = "only the rows asked for";
        levels[2].note = "records all, rows only those asked for";
    }
    if (request.key) {
        asked(4, checkpoints.signatures());
        if (checkpoints.not_judged() != 0) {
            levels[4].note =
                std::format("{} checkpoints of earlier keys not judged", checkpoints.not_judged());
        }
    } else {
        levels[4].note = "no key was given: pin one with --key";
    }
    if (!request.outside.empty()) {
        asked(5, checkpoints.outside());
    } else {
        levels[5].note = "no checkpoint from outside was given: a rewritten log would not show";
    }
    if (request.age_max_us) {
        asked(6, 1);
    } else {
        levels[6].note = "no --max-age was given";
    }
}

}  // namespace

std::expected<verification_report, read_error> verify_activity(
    const verification_request& request, const verification_progress& progress) {
    auto snapshot = log_snapshot::open(request.target);
    if (!snapshot) return std::unexpected(snapshot.error());
    auto sizes = watched_sizes(*snapshot, request);
    if (!sizes) return std::unexpected(sizes.error());
    verify::log_check log(std::move(*sizes));
    if (const auto done = read_records(*snapshot, log); !done) return std::unexpected(done.error());
    if (log.records() == 0) return std::unexpected("the log has no records: nothing can be judged");

    verify::checkpoint_check checkpoints(log, request.key);
    for (const named_checkpoint& each : request.outside) {
        checkpoints.take_outside(each.name, each.note);
    }
    const auto read =
        snapshot->read("SELECT size, note FROM tickd.activity_checkpoint ORDER BY size", 2,
                       [&](const verify::copy_tuple& row) {
                           const auto size = verify::int8_of(row.fields[0]);
                           if (!size || !row.fields[1]) return false;
                           checkpoints.take_stored(*size, *row.fields[1]);
                           return true;
                       });
    if (!read) return std::unexpected(read.error());
    checkpoints.finish(request.now_us, request.age_max_us);

    verification_report report;
    std::vector<verify::batch_rows> of_tenant;
    const row_reading reading = chosen_rows(request, log, of_tenant);
    std::uint64_t total = 0;
    for (const auto& batch : reading.batches) {
        total += static_cast<std::uint64_t>(batch.end_id - batch.first_id);
    }
    auto rows = judge_rows(reading, *snapshot, request.target,
                           [&](std::uint64_t done) { progress(done, total); });
    if (!rows) return std::unexpected(rows.error());

    report.rows = rows->rows;
    report.batches = reading.batches.size();
    report.found = std::move(rows->found);
    report.found.add(std::move(log.found()));
    report.found.add(std::move(checkpoints.found()));
    report.found.sort();
    report.origin = log.origin();
    report.head = log.head();
    report.covered = checkpoints.covered();
    fill_levels(report, request, log, checkpoints);
    // A key that nothing is signed with shows nothing: it may be another log's. Where tampering is
    // proven anyway, that is the answer.
    if (request.key && !report.covered && checkpoints.not_judged() == 0 &&
        report.found.count() == report.found.count(4)) {
        return std::unexpected(
            "no checkpoint is signed by the key: there is none, or the key is another's");
    }
    return report;
}

}  // namespace tickd
