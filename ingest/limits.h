// Every bound of the data path, each with its reason. What can grow has a line here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ingest::limits {

// --- one line -------------------------------------------------------------------------------

// Wire protocol, version 1. Longer lines are skipped to their newline; the session lives.
inline constexpr std::size_t line_bytes_default = std::size_t{1024} * 1024;
// A larger setting would let one session hold most of a block pool.
inline constexpr std::size_t line_bytes_ceiling = std::size_t{16} * 1024 * 1024;
// What is kept of a line that was too long to hold.
inline constexpr std::size_t too_long_kept_bytes = 4096;
// A hello is small; the door waits for no more than this before it treats a session as plain.
inline constexpr std::size_t hello_bytes_max = 4096;

// --- one record -----------------------------------------------------------------------------

// VARCHAR(n) of PostgreSQL counts characters (code points), not bytes.
inline constexpr std::size_t symbol_chars_max = 20;
inline constexpr std::size_t source_chars_max = 50;
inline constexpr std::size_t agent_id_chars_max = 100;
inline constexpr std::size_t action_type_chars_max = 50;
inline constexpr std::size_t producer_chars_max = 100;

// The server's own limit is its stack; 128 is deeper than any feed seen and safe for ours.
inline constexpr std::uint32_t json_depth_max = 128;
// `1e131071` is 8 bytes that jsonb stores as 131 KB: both the digits and the exponent are capped.
inline constexpr std::size_t json_number_digits_max = 400;
inline constexpr std::int64_t json_number_exponent_max = 400;
// Spaces after ':' and ',' and expanded exponents make the normal form longer than the line.
// Four times the default line; past that the record is refused, so a 1 MiB line of 1e400s
// cannot become 80 MB.
inline constexpr std::size_t normal_form_bytes_max = 4 * line_bytes_default;
// Members of one object are sorted: this bounds that work and its memory.
inline constexpr std::size_t object_members_max = 65536;

// --- blocks, rings, batches -----------------------------------------------------------------

// A block is sealed at either bound. 2,048 rows of about 150 bytes fill 300 KiB: small enough to
// stay in a core's cache while it is sorted, large enough that ring traffic costs nothing.
inline constexpr std::uint32_t block_rows_max = 2048;
inline constexpr std::size_t block_bytes_soft_max = std::size_t{512} * 1024;
// A block that one huge record blew up gives the memory back when it is reset.
inline constexpr std::size_t block_bytes_keep = std::size_t{1024} * 1024;
// Distinct sessions in one block; a further one seals it.
inline constexpr std::uint32_t block_origins_max = 256;
// The pool of one lane: the batch in COPY (64), the batch being prepared (64), and half as many in
// the rings, so that sessions go on while the next batch begins: 160 blocks of up to 800 KiB.
inline constexpr std::uint32_t batch_blocks_max = 64;
inline constexpr std::uint32_t blocks_per_lane = 5 * batch_blocks_max / 2;
// What one transaction carries: the gain from larger batches ends at about 200,000 rows.
inline constexpr std::uint32_t batch_rows_max = batch_blocks_max * block_rows_max;
inline constexpr std::size_t batch_bytes_max = std::size_t{32} * 1024 * 1024;
// A full batch takes 20 ms to prepare. The kernel holds what a server takes in 2 ms, so between two
// looks at its socket no more is done than some 0.4 ms' worth.
inline constexpr std::size_t prepare_step_ticks = 2048;
// What the kernel holds for a server at the same host. Its default of 208 KiB is 2 ms of a COPY,
// and a writer is woken when a quarter of that is left: the server waited for 9 % of the time.
inline constexpr int database_send_buffer_bytes = 1024 * 1024;
// What is allocated in one piece of this size goes back to the system when it is freed. A block's
// two buffers are larger, and so is what grows by doubling. glibc left alone raises the bound to
// the largest piece that was freed: 237 MiB at full rate in place of 161.
inline constexpr int mapped_bytes_min = 256 * 1024;

