// The notary of a running daemon: what it signs, and what makes it stop.
#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <format>
#include <fstream>
#include <iterator>

#include "daemon/notary/signed_note.h"
#include "tests/support/activity_log.h"
#include "tests/support/daemon_process.h"
#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"
#include "tests/support/tcp_client.h"

using namespace tickd;
using namespace tickd::test;

namespace {

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// A folder with keys, state and exports, and a site whose daemon signs.
struct notary_site {
    temporary_folder folder;
    note_verifier verifier = make_key("key");
    ingest_site site;

    explicit notary_site(const std::string& more = {}) : site(settings(more)) {}

    [[nodiscard]] note_verifier make_key(const std::string& name) const {
        const ended_process made = run_tickd(
            {"notary", "key", "new", "--out", folder.file(name), "--name", "example.com/" + name});
        REQUIRE(made.exit_code == 0);
        return parse_vkey(made.out.substr(0, made.out.size() - 1)).value();
    }
    [[nodiscard]] std::string settings(const std::string& more) const {
        return std::format(
            "notary:\n  key_file: {}\n  state_file: {}\n  export_folder: {}\n"
            "  export_command: cat > {}.new && mv {}.new {}\n{}",
            folder.file("key"), folder.file("state"), folder.file("."), folder.file("sent"),
            folder.file("sent"), folder.file("sent"), more);
    }
    void send(int first, int count) {
        tcp_client client(site.address());
        for (int n = first; n < first + count; ++n) {
            client.send(std::format(R"({{"type":"activity","action_type":"n","action_payload":{}}})"
                                    "\n",
                                    n));
        }
        client.finish();
        static_cast<void>(client.read_to_end());
    }
    // The newest exported checkpoint, once it covers all rows that were sent.
    [[nodiscard]] checkpoint await_signed(std::size_t rows, const note_verifier& by) {
        REQUIRE(site.await_records(rows));
        checkpoint newest;
        REQUIRE(await_condition([&] {
            const auto text = open_note(content_of(folder.file("checkpoint")), by);
            if (!text) return false;
            newest = parse_checkpoint(*text).value();
            return std::to_string(newest.size) ==
                   one(site.sql(), "SELECT size FROM tickd.activity_head");
        }));
        CHECK(newest.origin == one(site.sql(), "SELECT origin FROM tickd.activity_head"));
        CHECK(one(site.sql(), "SELECT encode(root, 'base64') FROM tickd.activity_head") ==
              to_base64({reinterpret_cast<const char*>(newest.root.data()), newest.root.size()}));
        return newest;
    }
    void tamper(const std::string& change) {
        pg_connection sql = site.connect_again();
        run(sql, "SET tickd.migration = 'on'");
        for (const std::string table :
             {"public.unified_activity_log", "tickd.activity_batch", "tickd.activity_head",
              "tickd.activity_tenant_head", "tickd.activity_checkpoint"}) {
            run(sql, "ALTER TABLE " + table + " DISABLE TRIGGER USER");
        }
        run(sql, change);
    }
};

// Takes the log back to what it was with `size` records, so that it is consistent in itself.
std::string back_to(std::int64_t size) {
    return std::format(R"(
        DELETE FROM unified_activity_log l USING tickd.activity_batch b
         WHERE b.index >= {0} AND l.id >= b.first_id AND l.id < b.first_id + b.row_count;
        DELETE FROM tickd.activity_batch WHERE index >= {0};
        DELETE FROM tickd.activity_tenant_head;
        INSERT INTO tickd.activity_tenant_head
        SELECT DISTINCT ON (tenant_id) coalesce(tenant_id, '00000000-0000-0000-0000-000000000000'),
               tseq, entry FROM tickd.activity_batch WHERE kind = 'seg'
         ORDER BY tenant_id, tseq DESC;
        DO $$
        DECLARE f bytea[] := '{{}}'; n bigint := 0; e bytea;
        BEGIN
            FOR e IN SELECT entry FROM tickd.activity_batch ORDER BY index LOOP
                f := tickd.activity_frontier(f, n, e); n := n + 1;
            END LOOP;
            UPDATE tickd.activity_head
               SET size = n, frontier = f, root = tickd.activity_root(f);
        END $$)",
                       size);
}

}  // namespace

