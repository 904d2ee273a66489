#include "daemon/verify/row_reading.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <format>
#include <mutex>
#include <thread>
#include <vector>

#include "verify/encoding.h"

namespace tickd {

namespace {

// Enough rows to make a query worth its start, few enough that threads end at about the same time.
constexpr std::int64_t rows_of_a_piece = 100'000;
// Rows judged between two looks at the shared counter.
constexpr std::uint64_t rows_between_reports = 4'096;

struct piece {
    std::span<const verify::batch_rows> batches;
    std::int64_t first_id, last_id;
};

std::vector<piece> cut(const row_reading& reading) {
    std::vector<piece> pieces;
    std::size_t begin = 0;
    std::int64_t rows = 0, first_id = reading.first_id;
    for (std::size_t i = 0; i < reading.batches.size(); ++i) {
        rows += reading.batches[i].end_id - reading.batches[i].first_id;
        if (rows < rows_of_a_piece || i + 1 == reading.batches.size()) continue;
        const std::int64_t next = reading.batches[i + 1].first_id;
        pieces.push_back({reading.batches.subspan(begin, i + 1 - begin), first_id, next - 1});
        begin = i + 1;
        first_id = next;
        rows = 0;
    }
    pieces.push_back({reading.batches.subspan(begin), first_id, reading.last_id});
    return pieces;
}

std::string query_of(const piece& rows, const std::optional<std::string>& tenant) {
    std::string query =
        std::format("SELECT {} FROM public.unified_activity_log WHERE id >= '{}' AND id <= '{}'",
                    verify::row_columns, rows.first_id, rows.last_id);
    if (tenant) {
        query += tenant->empty()
                     ? std::string(" AND tenant_id IS NULL")
                     : std::format(" AND tenant_id = '{}'", verify::to_uuid_text(*tenant));
    }
    return query + " ORDER BY id";
}

// What the threads share.
class reading_crew {
public:
    reading_crew(const row_reading& reading, const pg_target& target)
        : reading_(reading), target_(target), pieces_(cut(reading)) {}

    std::expected<rows_judged, read_error> run(const log_snapshot& snapshot,
                                               const std::function<void(std::uint64_t)>& progress) {
        const std::size_t count = std::clamp<std::size_t>(reading_.jobs, 1, pieces_.size());
        std::vector<std::jthread> threads;
        threads.reserve(count);
        working_ = count;
        for (std::size_t i = 0; i < count; ++i) {
            threads.emplace_back([this, &snapshot] { work(snapshot); });
        }
        std::unique_lock lock(mutex_);
        while (working_ != 0) {
            one_ended_.wait_for(lock, std::chrono::milliseconds(100));
            lock.unlock();
            progress(rows_.load(std::memory_order_relaxed));
            lock.lock();
        }
        lock.unlock();
        threads.clear();
        if (failure_) return std::unexpected(*failure_);
        result_.rows = rows_;
        return std::move(result_);
    }

private:
    void work(const log_snapshot& snapshot) {
        auto connection = snapshot.open_again(target_);
        if (!connection) {
            fail(connection.error());
        } else {
            for (std::size_t i = next_++; i < pieces_.size() && !stop_; i = next_++) {
                judge(*connection, pieces_[i]);
            }
        }
        const std::lock_guard lock(mutex_);
        --working_;
        one_ended_.notify_one();
    }

    void judge(log_snapshot& connection, const piece& rows) {
        verify::rows_check check(rows.batches, reading_.tenants);
        std::uint64_t reported = 0;
        const auto done = connection.read(query_of(rows, reading_.tenant), verify::row_fields,
                                          [&](const verify::copy_tuple& row) {
                                              if (check.rows() - reported >= rows_between_reports) {
                                                  rows_ += check.rows() - reported;
                                                  reported = check.rows();
                                                  if (stop_) return false;
                                              }
                                              return check.take(row);
                                          });
        rows_ += check.rows() - reported;
        if (!done) {
            fail(done.error());
            return;
        }
        check.finish();
        const std::lock_guard lock(mutex_);
        result_.found.add(std::move(check.found()));
    }

    void fail(const read_error& why) {
        stop_ = true;
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = why;
    }

    const row_reading& reading_;
    const pg_target& target_;
    const std::vector<piece> pieces_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::uint64_t> rows_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::condition_variable one_ended_;
    std::size_t working_ = 0;
    std::optional<read_error> failure_;
    rows_judged result_;
};

}  // namespace

std::expected<rows_judged, read_error> judge_rows(
    const row_reading& reading, const log_snapshot& snapshot, const pg_target& target,
    const std::function<void(std::uint64_t rows)>& progress) {
    return reading_crew(reading, target).run(snapshot, progress);
}

}  // namespace tickd