// --- segments -------------------------------------------------------------------------------

// A page of 8,192 bytes takes a row of at most 8,160, and the row's other columns take up to 400:
// seven numerics of 15 bytes, sums of 19 and 27, a symbol of 80, times, counts, tenant, headers.
// Inline in its page a segment is read two to three times as fast as out of line.
inline constexpr std::size_t segment_bytes_max = 7680;
// Bounds what one decodes for a single tick, and the sums: 4,096 volumes below 10^30 are below
// 10^34, which 128 bits hold. At a page a segment it is reached only below two bytes a tick.
inline constexpr std::uint32_t segment_ticks_max = 4096;
// Metadata lie out of line and are read on demand; a single text may be longer than this.
inline constexpr std::size_t segment_metadata_bytes_max = std::size_t{1024} * 1024;
// What one symbol must have in a batch for a segment of its own: below it, the row's other columns
// weigh more than its ticks.
inline constexpr std::size_t segment_run_ticks_min = 64;
// Ticks of one symbol that are gathered before they are packed: ten whole segments, 1 MiB of them.
inline constexpr std::size_t segment_run_ticks_max = 8192;

// --- spool ----------------------------------------------------------------------------------

// What is read back for one transaction, so that replaying costs the same memory whatever is on
// disk: some 24 full blocks of 768 KiB, twice, while one such batch is committed and the next is
// read. Small blocks, as a quiet feed leaves them, go by the hundred.
inline constexpr std::size_t replay_bytes_max = std::size_t{12} * 1024 * 1024;
inline constexpr std::uint32_t replay_blocks_max = 256;

// --- the daemon -----------------------------------------------------------------------------

inline constexpr std::uint32_t lanes_max = 64;
inline constexpr std::uint32_t listeners_max = 16;
inline constexpr std::uint32_t sessions_default = 1024;
// Rejects that a session has not read yet; then it is told so and closed.
inline constexpr std::size_t reply_bytes_max = std::size_t{1024} * 1024;
// Producers with metrics of their own; the rest share one label. A label value costs memory here
// and a series in whatever scrapes it.
inline constexpr std::size_t producer_labels_max = 1000;
// One read. Larger reads gain nothing on loopback and cost memory per session.
inline constexpr std::size_t read_bytes = std::size_t{128} * 1024;

// The operator's HTTP server. A request is a line and some headers; of those who look, a scraper
// and a few people are expected, and who keeps a connection open without asking holds one for 10 s.
inline constexpr std::size_t admin_request_bytes_max = 8192;
inline constexpr std::size_t admin_connections_max = 32;
// Of them, those that may be streams of events: a few people who look, and 24 places stay for
// whoever asks once. Each costs a write of some 10 KB a second.
inline constexpr std::size_t admin_streams_max = 8;
// What the kernel holds for a stream whose reader does not read: some ten events. A reader that is
// further behind is closed.
inline constexpr int admin_stream_buffer_bytes = 64 * 1024;
// Rows that a person can take in; the rest are summed up. Metrics have them all.
inline constexpr std::size_t status_producers_max = 50;
// Seconds of throughput that the status page shows: five minutes.
inline constexpr std::size_t status_seconds_max = 300;
// Candles are asked for by a person who waits: a few pages' worth of questions, one at a time.
inline constexpr std::size_t candle_questions_max = 8;
inline constexpr std::uint32_t candles_max = 240;
inline constexpr std::size_t candle_symbols_max = 50;

// --- replay of dead letters -----------------------------------------------------------------

// What is read and committed at a time. The lines are far fewer than a batch's blocks hold.
inline constexpr std::uint32_t letters_rows_max = 2000;
inline constexpr std::size_t letters_bytes_max = std::size_t{8} * 1024 * 1024;

static_assert(block_rows_max <= 65536, "row indices within a block are 16 bits");
static_assert(line_bytes_default <= line_bytes_ceiling);

}  // namespace ingest::limits
