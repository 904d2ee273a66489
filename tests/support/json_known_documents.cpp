#include "tests/support/json_documents.h"

namespace tickd::test {
namespace {

using ingest::verdict;
using documents = std::vector<known_document>;

std::string repeated(std::string_view text, std::size_t times) {
    std::string result;
    for (std::size_t i = 0; i < times; ++i) result += text;
    return result;
}

constexpr std::string_view not_json_structures[] = {"",
                                                    " ",
                                                    "\n",
                                                    "[",
                                                    "]",
                                                    "{",
                                                    "}",
                                                    "[}",
                                                    "{]",
                                                    "[1,]",
                                                    "[,1]",
                                                    "[1 2]",
                                                    "[1,,2]",
                                                    "{\"a\"}",
                                                    "{\"a\":}",
                                                    "{\"a\":1,}",
                                                    "{,}",
                                                    "{\"a\" 1}",
                                                    "{1:2}",
                                                    "{a:1}",
                                                    "{\"a\":1 \"b\":2}",
                                                    "{\"a\":1}}",
                                                    "[1]]",
                                                    "1 2",
                                                    "[\"a\":1]",
                                                    "[1:2]",
                                                    "{\"a\":\"b\":1}",
                                                    "{\"a\":1:2}",
                                                    "{\"a\",\"b\"}",
                                                    "nul",
                                                    "nulll",
                                                    "True",
                                                    "TRUE",
                                                    "tru e",
                                                    "truefalse",
                                                    "[true false]",
                                                    "NaN",
                                                    "Infinity",
                                                    "-Infinity",
                                                    "undefined",
                                                    "'a'",
                                                    "//1",
                                                    "/**/1",
                                                    "1//",
                                                    "[1\f]",
                                                    "[\v1]",
                                                    "\xC2\xA0[]",
                                                    "[]\xC2\xA0",
                                                    "\xEF\xBB\xBF[]",
                                                    "\xEF\xBB\xBF",
                                                    "[\"a\",\n4\n,1,",
                                                    "\"a\"b",
                                                    "1\"a\"",
                                                    "true\"a\"",
                                                    "[\"a\"\"b\"]",
                                                    "{\"a\":{\"b\":[1}}",
                                                    "{\"a\":[1,{]}}",
                                                    "\x1A",
                                                    ":",
                                                    ","};

void add_structure(documents& all) {
    const auto accepted = [&all](std::string text, std::string normal) {
        all.push_back({std::move(text), verdict::accepted, std::move(normal)});
    };
    accepted("null", "null");
    accepted(" \t\r\n true \t\r\n ", "true");
    accepted("[]", "[]");
    accepted("{ }", "{}");
    accepted("[ [ ] , { } ]", "[[], {}]");
    accepted("[1,2,3]", "[1, 2, 3]");
    accepted(R"({"a":{"b":[{"c":null}]}})", R"({"a": {"b": [{"c": null}]}})");
    for (const std::string_view text : not_json_structures) {
        all.push_back({std::string(text), verdict::not_json, {}});
    }
    all.push_back({std::string("[1]\0", 4), verdict::not_json, {}});
    all.push_back({std::string("\0", 1), verdict::not_json, {}});
    all.push_back({std::string("[1\0]", 4), verdict::not_json, {}});
}

void add_depth(documents& all) {
    for (const std::string_view pair : {"[]", "{}"}) {
        const std::string open = pair == "[]" ? "[" : R"({"k":)";
        const std::string open_normal = pair == "[]" ? "[" : R"({"k": )";
        const std::string close(1, pair[1]);
        const std::string in_128 = repeated(open, 128) + "1" + repeated(close, 128);
        all.push_back(
            {in_128, verdict::accepted, repeated(open_normal, 128) + "1" + repeated(close, 128)});
        all.push_back(
            {repeated(open, 129) + "1" + repeated(close, 129), verdict::nested_too_deep, {}});
        all.push_back({repeated(open, 128) + std::string(pair) + repeated(close, 128),
                       verdict::nested_too_deep,
                       {}});
        all.push_back({repeated(open, 100'000), verdict::nested_too_deep, {}});
        all.push_back({repeated(open, 128), verdict::not_json, {}});
    }
    // Many levels after one another are not many levels within one another.
    all.push_back({"[" + repeated("[[[]]],", 1'000) + "1]", verdict::accepted,
                   "[" + repeated("[[[]]], ", 1'000) + "1]"});
}

void add_strings(documents& all) {
    const auto accepted = [&all](std::string text, std::string normal) {
        all.push_back({std::move(text), verdict::accepted, std::move(normal)});
    };
    accepted(R"("")", R"("")");
    accepted(R"("\"\\\/\b\f\n\r\t")", R"("\"\\/\b\f\n\r\t")");
    accepted(R"("\u0022\u005c\u002f\u0008\u000c\u000a\u000D\u0009")", R"("\"\\/\b\f\n\r\t")");
    accepted(R"("\u0001\u001F\u007f\u0080")", "\"\\u0001\\u001f\x7F\xC2\x80\"");
    accepted(R"("\u00e9\u20AC\uFFFF")", "\"\xC3\xA9\xE2\x82\xAC\xEF\xBF\xBF\"");
    accepted(R"("\uD83D\uDE00\ud800\udc00\uDBFF\uDFFF")",
             "\"\xF0\x9F\x98\x80\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"");
    accepted("\"\xE2\x80\xA8\xE2\x80\xA9\x7F\xEF\xBB\xBF\"",
             "\"\xE2\x80\xA8\xE2\x80\xA9\x7F\xEF\xBB\xBF\"");
    accepted(R"("\\u0000")", R"("\\u0000")");
    accepted(R"(["\\","\"",""])", R"(["\\", "\"", ""])");
    for (std::size_t length = 0; length < 40; ++length) {  // every alignment of the fast scan
        const std::string run(length, 'x');
        accepted("\"" + run + "\\u0041" + run + "\\n" + run + "\"",
                 "\"" + run + "A" + run + "\\n" + run + "\"");
        all.push_back({"\"" + run + "\x1F" + run + "\"", verdict::not_json, {}});
        all.push_back({"\"" + run, verdict::not_json, {}});
        all.push_back({"\"" + run + "\\\"", verdict::not_json, {}});
        all.push_back({"\"" + run + "\xC3" + run + "\"", verdict::not_utf8, {}});
    }
    for (const std::string text :
         {R"("\)", R"("\u)", R"("\u0)", R"("\u004)", R"("\u0041)", R"("\q")", R"("\U0041")",
          R"("\u004g")", R"("\u 041")", R"("\a")", R"("\0")", R"("\x41")", R"("\')", R"("\u+041")",
          R"("\uD800\u12")", R"("\u12")", R"("\u")"}) {
        all.push_back({text, verdict::not_json, {}});
    }
    for (const std::string text : {R"("\uD800")", R"("\uDFFF")", R"("\uDC00\uD800")",
                                   R"("\uD834\uD834\uDD1E")", R"("\uD800x")", R"("\uD800\n")",
                                   R"("\uD800A")", R"("\udbff\ue000")", R"({"\uDEAD":1})"}) {
        all.push_back({text, verdict::lone_surrogate, {}});
    }
    all.push_back({R"("a\u0000b")", verdict::nul_character, {}});
    all.push_back({R"({"\u0000":1})", verdict::nul_character, {}});
    for (const std::string text :
         {"\"\xFF\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\"", "\"\xF4\x90\x80\x80\"", "\"\xE2\x82\"",
          "[\xFF]", "\xFE", "\"\x80\"", "{\"\xC3\":1}"}) {
        all.push_back({text, verdict::not_utf8, {}});
    }
}

void add_keys(documents& all) {
    const auto accepted = [&all](std::string text, std::string normal) {
        all.push_back({std::move(text), verdict::accepted, std::move(normal)});
    };
    accepted(R"({"bb":1,"a":2,"":3})", R"({"": 3, "a": 2, "bb": 1})");
    accepted(R"({"b":1,"a":{"d":1,"c":[{"f":1,"e":2}]}})",
             R"({"a": {"c": [{"e": 2, "f": 1}], "d": 1}, "b": 1})");
    accepted(R"({"a":1,"B":2,"b":3,"A":4})", R"({"A": 4, "B": 2, "a": 1, "b": 3})");
    // Length is of the decoded key in UTF-8 bytes, not of its escapes and not in characters.
    accepted(R"({"zzz":1,"\u0041":2})", R"({"A": 2, "zzz": 1})");
    accepted(R"({"\n\n":1,"abc":2,"a":3})", R"({"a": 3, "\n\n": 1, "abc": 2})");
    accepted(R"({"\u20ac":1,"zz":2,"zzz":3})", "{\"zz\": 2, \"zzz\": 3, \"\xE2\x82\xAC\": 1}");
    accepted(R"({"\uD83D\uDE00":1,"\uFFFF\u0041":2})",
             "{\"\xEF\xBF\xBF"
             "A\": 2, \"\xF0\x9F\x98\x80\": 1}");
    accepted(R"({"\"":1,"!":2,"#":3,"\\":4,"]":5,"[":6})",
             R"({"!": 2, "\"": 1, "#": 3, "[": 6, "\\": 4, "]": 5})");
    accepted(R"({"\u0001":1,"\t":2,"\u001f":3," ":4})",
             R"({"\u0001": 1, "\t": 2, "\u001f": 3, " ": 4})");
    for (std::size_t length = 1; length < 20; ++length) {  // keys that differ in one byte
        const std::string base(length, 'm');
        for (std::size_t place = 0; place < length; ++place) {
            std::string low = base, high = base;
            low[place] = 'a';
            high[place] = '\x7F';
            const std::string normal =
                "{\"" + low + "\": 1, \"" + base + "\": 2, \"" + high + "\": 3}";
            accepted("{\"" + high + "\":3,\"" + base + "\":2,\"" + low + "\":1}", normal);
            accepted("{\"" + base + "\":2,\"" + high + "\":3,\"" + low + "\":1}", normal);
            all.push_back({"{\"" + high + "\":3,\"" + low + "\":2,\"" + high + "\":1}",
                           verdict::duplicate_key,
                           {}});
        }
    }
    for (const std::string text :
         {R"({"a":1,"a":1})", R"({"a":1,"\u0061":2})", R"({"b":1,"a":1,"b":1})",
          R"([{"x":{"":1,"":2}}])", R"({"\n":1,"\u000a":2})", R"({"\/":1,"/":2})",
          "{\"\\u20ac\":1,\"a\":2,\"\xE2\x82\xAC\":3}", R"({"a":{"b":1},"c":{"b":1,"bb":2,"b":3}})",
          R"({"12345678x":1,"a":0,"12345678x":1})"}) {
        all.push_back({text, verdict::duplicate_key, {}});
    }
    accepted(R"({"a":{"a":{"a":1}},"b":{"a":1}})", R"({"a": {"a": {"a": 1}}, "b": {"a": 1}})");
}

void add_numbers(documents& all) {
    const auto accepted = [&all](std::string text, std::string normal) {
        all.push_back({std::move(text), verdict::accepted, std::move(normal)});
    };
    accepted("1e-9", "0.000000001");
    accepted("1E5", "100000");
    accepted("-0", "0");
    accepted("-0.0", "0.0");
    accepted("-0.00e1", "0.0");
    accepted("0.1", "0.1");
    accepted("999999999999.99999999", "999999999999.99999999");
    accepted("1000000000000", "1000000000000");
    accepted("0e5", "0");
    accepted("0.00e-3", "0.00000");
    accepted("0.00e5", "0");
    accepted("1.230e-5", "0.00001230");
    accepted("1E30", "1" + std::string(30, '0'));
    accepted("1.50e1", "15.0");
    accepted("1.10", "1.10");
    accepted("-1.5e-1", "-0.15");
    accepted("12.345e1", "123.45");
    accepted("12.345e3", "12345");
    accepted("12.345e4", "123450");
    accepted("0.0012e2", "0.12");
    accepted("0.0012e3", "1.2");
    accepted("0.0012e5", "120");
    accepted("123e-3", "0.123");
    accepted("123e-2", "1.23");
    accepted("1e0", "1");
    accepted("1.5E+0", "1.5");
    accepted("1e-0", "1");
    accepted("1e+0002", "100");
    accepted("9223372036854775808", "9223372036854775808");
    accepted("0.30000000000000004", "0.30000000000000004");
    accepted(std::string(400, '9'), std::string(400, '9'));
    accepted("-0." + std::string(399, '0'), "0." + std::string(399, '0'));
    accepted("1e400", "1" + std::string(400, '0'));
    accepted("1e-400", "0." + std::string(399, '0') + "1");
    accepted("0e400", "0");
    for (const std::string& text :
         {std::string(401, '9'), "0." + std::string(400, '0'), std::string("1e401"),
          std::string("1e-401"), std::string("1e99999999999999999999"), std::string("0e401"),
          "1" + std::string(200, '0') + "." + std::string(200, '0')}) {
        all.push_back({text, verdict::number_too_long, {}});
    }
    for (const std::string text :
         {"-",   "+1",  "01",    "-01",   "00",           "1.",  ".5",    "1.e1", "1e",
          "1e+", "1e-", "1e1.5", "0x1",   "1_0",          "--1", "1.2.3", "-a",   "1a",
          "1,",  "0 0", "-.5",   "1E+-2", "\xEF\xBC\x91", "0-",  "1-1"}) {
        all.push_back({text, verdict::not_json, {}});
        all.push_back({"[" + text + "]", verdict::not_json, {}});
    }
}

}  // namespace

documents known_documents() {
    documents all;
    add_structure(all);
    add_depth(all);
    add_strings(all);
    add_keys(all);
    add_numbers(all);
    return all;
}

}  // namespace tickd::test
