// The normal form against the server itself: what `(x::jsonb)::text` gives is what normalize must
// give, and where the server refuses, so must normalize. TICKD_TEST_LONG=1 compares a million
// documents instead of twenty thousand; TICKD_TEST_SEED changes the documents.
#include <libpq-fe.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingest/json_normal_form.h"
#include "ingest/limits.h"
#include "tests/support/json_documents.h"
#include "tests/support/private_cluster.h"

using ingest::verdict;

namespace {

constexpr std::size_t documents_per_query = 2'000;
constexpr std::uint32_t bytea_oid = 17;

using connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

connection connected() {
    connection server(PQconnectdb(tickd::test::shared_cluster().conninfo().c_str()), &PQfinish);
    INFO(PQerrorMessage(server.get()));
    REQUIRE(PQstatus(server.get()) == CONNECTION_OK);
    // Documents travel as bytea: text parameters could not carry what is not UTF-8.
    const answer made(PQexec(server.get(), R"(
        CREATE OR REPLACE FUNCTION pg_temp.normal_form(document bytea) RETURNS text
        LANGUAGE plpgsql AS $$
        BEGIN
            RETURN (convert_from(document, 'UTF8')::jsonb)::text;
        EXCEPTION WHEN OTHERS THEN
            RETURN NULL;
        END $$)"),
                      &PQclear);
    REQUIRE(PQresultStatus(made.get()) == PGRES_COMMAND_OK);
    return server;
}

void append_int32(std::string& bytes, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
}

// The server's text of each document; nothing where it refuses.
std::vector<std::optional<std::string>> ask(PGconn* server,
                                            const std::vector<std::string>& documents) {
    std::string array;  // a one-dimensional bytea[] in binary: no NULLs, lower bound 1
    for (const std::uint32_t word :
         {1U, 0U, bytea_oid, static_cast<std::uint32_t>(documents.size()), 1U}) {
        append_int32(array, word);
    }
    for (const std::string& document : documents) {
        append_int32(array, static_cast<std::uint32_t>(document.size()));
        array += document;
    }
    const std::array<const char*, 1> values = {array.data()};
    const std::array<int, 1> lengths = {static_cast<int>(array.size())};
    const std::array<int, 1> formats = {1};
    const answer result(PQexecParams(server,
                                     "SELECT pg_temp.normal_form(d) FROM unnest($1::bytea[]) "
                                     "WITH ORDINALITY AS t(d, n) ORDER BY n",
                                     1, nullptr, values.data(), lengths.data(), formats.data(), 0),
                        &PQclear);
    INFO(PQerrorMessage(server));
    REQUIRE(PQresultStatus(result.get()) == PGRES_TUPLES_OK);
    REQUIRE(PQntuples(result.get()) == static_cast<int>(documents.size()));
    std::vector<std::optional<std::string>> texts;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
        if (PQgetisnull(result.get(), row, 0) != 0) {
            texts.emplace_back();
        } else {
            texts.emplace_back(std::in_place, PQgetvalue(result.get(), row, 0),
                               static_cast<std::size_t>(PQgetlength(result.get(), row, 0)));
        }
    }
    return texts;
}

// Verdicts by which normalize refuses what the server may well take.
bool stricter_by_design(verdict reason) {
    return reason == verdict::duplicate_key || reason == verdict::nested_too_deep ||
           reason == verdict::number_too_long || reason == verdict::value_too_long;
}

struct tally {
    std::size_t accepted = 0;
    std::size_t refused = 0;
    std::size_t refused_here_only = 0;
};

void compare(PGconn* server, const std::vector<std::string>& documents, tally& counts) {
    ingest::json_normalizer normalizer;
    ingest::byte_buffer out;
    const auto texts = ask(server, documents);
    for (std::size_t i = 0; i < documents.size(); ++i) {
        out.clear();
        const verdict reason =
            normalizer.normalize(documents[i], ingest::limits::json_depth_max, out);
        const bool same = reason == verdict::accepted ? texts[i] == out.view()
                                                      : !texts[i] || stricter_by_design(reason);
        if (!same) {
            FAIL("document: " << documents[i] << "\nhere: " << to_string(reason) << " "
                              << out.view() << "\nserver: " << texts[i].value_or("refused"));
        }
        if (reason == verdict::accepted) {
            ++counts.accepted;
        } else {
            ++(texts[i] ? counts.refused_here_only : counts.refused);
        }
    }
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_CASE("known documents are what the server makes of them", "[pg][json_normal_form]") {
    const connection server = connected();
    std::vector<std::string> documents;
    for (auto& known : tickd::test::known_documents()) documents.push_back(std::move(known.text));
    tally counts;
    compare(server.get(), documents, counts);
    CHECK(counts.accepted > 300);
    CHECK(counts.refused > 300);
}

TEST_CASE("random documents are what the server makes of them", "[pg][json_normal_form]") {
    const connection server = connected();
    const std::uint64_t seed = number_from_environment("TICKD_TEST_SEED", 17);
    const bool thorough = number_from_environment("TICKD_TEST_LONG", 0) != 0;
    const std::size_t count = thorough ? 1'000'000 : 20'000;
    INFO("TICKD_TEST_SEED=" << seed);
    tickd::test::document_generator generator(seed);
    std::vector<std::string> documents;
    tally counts;
    for (std::size_t done = 0; done < count; done += documents.size()) {
        documents.clear();
        while (documents.size() < documents_per_query) documents.push_back(generator.next());
        compare(server.get(), documents, counts);
    }
    CHECK(counts.accepted > count / 2);
    CHECK(counts.refused > count / 20);
    CHECK(counts.refused_here_only < count / 10);
}
