#include "tests/support/tamper_site.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <format>
#include <fstream>
#include <stdexcept>

#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

namespace tickd::test {

namespace {

constexpr std::array tables{"public.unified_activity_log", "tickd.activity_batch",
                            "tickd.activity_head", "tickd.activity_tenant_head",
                            "tickd.activity_checkpoint"};

// Odd microseconds, a text with a trailing space, numbers with trailing zeros, NULLs beside empty
// texts: where encodings part.
constexpr const char* insert_rows = R"(
    INSERT INTO unified_activity_log (id, timestamp, agent_id, action_type, action_payload, user_id,
        session_id, metadata, created_at, tenant_id, hash_sha256)
    SELECT id, at, agent, type, payload, usr, ses, meta, made, tenant,
           tickd.activity_row_hash(id, at, agent, type, payload, usr, ses, meta, made, tenant)
      FROM (SELECT id, '2024-05-06 07:08:09.000001Z'::timestamptz + id * interval '1.000001 s' AS at,
                   CASE id % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'agent é ' END AS agent,
                   'type ' || id AS type,
                   format('{"b": 1.0, "aa": [%s, null, "\u0001€"], "n": 0.00001230}', id)::jsonb
                       AS payload,
                   CASE WHEN id % 2 = 0 THEN md5(id::text)::uuid END AS usr,
                   CASE WHEN id % 5 = 0 THEN md5(id::text)::uuid END AS ses,
                   CASE id % 4 WHEN 0 THEN '{}'::jsonb WHEN 1 THEN 'null'::jsonb END AS meta,
                   '1999-12-31 23:59:59.999999Z'::timestamptz + id * interval '1 us' AS made,
                   CASE WHEN id % 10 IN (1, 2, 3, 4) THEN '0d0c9a5e-7b5b-4c42-9c0a-6b9b4e6d1f00'
                        WHEN id % 10 IN (9, 0) THEN 'f47ac10b-58cc-4372-a567-0e02b2c3d479'
                   END::uuid AS tenant
              FROM generate_series($1::bigint, $2::bigint) AS id) AS made)";

// What someone does who may do everything: no trigger and no constraint stands in the way.
constexpr const char* open_doors = R"(
    SET tickd.migration = 'on';
    DO $$ DECLARE each record; BEGIN
        FOR each IN SELECT conrelid::regclass AS of, conname FROM pg_constraint
                     WHERE conrelid IN ('unified_activity_log'::regclass,
                                        'tickd.activity_batch'::regclass,
                                        'tickd.activity_head'::regclass)
                       AND contype IN ('c', 'x', 'p')
        LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', each.of, each.conname); END LOOP;
    END $$;
    DROP INDEX tickd.activity_batch_tenant)";

constexpr const char* rehash_log = R"(
    UPDATE unified_activity_log l SET hash_sha256 = tickd.activity_row_hash(l);
    DO $$
    DECLARE
        b record; new_root bytea; edge bytea[] := '{}'; text_now text; last tickd.activity_tenant_head;
    BEGIN
        DELETE FROM tickd.activity_tenant_head;
        FOR b IN SELECT * FROM tickd.activity_batch ORDER BY index LOOP
            text_now := convert_from(b.record, 'UTF8');
            new_root := NULL;
            IF b.kind = 'seg' THEN
                SELECT tickd.activity_tree_root(array_agg(
                           sha256('\x00'::bytea || decode(hash_sha256, 'hex')) ORDER BY id))
                  INTO new_root FROM unified_activity_log
                 WHERE id >= b.first_id AND id < b.first_id + b.row_count;
                SELECT * INTO last FROM tickd.activity_tenant_head WHERE tenant_key =
                       coalesce(b.tenant_id, '00000000-0000-0000-0000-000000000000');
                text_now := regexp_replace(text_now, 'root [0-9a-f]{64}',
                                           'root ' || encode(new_root, 'hex'));
                text_now := regexp_replace(text_now, 'tprev [0-9a-f]{64}',
                    'tprev ' || coalesce(encode(last.last_entry, 'hex'), repeat('0', 64)));
                INSERT INTO tickd.activity_tenant_head (tenant_key, tseq, last_entry)
                VALUES (coalesce(b.tenant_id, '00000000-0000-0000-0000-000000000000'), b.tseq,
                        sha256(convert_to(text_now, 'UTF8')))
                ON CONFLICT (tenant_key) DO UPDATE
                   SET tseq = excluded.tseq, last_entry = excluded.last_entry;
            END IF;
            UPDATE tickd.activity_batch SET record = convert_to(text_now, 'UTF8'), root = new_root,
                   entry = sha256(convert_to(text_now, 'UTF8')) WHERE index = b.index;
            edge := tickd.activity_frontier(edge, b.index, sha256(convert_to(text_now, 'UTF8')));
        END LOOP;
        UPDATE tickd.activity_head SET frontier = edge, root = tickd.activity_root(edge),
               size = (SELECT count(*) FROM tickd.activity_batch);
    END $$)";

std::string quoted(const std::string& word) {
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + '\'';
}

// The number behind "name": in one line of JSON; `-` when it is not there.
std::string number_of(const std::string& line, const std::string& name) {
    const std::size_t at = line.find('"' + name + "\":");
    if (at == std::string::npos) return "-";
    const std::size_t begin = at + name.size() + 3;
    return line.substr(begin, line.find_first_of(",}", begin) - begin);
}

}  // namespace

