#include "daemon/notary/notary.h"

#include <algorithm>
#include <chrono>
#include <format>
#include <memory>
#include <string_view>
#include <utility>

#include "daemon/clock.h"
#include "daemon/db/conninfo_user.h"
#include "daemon/log.h"
#include "daemon/notary/checkpoint_export.h"
#include "daemon/notary/notary_key.h"
#include "daemon/serve/thread_name.h"

namespace tickd {

namespace {

constexpr std::chrono::seconds interval{1};
constexpr std::chrono::seconds command_limit{10};
constexpr std::int64_t records_at_once = 1000;

[[nodiscard]] pg_target target_of(const config& settings) {
    pg_target target;
    const bool own = !settings.notary.database_url.empty();
    target.conninfo =
        own ? settings.notary.database_url : with_user(settings.database.url, "tickd_notary");
    target.password_file = settings.notary.password_file;
    target.connect_timeout = settings.database.connect_timeout;
    target.application_name = "tickd notary";
    return target;
}

[[nodiscard]] std::string hex_of(const ingest::sha256_digest& digest) {
    const ingest::sha256_hex hex = ingest::to_hex(digest);
    return {hex.begin(), hex.end()};
}

}  // namespace

std::expected<std::unique_ptr<notary>, std::string> notary::make(const config& settings) {
    const std::string path = key_path(settings);
    if (path.empty()) return nullptr;
    auto key = read_key(path);
    if (!key) return std::unexpected(key.error());
    std::optional<note_signer> next;
    if (!settings.notary.next_key_file.empty()) {
        auto read = read_key(settings.notary.next_key_file);
        if (!read) return std::unexpected(read.error());
        next = std::move(*read);
    }
    auto state = notary_state::open(settings.notary.state_file);
    if (!state) return std::unexpected(state.error());
    return std::unique_ptr<notary>(
        new notary(settings, std::move(*key), std::move(next), std::move(*state)));
}

notary::notary(const config& settings, note_signer key, std::optional<note_signer> next,
               notary_state state)
    : settings_(settings),
      heartbeat_us_(std::chrono::microseconds(settings.notary.heartbeat).count()),
      key_(std::move(key)),
      next_(std::move(next)),
      state_(std::move(state)),
      database_(target_of(settings)) {}

notary::~notary() {
    database_.give_up();
    finish();
}

void notary::start() {
    thread_ = std::thread([this] { run(); });
}

void notary::finish() {
    {
        const std::scoped_lock lock(mutex_);
        finishing_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

// False: this was the last round.
bool notary::wait_for_next() {
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, interval, [this] { return finishing_; });
}

void notary::run() {
    name_this_thread("notary", 0);
    last_record_us_ = monotonic_us();
    bool more = true;
    while (more) {
        more = wait_for_next();
        const step done = round();
        if (done) {
            last_complaint_.clear();
            continue;
        }
        figures_.failures.fetch_add(1);
        if (done.error().forever) {
            figures_.stopped.store(true);
            spdlog::critical(
                "notary: STOPPED, and signs nothing any more: {}. Keep the database, its backups "
                "and"
                " the notary's state as they are, and run `tickd verify activity`",
                done.error().what);
            return;
        }
        if (std::exchange(last_complaint_, done.error().what) != last_complaint_) {
            spdlog::warn("notary: {}", done.error().what);
        }
    }
}

notary::trouble notary::of(const pg_error& error) { return {false, to_text(error)}; }

notary::step notary::round() {
    if (!database_.connected()) {
        if (const auto opened = database_.connect(); !opened) {
            return std::unexpected(of(opened.error()));
        }
    }
    const auto head = database_.head();
    if (!head) return std::unexpected(of(head.error()));
    figures_.log_records.store(head->size);
    if (!begun_) {
        if (const step good = begin(); !good) return good;
    }
    const std::int64_t known = std::max(chain_.size(), state_.newest() ? state_.newest()->size : 0);
    if (head->size < known) {
        return std::unexpected(trouble{
            true, std::format("the log has gone back from {} to {} records", known, head->size)});
    }
    if (handing_over_) {
        if (const step good = take_key(ingest::activity_record(*handing_over_)); !good) return good;
    }
    const bool grown = chain_.size() < head->size;
    if (const step good = catch_up(head->size); !good) return good;
    if (chain_.origin() != head->origin || hex_of(chain_.root()) != head->root) {
        return std::unexpected(trouble{
            true, std::format("the head of {} records is not what its records make", head->size)});
    }
    if (grown) last_record_us_ = monotonic_us();
    if (const step good = sign(); !good) return good;
    if (next_) return hand_over();
    const std::int64_t idle = monotonic_us() - last_record_us_;
    if (idle >= heartbeat_us_.load()) {
        if (const auto added = database_.append_heartbeat(); !added) {
            return std::unexpected(of(added.error()));
        }
    }
    return {};
}

// A state that is lost must not look like a first start.
notary::step notary::begin() {
    if (!state_.newest()) {
        const auto known = database_.has_copies();
        if (!known) return std::unexpected(of(known.error()));
        if (*known) {
            return std::unexpected(trouble{
                true,
                "the log has checkpoints, and " + settings_.notary.state_file +
                    " knows of none: restore it with `tickd notary adopt` from an exported one"});
        }
    }
    begun_ = true;
    spdlog::info("notary: signs as {}", key_.verifier().vkey());
    return {};
}

notary::step notary::catch_up(std::int64_t size) {
    while (chain_.size() < size) {
        const auto records =
            database_.records(chain_.size(), std::min(size, chain_.size() + records_at_once));
        if (!records) return std::unexpected(of(records.error()));
        if (records->empty()) {
            return std::unexpected(
                trouble{true, std::format("record {} is missing", chain_.size())});
        }
        for (const log_record& record : *records) {
            if (const step good = take(record); !good) return good;
        }
    }
    return {};
}

notary::step notary::take(const log_record& record) {
    const std::int64_t signed_size = state_.newest() ? state_.newest()->size : 0;
    // Before the chain takes it: a link that breaks here leaves the chain as it was.
    const auto parsed = ingest::parse_activity_record(record.text);
    if (parsed && parsed->kind == ingest::record_of::rows && parsed->index >= signed_size) {
        const auto root = database_.root_of_rows(*parsed);
        if (!root) return std::unexpected(of(root.error()));
        if (*root != parsed->root) {
            return std::unexpected(trouble{
                true, std::format("the rows of record {} (ids {} to {}) are not those it was made"
                                  " of: {}",
                                  parsed->index, parsed->first_id,
                                  parsed->first_id + parsed->count - 1, *root)});
        }
    }
    const auto added = chain_.add(record.text);
    if (!added) return std::unexpected(trouble{true, added.error()});
    if (columns_of(*added, record.text) != record.columns) {
        return std::unexpected(
            trouble{true, std::format("the columns of record {} contradict it", added->index)});
    }
    if (chain_.size() == signed_size &&
        *state_.newest() != checkpoint{chain_.origin(), chain_.size(), chain_.root()}) {
        return std::unexpected(trouble{
            true, std::format("the first {} records are not those that were signed", signed_size)});
    }
    if (added->kind == ingest::record_of::key) return take_key(*added);
    return {};
}

// The old key signs up to the record that names its successor, and nothing beyond.
notary::step notary::take_key(const ingest::activity_record& record) {
    if (!state_.newest() || state_.newest()->size < chain_.size()) {
        if (const step good = sign(); !good) {
            handing_over_ = record;  // The link broke: again in the next round.
            return good;
        }
    }
    handing_over_.reset();
    key_named_ = record.vkey;
    if (next_ && next_->verifier().vkey() == record.vkey) {
        key_ = *std::exchange(next_, std::nullopt);
        spdlog::info("notary: from record {} on signs as {}", record.from_index, record.vkey);
    }
    return {};
}

notary::step notary::hand_over() {
    if (next_->verifier().vkey() == key_.verifier().vkey()) {
        next_.reset();
        return {};
    }
    if (const auto added = database_.append_key(next_->verifier().vkey()); !added) {
        return std::unexpected(of(added.error()));
    }
    return {};
}

notary::step notary::sign() {
    const checkpoint head{chain_.origin(), chain_.size(), chain_.root()};
    if (!key_named_.empty() && key_named_ != key_.verifier().vkey()) {
        return std::unexpected(trouble{
            true, "the log was handed over to " + key_named_ + ", which is not configured here"});
    }
    if (state_.newest()) figures_.signed_records.store(state_.newest()->size);
    if (state_.newest() && state_.newest()->size > head.size) return {};
    const bool known = state_.newest() && state_.newest()->size == head.size;
    // Once after a start: between state and hand-out there may have been a crash. An Ed25519
    // signature of the same text is the same.
    if (known && handed_out_ == head.size) return {};
    if (!known) {
        if (const auto durable = database_.make_durable(); !durable) {
            return std::unexpected(of(durable.error()));
        }
        if (const auto kept = state_.append(head); !kept) {
            return std::unexpected(trouble{true, kept.error()});
        }
    }
    figures_.signed_records.store(head.size);
    figures_.signed_at_us.store(unix_now_us());
    hand_out(head);
    handed_out_ = head.size;
    return {};
}

// A sink that fails costs no signature: the next one goes there, too.
void notary::hand_out(const checkpoint& head) {
    const std::string note = key_.sign(to_text(head));
    const auto complain = [](const std::string& what) { spdlog::error("notary: {}", what); };
    if (!settings_.notary.export_folder.empty()) {
        const auto kept = export_to_folder(settings_.notary.export_folder, note, unix_now_us());
        if (!kept) complain(kept.error());
    }
    if (!settings_.notary.export_command.empty()) {
        const auto ran = export_to_command(settings_.notary.export_command, note, command_limit);
        if (!ran) complain(ran.error());
    }
    if (const auto kept = database_.keep_copy(head.size, note); !kept) {
        complain(to_text(kept.error()));
    }
    spdlog::debug("notary: signed {} records", head.size);
}

}  // namespace tickd
