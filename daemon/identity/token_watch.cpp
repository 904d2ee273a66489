#include "daemon/identity/token_watch.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <ranges>
#include <system_error>
#include <utility>

#include "daemon/clock.h"
#include "daemon/log.h"
#include "daemon/serve/thread_name.h"

namespace tickd {

namespace {

// Should a notification be lost on the way, as behind some connection poolers.
constexpr int read_again_after_ms = 30'000;
constexpr int connect_again_after_ms = 1'000;

[[nodiscard]] std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    if (text.empty()) return lines;
    for (const auto line : std::views::split(text, '\n')) {
        lines.emplace_back(std::string_view(line));
    }
    return lines;
}

// Nothing: not 64 hexadecimal digits.
[[nodiscard]] std::optional<token_hash> hash_from_hex(std::string_view hex) {
    token_hash hash{};
    if (hex.size() != 2 * hash.size()) return std::nullopt;
    for (std::size_t i = 0; i < hash.size(); ++i) {
        const char* const at = hex.data() + 2 * i;
        if (std::from_chars(at, at + 2, hash[i], 16).ptr != at + 2) return std::nullopt;
    }
    return hash;
}

}  // namespace

token_watch::token_watch(pg_target target, std::function<void()> changed)
    : target_(std::move(target)),
      changed_(std::move(changed)),
      end_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!end_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

token_watch::~token_watch() {
    ::eventfd_write(end_.get(), 1);
    if (thread_.joinable()) thread_.join();
}

void token_watch::start() {
    thread_ = std::thread([this] { run(); });
}

std::shared_ptr<const token_list> token_watch::tokens() const {
    const std::scoped_lock lock(mutex_);
    return tokens_;
}

void token_watch::run() {
    name_this_thread("tokens", 0);
    bool failed = false;
    for (;;) {
        auto connection = pg_connection::connect(target_);
        std::expected<void, pg_error> watched;
        if (connection) {
            if (std::exchange(failed, false)) spdlog::info("tokens: connected again");
            watched = watch(*connection);
            if (watched) return;
        } else {
            watched = std::unexpected(connection.error());
        }
        if (!std::exchange(failed, true)) {
            spdlog::warn("tokens: {}; those known stay in effect", to_text(watched.error()));
        }
        const std::int64_t go_on_at_us =
            monotonic_us() + std::int64_t{1000} * connect_again_after_ms;
        // Tokens expire while the database is away, too.
        while (monotonic_us() < go_on_at_us) {
            if (!sleep(-1, std::min(connect_again_after_ms, until_expiry_ms()))) return;
            changed_();
        }
    }
}

// Returns without an error once the end has come.
std::expected<void, pg_error> token_watch::watch(pg_connection& connection) {
    // Listening first: what changes while the list is read is heard of.
    if (const auto listening = connection.exec("LISTEN tickd_token"); !listening) return listening;
    for (;;) {
        if (const auto known = read(connection); !known) return known;
        changed_();
        const int at_most_ms = std::min(read_again_after_ms, until_expiry_ms());
        if (!sleep(PQsocket(connection.native()), at_most_ms)) return {};
        if (PQconsumeInput(connection.native()) == 0) {
            return std::unexpected(pg_error{.sqlstate = {},
                                            .message = "the connection broke",
                                            .detail = {},
                                            .connection_lost = true});
        }
        while (PGnotify* const told = PQnotifies(connection.native())) PQfreemem(told);
    }
}

std::expected<void, pg_error> token_watch::read(pg_connection& connection) {
    const auto rows = connection.query(
        "SELECT token_id, name, secret_sha256, tenant_id, array_to_string(producers, E'\\n'),"
        " may_name_tenant, expires_us FROM tickd.good_tokens()");
    if (!rows) return std::unexpected(rows.error());
    std::vector<known_token> tokens;
    for (int row = 0; row < rows->size(); ++row) {
        const auto id = ingest::parse_uuid(rows->at(row, 0));
        const auto hash = hash_from_hex(rows->at(row, 2));
        if (!id || !hash) continue;
        known_token& added = tokens.emplace_back();
        added.id = *id;
        added.hash = *hash;
        if (!rows->is_null(row, 6)) added.expires_us = rows->integer(row, 6);
        added.who = {.name = "token " + std::string(rows->at(row, 1)),
                     .tenant = ingest::parse_uuid(rows->at(row, 3)),
                     .producers = lines_of(rows->at(row, 4)),
                     .may_name_tenant = rows->is_true(row, 5)};
    }
    auto list = std::make_shared<const token_list>(std::move(tokens));
    const std::scoped_lock lock(mutex_);
    if (!tokens_ || tokens_->size() != list->size()) {
        spdlog::info("tokens: {} are good", list->size());
    }
    tokens_ = std::move(list);
    return {};
}

bool token_watch::sleep(int socket, int at_most_ms) {
    std::array<pollfd, 2> polled{{{end_.get(), POLLIN, 0}, {socket, POLLIN, 0}}};
    ::poll(polled.data(), polled.size(), at_most_ms);
    return polled[0].revents == 0;
}

int token_watch::until_expiry_ms() const {
    const auto known = tokens();
    const std::int64_t now_us = unix_now_us();
    const auto next = known ? known->next_expiry_us(now_us) : std::nullopt;
    if (!next) return read_again_after_ms;
    // One more, so that it is over when the time comes.
    return static_cast<int>(
        std::min<std::int64_t>((*next - now_us) / 1000 + 1, read_again_after_ms));
}

}  // namespace tickd
