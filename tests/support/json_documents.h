// JSON documents made to break a reader: a fixed list with known answers, and a seeded stream of
// random ones, most of them valid and some damaged. Same seed, same documents, on any machine.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/verdict.h"

namespace tickd::test {

struct known_document {
    std::string text;
    ingest::verdict expected;
    std::string normal_form;  // when accepted
};

// With a depth limit of 128.
[[nodiscard]] std::vector<known_document> known_documents();

class document_generator {
public:
    explicit document_generator(std::uint64_t seed) : random_(seed) {}

    // The next document, a few bytes to a few kilobytes; about one in seven is damaged: cut,
    // or with bytes changed, removed, doubled or added. May hold any byte.
    [[nodiscard]] std::string next();

    // A valid document whose numbers, depth and keys every limit allows.
    [[nodiscard]] std::string next_valid();

private:
    std::size_t below(std::size_t end) { return random_() % end; }
    bool one_in(std::size_t n) { return below(n) == 0; }
    void value(int depth);
    void object(int depth);
    void array(int depth);
    void string_literal(bool key);
    void character();
    void unicode_escape(std::uint32_t unit);
    void number();
    void digits(std::size_t count);
    void white();
    void damage();

    std::mt19937_64 random_;
    std::string text_;
    bool valid_only_ = false;
};

}  // namespace tickd::test
