// The notary: a thread that signs the activity log's tree heads, and signs nothing it has not
// checked.
//
// Once a second it takes the records that are new, checks that each may follow the one before,
// reads their rows back and hashes them again, and compares the root with the head's. Then it waits
// until all that is durable, writes size and root into its own state, signs, and hands the note
// out. Anything that does not hold stops it for good, loudly: what was signed before stays true.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "daemon/config/config.h"
#include "daemon/notary/notary_database.h"
#include "daemon/notary/notary_figures.h"
#include "daemon/notary/notary_state.h"
#include "daemon/notary/signed_note.h"
#include "ingest/activity_chain.h"

namespace tickd {

class notary {
public:
    // Reads keys and state. Nothing: no key is configured. An error says what is wrong with them.
    [[nodiscard]] static std::expected<std::unique_ptr<notary>, std::string> make(
        const config& settings);
    ~notary();  // Ends the thread where it is.
    notary(const notary&) = delete;
    notary& operator=(const notary&) = delete;

    void start();
    // Signs what is there once more, then ends. Waits for the thread.
    void finish();

    [[nodiscard]] const notary_figures& figures() const noexcept { return figures_; }
    // Any thread.
    void set_heartbeat(std::chrono::milliseconds heartbeat) noexcept {
        heartbeat_us_.store(std::chrono::microseconds(heartbeat).count());
    }

private:
    // Why a round ended: the link, to be tried again, or something that must never be signed.
    struct trouble {
        bool forever = false;
        std::string what;
    };
    using step = std::expected<void, trouble>;

    notary(const config& settings, note_signer key, std::optional<note_signer> next,
           notary_state state);
    void run();
    [[nodiscard]] step round();
    [[nodiscard]] step begin();
    [[nodiscard]] step catch_up(std::int64_t size);
    [[nodiscard]] step take(const log_record& record);
    [[nodiscard]] step take_key(const ingest::activity_record& record);
    [[nodiscard]] step hand_over();
    [[nodiscard]] step sign();
    void hand_out(const checkpoint& head);
    [[nodiscard]] bool wait_for_next();
    [[nodiscard]] static trouble of(const pg_error& error);

    const config settings_;
    std::atomic<std::int64_t> heartbeat_us_;
    notary_figures figures_;
    note_signer key_;                  // signs now
    std::optional<note_signer> next_;  // takes over
    notary_state state_;
    notary_database database_;
    ingest::activity_chain chain_;
    bool begun_ = false;
    std::int64_t handed_out_ = -1;  // size of the checkpoint that was, by this process
    std::string key_named_;         // by the newest record that names one
    std::optional<ingest::activity_record> handing_over_;
    std::int64_t last_record_us_ = 0;  // monotonic
    std::string last_complaint_;

    std::mutex mutex_;
    std::condition_variable wake_;
    bool finishing_ = false;
    std::thread thread_;
};

}  // namespace tickd
