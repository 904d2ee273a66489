#include "tests/support/json_documents.h"

#include <array>
#include <format>

namespace tickd::test {

std::string document_generator::next() {
    text_.clear();
    valid_only_ = false;
    white();
    value(static_cast<int>(below(7)));
    white();
    if (one_in(7)) damage();
    return text_;
}

std::string document_generator::next_valid() {
    text_.clear();
    valid_only_ = true;
    white();
    value(static_cast<int>(below(7)));
    white();
    return text_;
}

void document_generator::value(int depth) {
    if (!valid_only_ && one_in(2'000)) {  // deeper than any limit, or just not
        const std::size_t levels = 120 + below(16);
        const std::size_t close = one_in(8) ? levels - 1 : levels;
        text_ += std::string(levels, '[') + "1" + std::string(close, ']');
        return;
    }
    switch (below(depth > 0 ? 10 : 5)) {
        case 0: text_ += std::array{"true", "false", "null"}[below(3)]; break;
        case 1:
        case 2: number(); break;
        case 3:
        case 4: string_literal(false); break;
        case 5:
        case 6: array(depth - 1); break;
        default: object(depth - 1); break;
    }
}

void document_generator::object(int depth) {
    const std::size_t members = one_in(40) ? below(60) : below(6);
    text_ += '{';
    for (std::size_t i = 0; i < members; ++i) {
        if (i != 0) text_ += ',';
        white();
        if (valid_only_) {  // no key twice: a number of its own leads each
            const std::size_t begin = text_.size();
            string_literal(true);
            text_.insert(begin + 1, std::format("{}_", i * 7 % 61));
        } else {
            string_literal(true);
        }
        white();
        text_ += ':';
        white();
        value(depth);
        white();
    }
    text_ += '}';
}

void document_generator::array(int depth) {
    const std::size_t elements = below(6);
    text_ += '[';
    for (std::size_t i = 0; i < elements; ++i) {
        if (i != 0) text_ += ',';
        white();
        value(depth);
        white();
    }
    if (elements == 0) white();
    text_ += ']';
}

void document_generator::string_literal(bool key) {
    // Keys are short, of few letters and of like lengths, so that order and equality matter.
    const std::size_t length = one_in(25) ? below(200) : below(key ? 10 : 25);
    text_ += '"';
    for (std::size_t i = 0; i < length; ++i) {
        if (one_in(key ? 8 : 4)) {
            character();
        } else {
            text_ += static_cast<char>('a' + below(key ? 3 : 26));
        }
    }
    text_ += '"';
}

void document_generator::character() {
    constexpr std::array raw = {"\x7F",
                                " ",
                                "/",
                                "\xC2\x80",
                                "\xC3\xBF",
                                "\xE2\x80\xA8",
                                "\xE2\x80\xA9",
                                "\xEF\xBF\xBF",
                                "\xEF\xBB\xBF",
                                "\xF0\x90\x80\x80",
                                "\xF0\x9F\x98\x80",
                                "\xF4\x8F\xBF\xBF",
                                "\xED\x9F\xBF",
                                "\xEE\x80\x80",
                                "Z",
                                "'"};
    constexpr std::array escapes = {R"(\")", R"(\\)", R"(\/)", R"(\b)",
                                    R"(\f)", R"(\n)", R"(\r)", R"(\t)"};
    const std::size_t kind = below(100);
    if (kind < 35) {
        text_ += raw[below(raw.size())];
    } else if (kind < 60) {
        text_ += escapes[below(escapes.size())];
    } else if (kind < 75) {
        unicode_escape(static_cast<std::uint32_t>(1 + below(0xFF)));
    } else if (kind < 85) {
        unicode_escape(static_cast<std::uint32_t>(1 + below(0xD7FF)));
    } else if (kind < 95) {
        unicode_escape(static_cast<std::uint32_t>(0xD800 + below(0x400)));
        unicode_escape(static_cast<std::uint32_t>(0xDC00 + below(0x400)));
    } else if (kind < 99 || valid_only_ || !one_in(4)) {
        unicode_escape(static_cast<std::uint32_t>(0xE000 + below(0x2000)));
    } else {
        constexpr std::array wrong = {R"(\u0000)",    R"(\uD800)",
                                      R"(\uDFFF)",    R"(\uD834\uD834)",
                                      R"(\q)",        R"(\u12)",
                                      R"(\u12G4)",    R"(\U0041)",
                                      "\x1F",         "\n",
                                      "\xFF",         "\xC0\x80",
                                      "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                      R"(\uD800\n)",  R"(\x41)"};
        text_ += wrong[below(wrong.size())];
    }
}

void document_generator::unicode_escape(std::uint32_t unit) {
    text_ += one_in(2) ? std::format("\\u{:04x}", unit) : std::format("\\u{:04X}", unit);
}

void document_generator::number() {
    if (one_in(3)) text_ += '-';
    if (one_in(3)) {
        text_ += '0';
    } else {
        text_ += static_cast<char>('1' + below(9));
        digits(one_in(60) ? 380 + below(valid_only_ ? 10 : 40) : below(25));
    }
    if (one_in(2)) {
        text_ += '.';
        digits(1 + below(valid_only_ ? 8 : 12));
    }
    if (one_in(3)) {
        text_ += one_in(2) ? 'e' : 'E';
        text_ += std::array{"", "+", "-"}[below(3)];
        if (one_in(10)) text_ += "00";
        const std::size_t exponent = one_in(20) ? below(valid_only_ ? 400 : 450) : below(40);
        text_ += std::to_string(exponent);
    }
    if (!valid_only_ && one_in(300)) text_ += std::array{".", "e", "x", "0 1", "\f", "-"}[below(6)];
}

void document_generator::digits(std::size_t count) {
    const bool zeros = one_in(3);
    for (std::size_t i = 0; i < count; ++i) {
        text_ += static_cast<char>('0' + (zeros && !one_in(6) ? 0 : below(10)));
    }
}

void document_generator::white() {
    for (std::size_t n = one_in(3) ? below(4) : 0; n > 0; --n) text_ += " \n\r\t"[below(4)];
}

void document_generator::damage() {
    if (text_.empty()) return;
    constexpr std::string_view bytes("{}[]:,\"\\0-+.eEtu \n\f\0\x80\xC3\xFF", 23);
    for (std::size_t times = 1 + below(2); times > 0; --times) {
        const std::size_t place = below(text_.size() + 1);
        switch (below(5)) {
            case 0: text_.resize(place); break;
            case 1: text_.erase(place, 1 + below(3)); break;
            case 2: text_.insert(place, 1, bytes[below(bytes.size())]); break;
            case 3: text_.insert(place, text_.substr(place, 1 + below(12))); break;
            default:
                if (place < text_.size()) text_[place] = bytes[below(bytes.size())];
                break;
        }
        if (text_.empty()) text_ = " ";
    }
}

}  // namespace tickd::test
