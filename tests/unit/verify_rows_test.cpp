// Rows and records of the verifier without a database: the published record vectors, every byte of
// a row changed in turn, COPY streams cut at every place, and records that only look like records.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <vector>

#include "tests/support/tsv.h"
#include "verify/copy_tuples.h"
#include "verify/encoding.h"
#include "verify/log_record.h"
#include "verify/merkle_tree.h"
#include "verify/rows_check.h"

using namespace verify;
using tickd::test::read_vectors;

namespace {

const std::string genesis =
    "ual-genesis/v1\norigin example.com/ual/test\nindex 0\nrow ual-row/v1\n"
    "time 1767323045000000\nnonce 000102030405060708090a0b0c0d0e0f\n";
const std::string batch =
    "ual-seg/v1\norigin example.com/ual/test\nindex 1\ntenant -\ntseq 1\n"
    "tprev 0000000000000000000000000000000000000000000000000000000000000000\nids 1 3\n"
    "root 48b47c98064f5bb2c08bad1e72828b8a99e7e90431295bdaaa99ed4a4d04d224\nsrc demo/0 0 3\n"
    "writer w1 1\ntime 1767323045678902\nnonce 101112131415161718191a1b1c1d1e1f\n";
const std::string heartbeat =
    "ual-heartbeat/v1\norigin example.com/ual/test\nindex 2\ntime 1767323105678902\n"
    "nonce 202122232425262728292a2b2c2d2e2f\n";

std::string int4(std::uint32_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
    return bytes;
}

// COPY BINARY of rows, each the ten fields without their count, with a hash behind.
std::string stream_of(const std::vector<std::pair<std::string, std::string>>& rows) {
    std::string bytes("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19);
    for (const auto& [fields, hash] : rows) {
        bytes += std::string("\0\x0b", 2) + fields + int4(64) + hash;
    }
    return bytes + "\xff\xff";
}

// The first three rows of the vectors, ids 1 to 3.
std::vector<std::pair<std::string, std::string>> vector_rows() {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const auto& row : read_vectors("activity_rows.tsv")) {
        rows.emplace_back(tickd::test::from_hex(row[10].value()).substr(13), row[11].value());
        if (rows.size() == 3) break;
    }
    return rows;
}

batch_rows batch_of(const std::vector<std::pair<std::string, std::string>>& rows) {
    hasher sha;
    growing_tree tree;
    for (const auto& row : rows) tree.append(sha, sha.leaf(sha.row(row.first)));
    return {.first_id = 1, .end_id = 4, .record = 1, .tenant = 0, .root = tree.root(sha)};
}

// How many findings there are; -1: the stream is wrong.
int findings_in(const std::string& stream, const batch_rows& committed) {
    const std::vector<std::string> tenants{""};
    rows_check check(std::span(&committed, 1), tenants);
    copy_reader reader(row_fields);
    reader.give(stream);
    while (const copy_tuple* const row = reader.next()) {
        if (!check.take(*row)) return -1;
    }
    if (!reader.ended()) return -1;
    check.finish();
    return static_cast<int>(check.found().count());
}

}  // namespace

TEST_CASE("record vectors have the published entries, leaves and roots") {
    hasher sha;
    growing_tree tree;
    const auto append = [&](const std::string& text) {
        const digest entry = sha.of(text);
        tree.append(sha, sha.leaf(entry));
        return to_hex(entry) + ' ' + to_hex(tree.root(sha));
    };
    CHECK(append(genesis) ==
          "c40145eb52fa026fbd4bb6c599315f7cef84e8c360539985825d9601086c5010 "
          "e91e92a78131b5095e3cea17ed101f0147af3f21c30918f79552bfbae343442c");
    CHECK(append(batch) ==
          "d02396ec0e2b77e4ff57ef469cad810c61e37552c11f47b6ee31c3f00db1e4ac "
          "f240245f1e5693c16a37586c81542fcb95ce7dd78a122b371949e3bef36132b8");
    CHECK(append(heartbeat) ==
          "2ea9a9bd2cb50d6636adb5c679d1717825d6c75b304874f197b7eb3aac43b25e "
          "4270a9017af36b00f89ff84552586494a7229a9f08c1ea6d302816cd10776341");
    // The three rows' root, in the format of nine fields it was published with.
    growing_tree rows;
    for (const char* const hash :
         {"a6ffcc5b2412a35f2e7079f15d10a2d668d706b1da739a2869ccc5b1fd3682fd",
          "70c5eb5a9fa3540d31e5afae84ad7318ae1ef106155d202da849b3ece6cdf168",
          "fac0d693c9cc43b8731483bf7cfc550e3acc7542e75b0558688c2d9c9875c941"}) {
        rows.append(sha, sha.leaf(digest_from_hex(hash).value()));
    }
    CHECK(rows.root(sha) == parse_record(batch).value().root);
}

TEST_CASE("records are read as they are written") {
    const auto record = parse_record(batch);
    REQUIRE(record);
    CHECK(record->kind == record_kind::batch);
    CHECK(record->origin == "example.com/ual/test");
    CHECK(record->index == 1);
    CHECK_FALSE(record->tenant);
    CHECK(record->tenant_sequence == 1);
    CHECK(record->first_id == 1);
    CHECK(record->row_count == 3);
    REQUIRE(record->sources.size() == 1);
    CHECK(record->sources[0].name == "demo/0");
    CHECK(record->sources[0].newest == 3);
    CHECK(record->time_us == 1767323045678902);
    CHECK(parse_record(genesis).value().row_format == "ual-row/v1");
    CHECK(parse_record(heartbeat).value().kind == record_kind::heartbeat);
}

