// A lane's database over libpq.
//
// A batch is one simple query of several statements, so it costs no round trips of its own:
//
//     BEGIN; COPY ticks; COPY segments; COPY events; COPY dead letters;
//     SELECT tickd.append_activity_batches(..); SELECT tickd.settle_batch(..); COMMIT
//
// The server asks for each COPY's data in turn; with the last stream's end COMMIT has left us, and
// from then on a broken connection means doubt. Sending is non-blocking, and while the socket is
// full or the server works, `meanwhile` runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/db/link_cutter.h"
#include "daemon/db/pg_connection.h"
#include "ingest/activity_hash.h"
#include "ingest/lane_database.h"

namespace tickd {

struct pg_lane_settings {
    pg_target target;  // its stall_limit bounds every wait for the server
    std::uint32_t lane = 0;
    std::string holder;  // host and process, for people who look into tickd.lane
    bool write_segments = true;
    // More of a batch's transaction, run after its rows are in. Given by a replay, whose dead
    // letters exist: the batch's own are not written then.
    std::function<std::string(const ingest::batch&)> within;
};

class pg_lane_database final : public ingest::lane_database {
public:
    explicit pg_lane_database(pg_lane_settings settings);
    ~pg_lane_database() override;
    pg_lane_database(const pg_lane_database&) = delete;
    pg_lane_database& operator=(const pg_lane_database&) = delete;

    [[nodiscard]] std::expected<std::int64_t, ingest::database_error> take_lane() override;
    [[nodiscard]] ingest::commit_result commit(ingest::batch& rows, ingest::batch_name name,
                                               const std::optional<ingest::spool_mark>& from_spool,
                                               const std::function<bool()>& meanwhile) override;
    [[nodiscard]] std::expected<std::int64_t, ingest::database_error> spool_committed(
        const ingest::uuid& spool) override;
    [[nodiscard]] std::expected<void, ingest::database_error> pass_spool(
        const ingest::uuid& spool, std::int64_t last) override;
    [[nodiscard]] std::expected<bool, ingest::database_error> was_committed(
        ingest::batch_name name) override;
    [[nodiscard]] std::expected<std::vector<ingest::refused_place>, ingest::database_error>
    find_refused(ingest::batch& rows) override;
    [[nodiscard]] std::expected<std::uint64_t, ingest::database_error> watermark(
        const std::string& producer) override;
    [[nodiscard]] bool alive() noexcept override;
    void disconnect() noexcept override;
    void give_up() noexcept override;

    // Any thread: connections from the next one on take the password from there.
    void set_password_file(const std::string& path);

private:
    struct transaction_outcome {
        bool committed = false;
        bool link_lost = false;
        bool in_doubt = false;  // link_lost after COMMIT had left
        ingest::database_error error;
    };
    [[nodiscard]] transaction_outcome run(const std::string& sql,
                                          std::span<const std::string_view> streams,
                                          const std::function<bool()>& meanwhile);
    [[nodiscard]] bool send_stream(std::string_view stream, const std::function<bool()>& meanwhile);
    [[nodiscard]] bool await_result(const std::function<bool()>& meanwhile);
    [[nodiscard]] bool await_socket(bool also_writable, const std::function<bool()>& meanwhile);
    [[nodiscard]] ingest::database_error broken(std::string_view what) const;
    [[nodiscard]] bool roll_back();
    [[nodiscard]] std::expected<void, ingest::database_error> prune_ledger();
    [[nodiscard]] std::expected<std::int64_t, ingest::database_error> reserve_ids(
        std::size_t count);
    [[nodiscard]] std::string settle_call(const ingest::batch& rows, ingest::batch_name name) const;

    void hear_unreplicated() noexcept;

    enum class stream_kind : std::uint8_t { ticks, events };
    // Where the server refuses a row within [begin, end), if it does.
    [[nodiscard]] std::expected<void, ingest::database_error> search(
        ingest::batch& rows, stream_kind kind, std::size_t begin, std::size_t end,
        std::vector<ingest::refused_place>& found);

    pg_lane_settings settings_;
    std::optional<pg_connection> connection_;
    std::int64_t epoch_ = 0;  // of this holder; 0: never held
    ingest::activity_hasher hasher_;
    std::int64_t next_id_ = 0;  // ids reserved and not yet used: [next_id_, ids_end_)
    std::int64_t ids_end_ = 0;
    std::int64_t prune_at_us_ = 0;  // monotonic
    ingest::byte_buffer trial_;
    std::string unreplicated_;  // the server's words when it did not wait for its standby

    link_cutter cutter_;
    std::mutex password_mutex_;
    std::optional<std::string> new_password_file_;  // taken at the next connection
};

}  // namespace tickd
