#include "daemon/serve/lane_counting.h"

namespace tickd {

void copy_counts(const ingest::lane_writer& writer, lane_counters& to) {
    const auto set = [](counter& each, std::uint64_t value) {
        each.store(value, std::memory_order_relaxed);
    };
    const ingest::lane_writer_counts& counts = writer.counts();
    set(to.batches_committed, counts.batches);
    set(to.ticks_committed, counts.ticks);
    set(to.events_committed, counts.events);
    set(to.dead_letters_committed, counts.dead_letters);
    set(to.connects, counts.connects);
    set(to.failures, counts.failures);
    set(to.in_doubt, counts.in_doubt);
    set(to.in_doubt_committed, counts.in_doubt_committed);
    const ingest::lane_spool_counts& spool = writer.spool_counts();
    set(to.spooled_blocks, spool.blocks);
    set(to.spooled_records, spool.records);
    set(to.spooled_bytes, spool.bytes);
    set(to.spool_records_left, spool.left);
    set(to.spool_records_passed, spool.passed);
    set(to.spool_records_held, writer.rows_held_twice());
    to.connected.store(writer.connected());
}

void count_home(const ingest::block& done, lane_counters& to) {
    std::uint64_t rows = 0, left_out = 0;
    for (const ingest::origin& from : done.origins()) {
        rows += from.accepted + from.dead_lettered;
        if (from.lost) left_out += from.accepted + from.dead_lettered;
    }
    add(to.records_left_out, left_out);
    add(to.records_returned, rows);
    add(to.blocks_returned, 1);
}

}  // namespace tickd
