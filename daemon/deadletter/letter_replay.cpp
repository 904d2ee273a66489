#include "daemon/deadletter/letter_replay.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <thread>
#include <utility>

#include "daemon/clock.h"
#include "daemon/config/record_rules.h"
#include "daemon/deadletter/letter_store.h"

namespace tickd {

namespace {

// Without anything settled for so long, the operator is told rather than made to wait.
constexpr std::int64_t patience_us = 30'000'000;
// The letters of a batch were purged or replayed by others so often in a row.
constexpr int stale_max = 100;
// Waits are cut into such pieces, so that Ctrl-C is heard.
constexpr std::int64_t nap_us = 50'000;
// One replay at a time: a second one waits so long for the first to end. The session's lock goes
// with its connection.
constexpr const char* wait_for_others =
    "SET lock_timeout = '10s'; SELECT pg_advisory_lock(1953063789, 0); SET lock_timeout = 0";

pg_lane_settings lane_of(const config& settings,
                         std::function<std::string(const ingest::batch&)> within) {
    pg_lane_settings lane;
    lane.target.conninfo = settings.database.url;
    lane.target.password_file = settings.database.password_file;
    lane.target.connect_timeout = settings.database.connect_timeout;
    lane.target.application_name = "tickd replay";
    lane.lane = replay_lane;
    lane.holder = "replay pid " + std::to_string(::getpid()) + " run " +
                  std::to_string(std::random_device{}());
    lane.within = std::move(within);
    return lane;
}

// The rules of the listener it came by, as they are configured now; the tenant it came for.
ingest::record_rules rules_for(const dead_letter& letter, const config& settings,
                               std::string& source) {
    listener_config at;
    for (const listener_config& each : settings.listeners) {
        if (each.name == letter.listener) at = each;
    }
    source = at.source;
    ingest::record_rules rules = rules_of(at, settings);
    rules.tenant = letter.tenant ? ingest::parse_uuid(*letter.tenant) : std::nullopt;
    return rules;
}

std::string text_array(const std::vector<std::string>& words) {
    std::string array = "{";
    for (const std::string& word : words) {
        if (array.size() > 1) array += ',';
        array += word.empty() ? "NULL" : word;
    }
    return array + '}';
}

}  // namespace

std::uint64_t replay_report::left() const {
    return std::accumulate(refused.begin(), refused.end(), cut,
                           [](std::uint64_t sum, const auto& each) { return sum + each.second; });
}

letter_replay::letter_replay(const config& settings, pg_connection& reader, replay_ports ports)
    : settings_(settings),
      reader_(reader),
      ports_(std::move(ports)),
      database_(lane_of(settings, [this](const ingest::batch& rows) { return marks(rows); })),
      parser_(settings.records.line_bytes) {}

replay_report letter_replay::run(letter_filter filter, std::uint64_t letters_max) {
    report_ = {};
    filter.state = letter_state::waiting;
    if (!begin()) return std::move(report_);
    const auto waiting = count_letters(reader_, filter);
    if (!waiting) {
        static_cast<void>(failed(waiting.error()));
        return std::move(report_);
    }
    const std::uint64_t total = std::min(*waiting, letters_max);
    make_writer();
    std::optional<std::int64_t> behind;
    std::uint64_t done = 0;
    int stale = 0;
    while (done < letters_max) {
        if (ports_.stopped()) {
            end(replay_end::interrupted, {}, "interrupted");
            break;
        }
        const auto letters = next_letters(filter, behind, letters_max - done);
        if (!letters || letters->empty()) break;
        const outcome came = replay(*letters);
        if (came == outcome::ended) break;
        if (came == outcome::stale && ++stale < stale_max) continue;  // Read anew what still waits.
        if (came == outcome::stale) {
            end(replay_end::gave_up, "TK004", "others keep replaying or purging the same letters");
            break;
        }
        stale = 0;
        behind = letters->back().id;
        done += letters->size();
        ports_.progress(done, std::max(total, done));
    }
    writer_.reset();
    return std::move(report_);
}

// False: the report says why not.
bool letter_replay::begin() {
    const auto locked = reader_.exec(wait_for_others);
    if (locked) return true;
    if (locked.error().sqlstate == "55P03") {
        end(replay_end::busy, "55P03", "another replay is running");
        return false;
    }
    return failed(locked.error());
}

// The next letters that make a batch: as many as fit, at least one.
std::optional<std::vector<dead_letter>> letter_replay::next_letters(
    const letter_filter& filter, std::optional<std::int64_t> behind, std::uint64_t letters_max) {
    letter_page page{.order = letter_order::oldest_first,
                     .behind = behind,
                     .letters_max = static_cast<std::size_t>(
                         std::min<std::uint64_t>(letters_max, ingest::limits::letters_rows_max)),
                     .raw_bytes_max = std::nullopt};
    const auto sizes = read_letter_sizes(reader_, filter, page);
    if (!sizes) {
        static_cast<void>(failed(sizes.error()));
        return std::nullopt;
    }
    std::size_t bytes = 0, letters = 0;
    for (const letter_size& each : *sizes) {
        bytes += static_cast<std::size_t>(each.raw_bytes);
        if (letters > 0 && bytes > ingest::limits::letters_bytes_max) break;
        ++letters;
    }
    if (letters == 0) return std::vector<dead_letter>{};
    page.letters_max = letters;
    auto read = read_letters(reader_, filter, page);
    if (!read) {
        static_cast<void>(failed(read.error()));
        return std::nullopt;
    }
    return std::move(*read);
}

letter_replay::outcome letter_replay::replay(std::span<const dead_letter> letters) {
    filled_.clear();
    letters_of_.clear();
    refused_.clear();
    std::uint64_t cut = 0;
    for (const dead_letter& letter : letters) {
        if (letter.cut()) {
            ++cut;
        } else {
            take(letter);
        }
    }
    if (const outcome committed = commit(); committed != outcome::settled) return committed;
    if (!keep_refused()) return outcome::ended;
    report_.cut += cut;
    return outcome::settled;
}

void letter_replay::take(const dead_letter& letter) {
    std::string source;
    const ingest::record_rules rules = rules_for(letter, settings_, source);
    line_.assign(letter.raw).append(ingest::line_padding_bytes, '\n');
    const std::string_view line = std::string_view(line_).substr(0, letter.raw.size());
    // As if it had just come then: its own arrival decides the time limits and an absent time.
    const ingest::refusal why =
        parser_.parse(line, rules, source.empty() ? ingest::optional_text{} : source,
                      letter.received_us, record_);
    if (!why.accepted()) {
        refused_.push_back({letter.id, why});
        return;
    }
    ingest::block& to = block_with_room();
    to.keep(record_, line, letter.received_us, 0);
    block_letters& of = letters_of_[&to];
    (record_.kind == ingest::record_kind::tick ? of.ticks : of.events).push_back(letter.id);
}

ingest::block& letter_replay::block_with_room() {
    if (filled_.empty() || !filled_.back()->has_room()) {
        filled_.push_back(std::make_unique<ingest::block>());
        // A plain session: no watermark moves, nobody is owed a receipt.
        static_cast<void>(filled_.back()->add_origin({}));
    }
    return *filled_.back();
}

letter_replay::outcome letter_replay::commit() {
    std::ranges::reverse(filled_);  // The writer takes from the back.
    blocks_out_ = filled_.size();
    stale_ = false;
    const std::int64_t give_up_us = monotonic_us() + patience_us;
    while (blocks_out_ > 0) {
        using doing = ingest::lane_writer::doing;
        const doing now = writer_->step(monotonic_us());
        if (stale_) {
            make_writer();
            return outcome::stale;
        }
        if (report_.end != replay_end::complete) return outcome::ended;
        if (now == doing::fenced) {
            end(replay_end::superseded, "TK001", "another replay has taken over");
            return outcome::ended;
        }
        if (now == doing::waiting && wait(give_up_us) == outcome::ended) return outcome::ended;
    }
    return outcome::settled;
}

// Until the writer wants to try again.
letter_replay::outcome letter_replay::wait(std::int64_t give_up_us) {
    for (;;) {
        const std::int64_t now_us = monotonic_us();
        if (now_us >= writer_->retry_at_us()) return outcome::settled;
        if (ports_.stopped()) {
            end(replay_end::interrupted, {}, "interrupted while the database was away");
            return outcome::ended;
        }
        if (now_us >= give_up_us) {
            end(replay_end::gave_up, report_.sqlstate, report_.detail);
            return outcome::ended;
        }
        std::this_thread::sleep_for(
            std::chrono::microseconds(std::min(writer_->retry_at_us() - now_us, nap_us)));
    }
}

// Gives those that the parser refused their new verdicts. False: the report says why not.
bool letter_replay::keep_refused() {
    if (refused_.empty()) return true;
    std::vector<std::int64_t> ids;
    std::vector<std::string> verdicts, fields, sqlstates;
    for (const refused_letter& each : refused_) {
        ids.push_back(each.id);
        verdicts.emplace_back(ingest::to_string(each.why.reason));
        fields.emplace_back(each.why.field);
        sqlstates.emplace_back();
    }
    // Words of ours: none needs quoting inside an array.
    const auto kept = reader_.query(
        "SELECT tickd.refuse_again($1, $2, $3, $4)",
        {id_array(ids), text_array(verdicts), text_array(fields), text_array(sqlstates)});
    if (!kept) return failed(kept.error());
    for (const std::string& verdict : verdicts) ++report_.refused[verdict];
    return true;
}

// What a batch's transaction does besides writing its rows.
std::string letter_replay::marks(const ingest::batch& rows) const {
    std::vector<std::int64_t> replayed, refused;
    std::vector<std::string> verdicts, fields, sqlstates;
    for (const auto& in : rows.blocks()) {
        const block_letters& of = letters_of_.at(in.get());
        const auto refuse = [&](std::int64_t id, ingest::text_ref raw) {
            const auto dead = std::ranges::find_if(
                in->dead_letters(), [&](const auto& row) { return row.raw.offset == raw.offset; });
            refused.push_back(id);
            verdicts.emplace_back(ingest::to_string(ingest::verdict::refused_by_server));
            fields.emplace_back();
            sqlstates.emplace_back(dead->sqlstate.data(), dead->sqlstate.size());
        };
        for (std::uint32_t row = 0; row < of.ticks.size(); ++row) {
            if (in->tick_refused(row)) {
                refuse(of.ticks[row], in->ticks()[row].raw);
            } else {
                replayed.push_back(of.ticks[row]);
            }
        }
        for (std::uint32_t row = 0; row < of.events.size(); ++row) {
            if (in->event_refused(row)) {
                refuse(of.events[row], in->events()[row].raw);
            } else {
                replayed.push_back(of.events[row]);
            }
        }
    }
    std::string sql = "SELECT tickd.mark_replayed('" + id_array(replayed) + "')";
    if (!refused.empty()) {
        sql += ";SELECT tickd.refuse_again('" + id_array(refused) + "','" + text_array(verdicts) +
               "','" + text_array(fields) + "','" + text_array(sqlstates) + "')";
    }
    return sql;
}

void letter_replay::count(const ingest::block& done) {
    const auto dead = done.dead_letters().size();
    std::uint64_t ticks = 0;
    for (std::uint32_t row = 0; row < done.ticks().size(); ++row) ticks += !done.tick_refused(row);
    report_.ticks += ticks;
    report_.events += done.ticks().size() + done.events().size() - ticks - dead;
    if (dead != 0) {
        report_.refused[std::string(ingest::to_string(ingest::verdict::refused_by_server))] += dead;
    }
}

void letter_replay::make_writer() {
    ingest::lane_writer_ports ports;
    ports.take = [this]() -> std::unique_ptr<ingest::block> {
        if (filled_.empty()) return nullptr;
        auto next = std::move(filled_.back());
        filled_.pop_back();
        return next;
    };
    ports.settled = [this](const std::unique_ptr<ingest::block>& done) {
        count(*done);
        --blocks_out_;
    };
    ports.next_request = [] { return std::optional<ingest::watermark_request>{}; };
    ports.unix_now_us = [] { return unix_now_us(); };
    ports.failed = [this](ingest::failure_action action, const ingest::database_error& error) {
        report_.sqlstate = error.sqlstate;
        report_.detail = error.message;
        if (error.sqlstate == "TK004") stale_ = true;
        if (action == ingest::failure_action::stop) {
            end(replay_end::failed, error.sqlstate, error.message);
        }
    };
    ports.connected = [](std::int64_t) {};
    writer_ = std::make_unique<ingest::lane_writer>(
        database_, std::move(ports), ingest::limits::batch_rows_max, std::random_device{}());
}

bool letter_replay::failed(const pg_error& error) {
    end(error.connection_lost ? replay_end::gave_up : replay_end::failed, error.sqlstate,
        to_text(error));
    return false;
}

void letter_replay::end(replay_end how, std::string sqlstate, std::string detail) {
    report_.end = how;
    report_.sqlstate = std::move(sqlstate);
    report_.detail = std::move(detail);
}

}  // namespace tickd