TEST_CASE("a record with any line left out, doubled or spoilt is none") {
    for (const std::string& text : {genesis, batch, heartbeat}) {
        std::size_t begin = 0;
        while (begin < text.size()) {
            const std::size_t end = text.find('\n', begin) + 1;
            const std::string line = text.substr(begin, end - begin);
            INFO(line);
            const bool source = line.starts_with("src ");
            CHECK(parse_record(text.substr(0, begin) + text.substr(end)).has_value() == source);
            CHECK(parse_record(text.substr(0, end) + text.substr(begin)).has_value() == source);
            std::string spoilt = text;
            spoilt.insert(end - 1, begin == 0 ? "" : " x");
            if (begin != 0) {
                CHECK(parse_record(spoilt).has_value() ==
                      (line.starts_with("origin ") || line.starts_with("row ")));
            }
            spoilt = text;
            spoilt.insert(end - 1, "\r");
            CHECK_FALSE(parse_record(spoilt));
            begin = end;
        }
        CHECK_FALSE(parse_record(text.substr(0, text.size() - 1)));
        CHECK_FALSE(parse_record(text + '\n'));
    }
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"index 1", "index 01"},
             {"index 1", "index 9223372036854775808"},
             {"ids 1 3", "ids 1 0"},
             {"ids 1 3", "ids 9223372036854775807 3"},
             {"ids 1 3", "ids 1  3"},
             {"ids 1 3", "ids 1 3 "},
             {"tprev 00", "tprev 0A"},
             {"tenant -", "tenant --"},
             {"tenant -", "tenant 0D0C9A5E-7b5b-4c42-9c0a-6b9b4e6d1f00"},
             {"src demo/0 0 3", "src demo/0 4 3"},
             {"writer w1 1", "writer  1"}}) {
        std::string text = batch;
        text.replace(text.find(from), from.size(), to);
        INFO(to);
        CHECK_FALSE(parse_record(text));
    }
}

TEST_CASE("every byte of every field of a row counts") {
    const auto rows = vector_rows();
    const batch_rows committed = batch_of(rows);
    REQUIRE(findings_in(stream_of(rows), committed) == 0);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        for (std::size_t at = 0; at < rows[row].first.size(); ++at) {
            for (const unsigned bit : {1U, 128U}) {
                auto changed = rows;
                changed[row].first[at] =
                    static_cast<char>(static_cast<unsigned char>(changed[row].first[at]) ^ bit);
                INFO("row " << row << ", byte " << at);
                CHECK(findings_in(stream_of(changed), committed) != 0);
            }
        }
        for (std::size_t at = 0; at < 64; ++at) {
            auto changed = rows;
            changed[row].second[at] = changed[row].second[at] == '0' ? '1' : '0';
            CHECK(findings_in(stream_of(changed), committed) != 0);
        }
        auto fewer = rows;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(row));
        CHECK(findings_in(stream_of(fewer), committed) != 0);
        auto more = rows;
        more.insert(more.begin() + static_cast<std::ptrdiff_t>(row), rows[row]);
        CHECK(findings_in(stream_of(more), committed) != 0);
    }
}

TEST_CASE("a COPY stream may be cut anywhere, and is never taken for whole when it is not") {
    const auto rows = vector_rows();
    const std::string stream = stream_of(rows);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        INFO(cut);
        // Exact-size copies, so that a read behind a piece's end shows.
        const std::string first = stream.substr(0, cut), second = stream.substr(cut);
        copy_reader reader(row_fields);
        std::size_t seen = 0;
        for (const std::string& piece : {first, second}) {
            reader.give(piece);
            while (reader.next() != nullptr) ++seen;
            reader.keep();
        }
        CHECK(seen == rows.size());
        CHECK(reader.ended());

        copy_reader half(row_fields);
        half.give(first);
        while (half.next() != nullptr) {
        }
        CHECK(half.ended() == (cut == stream.size()));
    }
    CHECK(findings_in(stream + "x", batch_of(rows)) == -1);
}

TEST_CASE("hexadecimal, base64 and numbers have one text each") {
    for (const auto& [bytes, text] : std::vector<std::pair<std::string, std::string>>{
             {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}}) {
        CHECK(to_base64(bytes) == text);
        CHECK(from_base64(text) == bytes);
    }
    for (const char* const wrong :
         {"Zg", "Zg=", "Zg===", "Zh==", "Zm9v\n", "Z-9v", "=", "Zg==Zg=="}) {
        INFO(wrong);
        CHECK_FALSE(from_base64(wrong));
    }
    CHECK_FALSE(verify::from_hex("0A"));
    CHECK_FALSE(verify::from_hex("0"));
    CHECK(decimal("0") == 0);
    CHECK(decimal("9223372036854775807") == INT64_MAX);
    for (const char* const wrong : {"", "00", "+1", "-1", "1 ", "9223372036854775808", "0x1"}) {
        INFO(wrong);
        CHECK_FALSE(decimal(wrong));
    }
    CHECK(signed_decimal("-7") == -7);
    CHECK_FALSE(signed_decimal("-0"));
}
