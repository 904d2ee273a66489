// What the compactor does to segments, a transaction each.
//
//   fold         level 0 -> candles and latest prices, and back as level 1 or 2
//   merge_mixed  mixed ones of level 1 -> one symbol each
//   merge_small  the small ones of a symbol's day that no whole one stands between -> fewer
//
// Each takes segments away and puts the same ticks back in others, so whoever reads sees them once,
// before or after. A transaction that fails leaves what was there, so nothing has to be remembered;
// the advisory lock lets one compactor of a database work at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/db/link_cutter.h"
#include "daemon/db/pg_connection.h"
#include "ingest/candle.h"
#include "ingest/segment_decoder.h"
#include "ingest/segment_packer.h"
#include "ingest/tick_columns.h"

namespace tickd {

struct compaction_step {
    std::uint64_t segments_taken = 0, segments_made = 0, ticks = 0;
    std::uint64_t candles = 0;
    bool elsewhere = false;  // another daemon's compactor is at work
};

class compaction {
public:
    using outcome = std::expected<compaction_step, pg_error>;

    explicit compaction(pg_target target);

    [[nodiscard]] bool connected() const noexcept { return connection_.has_value(); }
    [[nodiscard]] std::expected<void, pg_error> connect();

    // All of these end the connection when it is lost. What one takes is bounded: call again while
    // it takes something.
    [[nodiscard]] outcome fold();
    // Mixed segments wait until there are `waiting_min` of them, so that ticks of a quiet symbol
    // are not rewritten with every commit.
    [[nodiscard]] outcome merge_mixed(std::uint32_t waiting_min);
    [[nodiscard]] outcome merge_small();

    // From any thread: what waits for the server fails soon, and so does everything later.
    void give_up() noexcept;

private:
    // Runs `take`, which deletes segments and gives (symbol, tenant_id, data, metadata), and puts
    // their ticks back; fewer than `run_ticks_min` of one symbol in mixed ones.
    [[nodiscard]] outcome rewrite(const std::string& take,
                                  std::initializer_list<pg_parameter> parameters,
                                  std::size_t run_ticks_min, bool count);
    [[nodiscard]] std::expected<void, pg_error> rewrite_within(
        const std::string& take, std::span<const pg_parameter> parameters,
        std::size_t run_ticks_min, bool count, compaction_step& done);
    [[nodiscard]] std::expected<void, pg_error> unpack(const pg_rows& taken);
    [[nodiscard]] std::uint32_t tenant_number(std::optional<ingest::uuid> tenant);
    [[nodiscard]] std::string_view pack(std::size_t run_ticks_min);
    [[nodiscard]] ingest::segment_tick tick_at(std::uint32_t index) const;
    [[nodiscard]] std::expected<void, pg_error> count_candles(compaction_step& done);
    [[nodiscard]] std::expected<pg_rows, pg_error> ask(const std::string& sql,
                                                       std::span<const pg_parameter> parameters,
                                                       answer_form form = answer_form::text);
    [[nodiscard]] pg_error lost(pg_error error);

    pg_target target_;
    std::optional<pg_connection> connection_;
    ingest::segment_decoder decoder_;
    ingest::segment_packer packer_;
    ingest::tick_columns ticks_;
    std::vector<std::uint32_t> tenant_of_;  // each tick's, as an index into tenants_
    std::vector<std::optional<ingest::uuid>> tenants_;
    std::vector<std::uint32_t> order_;  // by tenant, symbol and time
    std::vector<ingest::segment_tick> run_;
    link_cutter cutter_;
};

}  // namespace tickd
