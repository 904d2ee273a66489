// Dead letters once more through the way of every record: parsed, validated, batched and committed
// by the daemon's own parser, lane_writer and pg_lane_database.
//
//     tickd.dead_letter -> record_parser -> block -> lane_writer -> COPY .. mark_replayed .. COMMIT
//
// Exactly once: a letter is marked in the transaction that carries its row, which fails (TK004)
// unless the letter still waits. So it does not matter where a replay ends, how often it is run
// again, or who else replays: either both are in or neither is. A replay holds a lane of its own,
// so that a COMMIT without an answer is settled by the ledger, as everywhere.
//
// What is still refused stays a dead letter, under its new verdict.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/db/pg_connection.h"
#include "daemon/deadletter/dead_letter.h"
#include "daemon/deadletter/letter_filter.h"
#include "daemon/serve/pg_lane_database.h"
#include "ingest/lane_writer.h"
#include "ingest/record_parser.h"

namespace tickd {

// Above every number that lanes.first and lanes.count allow.
inline constexpr std::uint32_t replay_lane = 2'000'000;

enum class replay_end : std::uint8_t {
    complete,
    interrupted,  // by the caller
    busy,         // another replay is running
    superseded,   // a later one took the lane over
    gave_up,      // the database stayed away, or the letters kept changing
    failed,       // rights or schema are wrong
};

struct replay_report {
    replay_end end = replay_end::complete;
    std::uint64_t ticks = 0, events = 0;           // committed and marked
    std::map<std::string, std::uint64_t> refused;  // by verdict: still dead letters
    std::uint64_t cut = 0;                         // too long to have been kept whole
    std::string sqlstate, detail;                  // unless complete

    [[nodiscard]] std::uint64_t left() const;  // looked at and still waiting
};

struct replay_ports {
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;
    std::function<bool()> stopped;  // asked between batches and while waiting
};

class letter_replay {
public:
    // `reader` reads the letters; the rows go over a connection of the replay's own.
    letter_replay(const config& settings, pg_connection& reader, replay_ports ports);

    // Replays the letters of the filter that wait, oldest first, at most `letters_max`.
    [[nodiscard]] replay_report run(letter_filter filter, std::uint64_t letters_max);

private:
    // Whose rows a block holds, in the order of its ticks and events.
    struct block_letters {
        std::vector<std::int64_t> ticks, events;
    };
    struct refused_letter {
        std::int64_t id = 0;
        ingest::refusal why;
    };
    enum class outcome : std::uint8_t { settled, stale, ended };

    [[nodiscard]] bool begin();
    [[nodiscard]] std::optional<std::vector<dead_letter>> next_letters(
        const letter_filter& filter, std::optional<std::int64_t> behind, std::uint64_t letters_max);
    [[nodiscard]] outcome replay(std::span<const dead_letter> letters);
    void take(const dead_letter& letter);
    [[nodiscard]] ingest::block& block_with_room();
    [[nodiscard]] outcome commit();
    [[nodiscard]] outcome wait(std::int64_t give_up_us);
    [[nodiscard]] bool keep_refused();
    [[nodiscard]] std::string marks(const ingest::batch& rows) const;
    void count(const ingest::block& done);
    void make_writer();
    [[nodiscard]] bool failed(const pg_error& error);
    void end(replay_end how, std::string sqlstate, std::string detail);

    const config& settings_;
    pg_connection& reader_;
    replay_ports ports_;
    pg_lane_database database_;
    ingest::record_parser parser_;
    ingest::record record_;
    std::string line_;  // with the bytes behind it that the parser may read

    std::vector<std::unique_ptr<ingest::block>> filled_;  // on their way to the writer
    std::unordered_map<const ingest::block*, block_letters> letters_of_;
    std::vector<refused_letter> refused_;
    std::size_t blocks_out_ = 0;
    std::unique_ptr<ingest::lane_writer> writer_;
    bool stale_ = false;
    replay_report report_;
};

}  // namespace tickd
