#include "ingest/json_walk.h"

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <string>

#include "ingest/json_normal_form.h"
#include "ingest/limits.h"
#include "tests/support/json_documents.h"

using ingest::byte_buffer;
using ingest::verdict;
namespace ondemand = simdjson::ondemand;

namespace {

constexpr std::uint32_t depth_max = ingest::limits::json_depth_max;

// Walks `{"before":1,"value":<text>,"after":2}` as a record's parser does, and normalizes the value
// in its middle: what comes of the value, or the verdict on what follows it.
struct walker {
    ondemand::parser parser;
    ingest::json_scratch scratch;
    byte_buffer out;

    verdict walk(const std::string& text) {
        const simdjson::padded_string line("{\"before\":\"1\",\"value\":" + text + ",\"after\":2}");
        out.clear();
        ondemand::document document;
        ondemand::object object;
        if (auto error = parser.iterate(line).get(document)) return ingest::verdict_of(error);
        if (auto error = document.get_object().get(object)) return ingest::verdict_of(error);
        std::size_t members = 0;
        for (auto step : object) {
            ondemand::field field;
            if (auto error = std::move(step).get(field)) return ingest::verdict_of(error);
            ++members;
            const bool wanted = field.key() == "value";
            byte_buffer ignored;
            const verdict read =
                ingest::normalize_value(field.value(), depth_max, scratch, wanted ? out : ignored);
            if (read != verdict::accepted) return read;
        }
        if (!document.at_end() || members != 3) return verdict::not_json;
        return verdict::accepted;
    }
};

// Calls `use` with the document's root object.
template <typename function>
auto with_object(const std::string& text, function use) {
    ondemand::parser parser;
    const simdjson::padded_string padded(text);
    ondemand::document document;
    ondemand::object object;
    REQUIRE(parser.iterate(padded).get(document) == simdjson::SUCCESS);
    REQUIRE(document.get_object().get(object) == simdjson::SUCCESS);
    return use(object);
}

}  // namespace

TEST_CASE("a value inside a document normalizes as it does alone", "[json_walk]") {
    walker walk;
    for (const auto& [text, expected, normal] : tickd::test::known_documents()) {
        INFO(text.substr(0, 200));
        if (expected == verdict::accepted) {
            REQUIRE(walk.walk(text) == verdict::accepted);
            REQUIRE(walk.out.view() == normal);
        } else {
            REQUIRE(walk.walk(text) != verdict::accepted);
        }
    }
}

TEST_CASE("random values normalize the same both ways", "[json_walk]") {
    walker walk;
    ingest::json_normalizer normalizer;
    byte_buffer alone;
    tickd::test::document_generator documents(21);
    for (int round = 0; round < 20'000; ++round) {
        const std::string text = documents.next();
        alone.clear();
        const verdict expected = normalizer.normalize(text, depth_max, alone);
        INFO(text);
        const verdict result = walk.walk(text);
        // `1,"x":2` is no JSON text, but in its place it is another member, which `walk` refuses.
        REQUIRE((result == verdict::accepted) == (expected == verdict::accepted));
        if (expected == verdict::accepted) REQUIRE(walk.out.view() == alone.view());
        REQUIRE(walk.scratch.members.empty());
        REQUIRE(walk.scratch.keys.size() == 0);
    }
}

TEST_CASE("what simdjson would pass over is refused", "[json_walk]") {
    walker walk;
    for (const std::string text :
         {R"("a":1)", "1:2", "tru", "nulll", "01", R"("\q")", R"({"a":"b":1})", R"({"a":[1})",
          R"({"x" "y"})", R"([[1}])", "[1]]", "{}}", "", "1 2", R"({"a":1]})"}) {
        INFO(text);
        CHECK(walk.walk(text) != verdict::accepted);
    }
}

TEST_CASE("an object is written from members of several origins", "[json_walk]") {
    ingest::json_scratch scratch;
    byte_buffer out;
    out.append("before ");
    const verdict done =
        with_object(R"({"venue":"X\/Y","lot":1e2,"more":{"zz":1,"a":[2]}})", [&](auto& object) {
            ingest::object_writer writer(scratch, out, depth_max);
            CHECK(writer.empty());
            CHECK(out.view() == "before ");
            for (auto step : object) {
                ondemand::field field;
                REQUIRE(std::move(step).get(field) == simdjson::SUCCESS);
                if (field.key() == "more") {
                    ondemand::object more;
                    REQUIRE(field.value().get_object().get(more) == simdjson::SUCCESS);
                    REQUIRE(writer.add_all(more) == verdict::accepted);
                } else {
                    const std::string key(field.key().raw(), field.key_raw_json_token().size() - 2);
                    REQUIRE(writer.add(key, field.value()) == verdict::accepted);
                }
                CHECK_FALSE(writer.empty());
            }
            return writer.finish();
        });
    CHECK(done == verdict::accepted);
    CHECK(out.view() == R"(before {"a": [2], "zz": 1, "lot": 100, "venue": "X/Y"})");
    CHECK(scratch.members.empty());
}