tamper_site::tamper_site()
    : conninfo_(migrated_database(shared_cluster())), sql_(connect(conninfo_)) {
    for (const int first : {1, 11, 21, 41, 51, 61}) {
        const std::string from = std::to_string(first), to = std::to_string(first + 9);
        static_cast<void>(rows(sql_, insert_rows, {from, to}));
        static_cast<void>(rows(sql_, "SELECT tickd.seal_activity_rows($1, $2)", {from, to}));
    }
    static_cast<void>(rows(sql_, "SELECT tickd.append_activity_note('heartbeat', NULL, $1, $2)",
                           {"1767323045678902", "000102030405060708090a0b0c0d0e0f"}));
    origin_ = one(sql_, "SELECT origin FROM tickd.activity_head");
    notary_ = std::make_unique<log_signer>(origin_, 'k');
    std::filesystem::create_directory(outside());
    for (const std::string size : {"10", "20"}) {
        const std::string note = notary_->checkpoint(
            size, one(sql_, "SELECT encode(tickd.activity_log_root($1), 'base64')", {size}));
        static_cast<void>(rows(sql_,
                               "INSERT INTO tickd.activity_checkpoint (size, note) VALUES ($1, $2)",
                               {size, note}));
        std::ofstream(outside() + "/checkpoint-" + size, std::ios::binary) << note;
    }
    test::run(sql_, open_doors);
    test::run(sql_, "CREATE SCHEMA kept");
    for (const std::string table : tables) {
        test::run(sql_, "ALTER TABLE " + table + " DISABLE TRIGGER ALL");
        test::run(sql_, std::format("CREATE TABLE kept.{} AS TABLE {}",
                                    table.substr(table.find('.') + 1), table));
    }
}

void tamper_site::restore() {
    for (const std::string table : tables) {
        test::run(sql_, std::format("TRUNCATE {0}; INSERT INTO {0} SELECT * FROM kept.{1}", table,
                                    table.substr(table.find('.') + 1)));
    }
}

void tamper_site::rehash() { test::run(sql_, rehash_log); }

void tamper_site::sign_again(const log_signer& who) {
    for (const auto& row : rows(sql_,
                                "SELECT size, encode(tickd.activity_log_root(size), 'base64')"
                                " FROM tickd.activity_checkpoint")) {
        static_cast<void>(rows(sql_,
                               "UPDATE tickd.activity_checkpoint SET note = $2 WHERE size = $1",
                               {row[0], who.checkpoint(row[0], row[1])}));
    }
}

verification_request tamper_site::request() const {
    verification_request asked;
    asked.target.conninfo = as_user(conninfo_, "tickd_auditor");
    asked.jobs = 2;
    verify::hasher sha;
    asked.key = verify::parse_verifier_key(sha, notary_->vkey());
    for (const char* name : {"checkpoint-10", "checkpoint-20"}) {
        std::ifstream file(outside() + '/' + name, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        auto note = verify::parse_checkpoint(text);
        if (!note) throw std::runtime_error(note.error());
        asked.outside.push_back({name, std::move(*note)});
    }
    return asked;
}

std::set<finding_text> texts_of(const verify::findings& found) {
    std::set<finding_text> texts;
    for (const auto& each : found.kept()) {
        const std::string line = verify::to_json(each);
        texts.insert(std::format("{} {} {} {} {} {}", each.level, verify::to_string(each.what),
                                 number_of(line, "record"), number_of(line, "first_id"),
                                 number_of(line, "last_id"), number_of(line, "size")));
    }
    return texts;
}

std::set<finding_text> tamper_site::found_by_tickd() {
    const auto report = verify_activity(request(), [](auto, auto) {});
    if (!report) return {"could not verify: " + report.error()};
    return texts_of(report->found);
}

ended_process run_python_verifier(const std::vector<std::string>& arguments) {
    std::string command =
        "python3 " + quoted(TICKD_SOURCE_DIR "/clients/python/verify_activity.py");
    for (const std::string& each : arguments) command += ' ' + quoted(each);
    FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("popen failed");
    ended_process ended;
    std::array<char, 4096> part{};
    while (const std::size_t got = std::fread(part.data(), 1, part.size(), pipe)) {
        ended.out.append(part.data(), got);
    }
    const int status = ::pclose(pipe);
    ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return ended;
}

std::set<finding_text> tamper_site::found_by_python() {
    const ended_process ended =
        run_python_verifier({"--database", as_user(conninfo_, "tickd_auditor"), "--key",
                             notary_->vkey(), "--checkpoint", outside()});
    std::set<finding_text> texts;
    std::string_view rest = ended.out;
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        const std::string line(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (!line.starts_with("{\"finding\":\"")) continue;
        const std::string what = line.substr(12, line.find('"', 12) - 12);
        texts.insert(std::format("{} {} {} {} {} {}", number_of(line, "level"), what,
                                 number_of(line, "record"), number_of(line, "first_id"),
                                 number_of(line, "last_id"), number_of(line, "size")));
    }
    if (ended.exit_code != (texts.empty() ? 0 : 1)) return {"python: " + ended.out};
    return texts;
}

std::set<finding_text> tamper_site::found_by_sql() {
    pg_connection auditor = connect(as_user(conninfo_, "tickd_auditor"));
    std::set<finding_text> texts;
    for (const auto& row : rows(auditor, R"(
             SELECT concat_ws(' ', level, class, coalesce(record::text, '-'),
                              coalesce(first_id::text, '-'), coalesce(last_id::text, '-'),
                              coalesce(size::text, '-'))
               FROM tickd.check_activity())")) {
        texts.insert(row[0]);
    }
    return texts;
}

}  // namespace tickd::test
