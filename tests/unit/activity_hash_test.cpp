#include "ingest/activity_hash.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "ingest/copy_encode.h"
#include "tests/support/records.h"
#include "tests/support/tsv.h"

using tickd::test::from_hex;
using tickd::test::tsv_cell;
using tickd::test::tsv_row;

namespace {

std::string hex_of(const ingest::sha256_digest& digest) {
    const ingest::sha256_hex hex = ingest::to_hex(digest);
    return {hex.begin(), hex.end()};
}

// Behind the tag and the count: what row_hash is given.
std::string fields_of(const tsv_row& cells) {
    const std::string head = std::string(ingest::activity_row_tag).append("\0\x0a", 2);
    const std::string bytes = from_hex(cells[10].value());
    REQUIRE(bytes.starts_with(head));
    return bytes.substr(head.size());
}

ingest::optional_text text_of(const tsv_cell& cell) {
    return cell ? ingest::optional_text(*cell) : ingest::optional_text();
}

}  // namespace

TEST_CASE("rows hash to what another implementation computed", "[activity_hash]") {
    // One hasher for all: nothing of a row may reach the next.
    ingest::activity_hasher hasher;
    for (int round = 0; round < 2; ++round) {
        for (const tsv_row& cells : tickd::test::read_vectors("activity_rows.tsv")) {
            REQUIRE(cells.size() == 12);
            CAPTURE(*cells[0], *cells[3], round);
            CHECK(hex_of(hasher.row_hash(fields_of(cells))) == *cells[11]);
        }
    }
}

TEST_CASE("an event becomes exactly the bytes that are hashed, and their hash", "[activity_hash]") {
    ingest::activity_hasher hasher;
    for (const tsv_row& cells : tickd::test::read_vectors("activity_rows.tsv")) {
        const auto uuid_in = [](const tsv_cell& cell) {
            return cell ? ingest::parse_uuid(*cell) : std::nullopt;
        };
        ingest::block in;
        const std::uint16_t from = tickd::test::add_origin(in, {}, 0, 0);
        ingest::record event;
        event.kind = ingest::record_kind::activity;
        event.time_us = std::stoll(*cells[1]);
        event.agent_id = text_of(cells[2]);
        event.action_type = *cells[3];
        event.action_payload = *cells[4];
        event.user_id = uuid_in(cells[5]);
        event.session_id = uuid_in(cells[6]);
        event.metadata = text_of(cells[7]);
        event.tenant = uuid_in(cells[9]);
        in.keep(event, "raw", std::stoll(*cells[8]), from);
        ingest::byte_buffer out;
        append_event(in, in.events()[0], std::stoll(*cells[0]), hasher, out);

        CAPTURE(*cells[0], *cells[3]);
        const std::string expected =
            std::string("\0\x0b", 2) + fields_of(cells) + std::string("\0\0\0\x40", 4) + *cells[11];
        CHECK(std::string(out.view()) == expected);
    }
}

TEST_CASE("any changed bit changes the hash", "[activity_hash]") {
    ingest::activity_hasher hasher;
    std::string fields = fields_of(tickd::test::read_vectors("activity_rows.tsv").front());
    const ingest::sha256_digest whole = hasher.row_hash(fields);
    for (std::size_t i = 0; i < fields.size() * 8; ++i) {
        const auto bit = static_cast<char>(1U << (i % 8));
        fields[i / 8] = static_cast<char>(fields[i / 8] ^ bit);
        REQUIRE(hasher.row_hash(fields) != whole);
        fields[i / 8] = static_cast<char>(fields[i / 8] ^ bit);
    }
    CHECK(hasher.row_hash(fields) == whole);
}