TEST_CASE("a value may be normalized while an object is being written", "[json_walk]") {
    ingest::json_scratch scratch;
    byte_buffer metadata, payload;
    const std::string text =
        R"({"z\n":1,"payload":{"bb":[{"y\t":1,"x":2}],"a":2},"b":{"d":3,"c":4}})";
    const verdict done = with_object(text, [&](auto& object) {
        ingest::object_writer writer(scratch, metadata, depth_max);
        for (auto step : object) {
            ondemand::field field;
            REQUIRE(std::move(step).get(field) == simdjson::SUCCESS);
            std::string_view key;
            REQUIRE(field.unescaped_key().get(key) == simdjson::SUCCESS);
            const verdict read = key == "payload" ? ingest::normalize_value(
                                                        field.value(), depth_max, scratch, payload)
                                                  : writer.add(key, field.value());
            REQUIRE(read == verdict::accepted);
        }
        return writer.finish();
    });
    CHECK(done == verdict::accepted);
    CHECK(metadata.view() == R"({"b": {"c": 4, "d": 3}, "z\n": 1})");
    CHECK(payload.view() == R"({"a": 2, "bb": [{"x": 2, "y\t": 1}]})");
}

TEST_CASE("an object written member by member refuses what a whole one does", "[json_walk]") {
    ingest::json_scratch scratch;
    byte_buffer out;
    const auto write = [&](const std::string& text, std::string_view key, std::uint32_t depth) {
        return with_object(text, [&](auto& object) {
            out.clear();
            ingest::object_writer writer(scratch, out, depth);
            for (auto step : object) {
                ondemand::field field;
                REQUIRE(std::move(step).get(field) == simdjson::SUCCESS);
                const verdict read = writer.add(key, field.value());
                if (read != verdict::accepted) return read;
            }
            return writer.finish();
        });
    };
    CHECK(write("{}", "k", 1) == verdict::accepted);
    CHECK(out.view() == "{}");
    CHECK(write(R"({"a":1})", "k", 1) == verdict::accepted);
    CHECK(write(R"({"a":1,"b":2})", "k", 1) == verdict::duplicate_key);
    CHECK(write(R"({"a":1})", std::string_view("k\0", 2), 1) == verdict::nul_character);
    CHECK(write(R"({"a":[]})", "k", 1) == verdict::nested_too_deep);
    CHECK(write(R"({"a":[]})", "k", 2) == verdict::accepted);
    CHECK(write(R"({"a":1})", "k", 0) == verdict::nested_too_deep);
    CHECK(write(R"({"a":"\udc00"})", "k", 1) == verdict::lone_surrogate);
    CHECK(write(R"({"a":"\u0000"})", "k", 1) == verdict::nul_character);
    CHECK(write(R"({"a":1e999})", "k", 1) == verdict::number_too_long);
    CHECK(write(R"({"a":1e})", "k", 1) == verdict::not_json);

    const auto write_all = [&](const std::string& text, std::uint32_t depth) {
        return with_object(text, [&](auto& object) {
            out.clear();
            ingest::object_writer writer(scratch, out, depth);
            const verdict read = writer.add_all(object);
            return read == verdict::accepted ? writer.finish() : read;
        });
    };
    CHECK(write_all(R"({"b":1,"a":{}})", 2) == verdict::accepted);
    CHECK(out.view() == R"({"a": {}, "b": 1})");
    CHECK(write_all(" { } ", 1) == verdict::accepted);
    CHECK(out.view() == "{}");
    CHECK(write_all(R"({"b":1,"a":{}})", 1) == verdict::nested_too_deep);
    CHECK(write_all("{}", 0) == verdict::nested_too_deep);
    CHECK(write_all(R"({"a":1,"b":2,"a":3})", 1) == verdict::duplicate_key);
    CHECK(write_all(R"({"a":[1}})", 3) == verdict::not_json);
    CHECK(scratch.members.empty());
    CHECK(scratch.keys.size() == 0);
}

TEST_CASE("simdjson's errors become verdicts", "[json_walk]") {
    CHECK(ingest::verdict_of(simdjson::SUCCESS) == verdict::accepted);
    CHECK(ingest::verdict_of(simdjson::UTF8_ERROR) == verdict::not_utf8);
    CHECK(ingest::verdict_of(simdjson::DEPTH_ERROR) == verdict::nested_too_deep);
    CHECK(ingest::verdict_of(simdjson::INCORRECT_TYPE) == verdict::wrong_type);
    CHECK(ingest::verdict_of(simdjson::NO_SUCH_FIELD) == verdict::missing_field);
    CHECK(ingest::verdict_of(simdjson::SCALAR_DOCUMENT_AS_VALUE) == verdict::not_object);
    for (int code = simdjson::SUCCESS + 1; code < simdjson::NUM_ERROR_CODES; ++code) {
        CHECK(ingest::verdict_of(static_cast<simdjson::error_code>(code)) != verdict::accepted);
    }
}
