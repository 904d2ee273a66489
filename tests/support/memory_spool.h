// A lane's spool in memory, and the disk it stands on: the disk outlives the process that writes
// it, and a loss of power takes what was not synced.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "ingest/lane_spool.h"

namespace tickd::test {

struct spool_disk {
    struct entry {
        std::int64_t number = 0;
        std::optional<ingest::batch_name> doubt{};
        std::string bytes{};
    };
    ingest::uuid name;
    std::deque<entry> entries;  // some at the front may be committed: space comes back in pieces
    std::size_t entries_max = 1'000'000;
    std::int64_t next = 1;
    std::int64_t synced = 0;  // the newest number that a loss of power leaves
    bool in_use = false;

    void lose_power() {
        while (!entries.empty() && entries.back().number > synced) entries.pop_back();
    }
};

class memory_spool final : public ingest::lane_spool {
public:
    explicit memory_spool(spool_disk& disk);
    ~memory_spool() override { disk_.in_use = false; }
    memory_spool(const memory_spool&) = delete;
    memory_spool& operator=(const memory_spool&) = delete;

    // When they say true, the call fails. Asked once a call.
    std::function<bool()> append_fails, sync_fails;

    [[nodiscard]] const ingest::uuid& name() const noexcept override { return disk_.name; }
    [[nodiscard]] std::optional<std::int64_t> append(
        const ingest::block& next, std::optional<ingest::batch_name> doubt) override;
    [[nodiscard]] bool sync() override;
    [[nodiscard]] std::optional<ingest::spool_entry> read(ingest::block& into) override;
    void rewind() override { read_ = committed_; }
    void committed(std::int64_t number) override;
    [[nodiscard]] bool empty() const noexcept override {
        return disk_.entries.empty() || disk_.entries.back().number <= committed_;
    }
    [[nodiscard]] std::uint64_t newest_seq(std::string_view producer) const override;

private:
    spool_disk& disk_;
    std::int64_t committed_ = 0, read_ = 0;
    bool broken_ = false;
};

}  // namespace tickd::test