TEST_CASE("what is committed is signed, and signed on after a restart", "[notary]") {
    notary_site signing;
    signing.send(0, 1'000);
    const checkpoint first = signing.await_signed(1'000, signing.verifier);
    CHECK(first.size >= 2);
    // The command and the database get it behind the folder.
    const std::string note = content_of(signing.folder.file("checkpoint"));
    CHECK(await_condition([&] { return content_of(signing.folder.file("sent")) == note; }));
    await(signing.site.sql(), "SELECT count(*) = 1 FROM tickd.activity_checkpoint WHERE note = " +
                                  tickd::quote_literal(note));
    signing.site.daemon().kill_hard();
    signing.site.start_again();
    signing.send(1'000, 10);
    CHECK(signing.await_signed(1'010, signing.verifier).size > first.size);
    CHECK(signing.site.daemon().stop() == 0);
    CHECK(signing.site.daemon().logged("STOPPED") == 0);
    CHECK(wrong_with_activity_log(signing.site.sql()).empty());
}

TEST_CASE("an idle log has heartbeats", "[notary]") {
    notary_site signing("  heartbeat: 1s\n");
    await(signing.site.sql(),
          "SELECT count(*) >= 2 FROM tickd.activity_batch WHERE kind = 'heartbeat'");
    await(signing.site.sql(), "SELECT max(size) >= 3 FROM tickd.activity_checkpoint");
    CHECK(signing.site.daemon().stop() == 0);
    CHECK(wrong_with_activity_log(signing.site.sql()).empty());
}

TEST_CASE("a row that is not what was written is not signed", "[notary]") {
    notary_site signing;
    signing.send(0, 10);
    const checkpoint before = signing.await_signed(10, signing.verifier);
    REQUIRE(signing.site.daemon().stop() == 0);
    // A writer whose hash is of another content: the record speaks for what was never stored.
    signing.tamper(R"(
        INSERT INTO unified_activity_log (id, action_type, action_payload, hash_sha256)
        VALUES (900000, 'a', '1', repeat('a', 64));
        SELECT tickd.append_activity_batches('w', 1, 1, '{NULL}', '{900000}', '{1}',
            ARRAY[repeat('a', 64)], ARRAY[''], ARRAY[repeat('b', 32)]))");
    signing.site.start_again();
    REQUIRE(signing.site.daemon().await_logged("STOPPED"));
    CHECK(signing.site.daemon().logged("the rows of record") == 1);
    CHECK(parse_checkpoint(
              open_note(content_of(signing.folder.file("checkpoint")), signing.verifier).value())
              .value() == before);
    // The daemon goes on.
    signing.send(10, 1);
    CHECK(signing.site.await_records(11));
    CHECK(signing.site.daemon().stop() == 0);
}

TEST_CASE("a log that has gone back is noticed, at once and after a restart", "[notary]") {
    notary_site signing;
    signing.send(0, 10);
    const checkpoint kept = signing.await_signed(10, signing.verifier);
    signing.send(10, 10);
    const checkpoint newest = signing.await_signed(20, signing.verifier);
    REQUIRE(newest.size > kept.size);
    signing.tamper(back_to(kept.size));
    REQUIRE(signing.site.daemon().await_logged("STOPPED"));
    CHECK(signing.site.daemon().logged("has gone back") == 1);
    CHECK(signing.site.daemon().stop() == 0);
    // Grown past the signed size again, so that size alone tells nothing.
    for (std::int64_t n = kept.size; n <= newest.size; ++n) {
        run(signing.site.sql(),
            "SELECT tickd.append_activity_note('heartbeat', NULL, 1,"
            " repeat('b', 32))");
    }
    signing.site.start_again();
    REQUIRE(signing.site.daemon().await_logged("STOPPED"));
    CHECK(signing.site.daemon().logged("are not those that were signed") == 1);
    CHECK(signing.site.daemon().stop() == 0);
}

TEST_CASE("a lost state is not made up, and goes on from an exported checkpoint", "[notary]") {
    notary_site signing;
    signing.send(0, 10);
    static_cast<void>(signing.await_signed(10, signing.verifier));
    REQUIRE(signing.site.daemon().stop() == 0);
    std::filesystem::remove(signing.folder.file("state"));
    signing.site.start_again();
    REQUIRE(signing.site.daemon().await_logged("notary adopt"));
    REQUIRE(signing.site.daemon().stop() == 0);
    const std::string config = signing.folder.write("tickd.yaml", signing.site.yaml());
    const ended_process adopted =
        run_tickd({"--config", config, "notary", "adopt", signing.folder.file("checkpoint")});
    CHECK(adopted.exit_code == 0);
    INFO(adopted.err);
    CHECK(run_tickd({"--config", config, "notary", "adopt", signing.folder.file("checkpoint")})
              .exit_code == 65);
    signing.site.start_again();
    signing.send(10, 10);
    static_cast<void>(signing.await_signed(20, signing.verifier));
    CHECK(signing.site.daemon().stop() == 0);
}

TEST_CASE("a key hands over to the next, and the log says so", "[notary]") {
    notary_site signing;
    const note_verifier next = signing.make_key("next");
    signing.send(0, 10);
    const checkpoint before = signing.await_signed(10, signing.verifier);
    REQUIRE(signing.site.daemon().stop() == 0);
    const std::string yaml =
        daemon_yaml(as_user(signing.site.yaml().substr(signing.site.yaml().find("url: \"") + 6,
                                                       signing.site.yaml().find("\"\n") -
                                                           signing.site.yaml().find("url: \"") - 6),
                            "tickd_ingest"),
                    signing.settings("  next_key_file: " + signing.folder.file("next") + "\n"));
    for (int start = 0; start < 2; ++start) {
        daemon_process daemon(yaml);
        REQUIRE(daemon.await_logged("on signs as " + next.vkey()));
        REQUIRE(await_condition([&] {
            return one(signing.site.sql(),
                       "SELECT count(*) FROM tickd.activity_batch WHERE kind = 'key'") == "1";
        }));
        CHECK(daemon.stop() == 0);
        CHECK(daemon.logged("STOPPED") == 0);
    }
    // The old key signed up to the key's record, the new one whatever comes behind.
    const std::string index =
        one(signing.site.sql(), "SELECT index FROM tickd.activity_batch WHERE kind = 'key'");
    const std::string at_hand_over =
        one(signing.site.sql(), "SELECT note FROM tickd.activity_checkpoint WHERE size = 1 + $1",
            {index});
    CHECK(open_note(at_hand_over, signing.verifier).has_value());
    CHECK(std::stoll(index) >= before.size);
    // The old key alone may not go on.
    signing.site.start_again();
    REQUIRE(signing.site.daemon().await_logged("was handed over to " + next.vkey()));
    CHECK(signing.site.daemon().stop() == 0);
    // The new one alone does.
    std::filesystem::rename(signing.folder.file("next"), signing.folder.file("key"));
    signing.site.start_again();
    signing.send(10, 10);
    static_cast<void>(signing.await_signed(20, next));
    CHECK(signing.site.daemon().stop() == 0);
    CHECK(wrong_with_activity_log(signing.site.sql()).empty());
}
