#include "tests/support/memory_spool.h"

#include <algorithm>
#include <stdexcept>

#include "ingest/block_codec.h"

namespace tickd::test {

namespace {

// Files are deleted as a whole; so are these.
constexpr std::int64_t entries_a_file = 4;

void decode(const spool_disk::entry& from, ingest::block& into) {
    if (!ingest::block_codec::decode(from.bytes, into)) throw std::runtime_error("no block");
}

}  // namespace

memory_spool::memory_spool(spool_disk& disk) : disk_(disk) {
    if (disk_.in_use) throw std::runtime_error("the spool is in use");
    disk_.in_use = true;
}

std::optional<std::int64_t> memory_spool::append(const ingest::block& next,
                                                 std::optional<ingest::batch_name> doubt) {
    if (broken_ || disk_.entries.size() >= disk_.entries_max) return std::nullopt;
    if (append_fails && append_fails()) return std::nullopt;
    ingest::byte_buffer bytes;
    ingest::block_codec::encode(next, bytes);
    disk_.entries.push_back({disk_.next, doubt, std::string(bytes.view())});
    return disk_.next++;
}

bool memory_spool::sync() {
    if (broken_ || (sync_fails && sync_fails())) {
        broken_ = true;
        return false;
    }
    disk_.synced = disk_.next - 1;
    return true;
}

std::optional<ingest::spool_entry> memory_spool::read(ingest::block& into) {
    for (const spool_disk::entry& each : disk_.entries) {
        if (each.number <= read_ || each.number <= committed_) continue;
        decode(each, into);
        read_ = each.number;
        return ingest::spool_entry{each.number, each.doubt};
    }
    return std::nullopt;
}

void memory_spool::committed(std::int64_t number) {
    committed_ = std::max(committed_, number);
    read_ = std::max(read_, committed_);
    disk_.next = std::max(disk_.next, committed_ + 1);
    const auto gone = [this](const spool_disk::entry& each) {
        return (each.number / entries_a_file + 1) * entries_a_file - 1 <= committed_ || empty();
    };
    while (!disk_.entries.empty() && gone(disk_.entries.front())) disk_.entries.pop_front();
}

std::uint64_t memory_spool::newest_seq(std::string_view producer) const {
    std::uint64_t newest = 0;
    ingest::block block;
    for (const spool_disk::entry& each : disk_.entries) {
        if (each.number <= committed_) continue;
        decode(each, block);
        for (const ingest::origin& from : block.origins()) {
            if (from.producer == 0 || from.lost) continue;
            if (block.text(from.producer_name) == producer) {
                newest = std::max(newest, from.newest_seq);
            }
        }
    }
    return newest;
}

}  // namespace tickd::test
