#include "daemon/config/mask_password.h"

#include <algorithm>

namespace tickd {

namespace {

constexpr std::string_view mask = "***";

bool is_secret(std::string_view keyword) {
    return keyword == "password" || keyword == "sslpassword";
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string mask_query(std::string_view query) {
    std::string out;
    while (!query.empty()) {
        const std::string_view part = query.substr(0, query.find('&'));
        const std::size_t equals = part.find('=');
        if (equals != std::string_view::npos && is_secret(part.substr(0, equals))) {
            out += part.substr(0, equals + 1);
            out += mask;
        } else {
            out += part;
        }
        query.remove_prefix(part.size());
        if (!query.empty()) {
            out += '&';
            query.remove_prefix(1);
        }
    }
    return out;
}

// scheme://user:password@host:port,host:port/database?keyword=value&...
std::string mask_uri(std::string_view uri) {
    const std::size_t begin = uri.find("://") + 3;
    std::string out;
    // The last `@` of all: a password that should have been percent-encoded may hold `@`, `/`, `?`.
    const std::size_t at = uri.rfind('@');
    const std::size_t colon = uri.find(':', begin);
    std::size_t rest = 0;
    if (at != std::string_view::npos && colon < at) {
        out += uri.substr(0, colon + 1);
        out += mask;
        rest = at;
    }
    const std::size_t question = uri.find('?', std::max(rest, begin));
    if (question == std::string_view::npos) return out + std::string{uri.substr(rest)};
    out += uri.substr(rest, question + 1 - rest);
    return out + mask_query(uri.substr(question + 1));
}

// Where a value ends: quoted with `'` and `\` escapes, or bare up to a space.
std::size_t value_end(std::string_view text, std::size_t begin) {
    const bool in_quotes = begin < text.size() && text[begin] == '\'';
    std::size_t i = in_quotes ? begin + 1 : begin;
    for (; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (in_quotes && text[i] == '\'') {
            return i + 1;
        } else if (!in_quotes && is_space(text[i])) {
            return i;
        }
    }
    return text.size();
}

// keyword = 'value' keyword=value ...
std::string mask_keywords(std::string_view text) {
    std::string out;
    std::size_t i = 0;
    while (i < text.size()) {
        const std::size_t keyword = i;
        while (i < text.size() && !is_space(text[i]) && text[i] != '=') ++i;
        const bool secret = is_secret(text.substr(keyword, i - keyword));
        while (i < text.size() && is_space(text[i])) ++i;
        if (i == text.size() || text[i] != '=') {
            if (i == keyword) ++i;
            out += text.substr(keyword, i - keyword);
            continue;
        }
        ++i;
        while (i < text.size() && is_space(text[i])) ++i;
        out += text.substr(keyword, i - keyword);
        const std::size_t end = value_end(text, i);
        out += secret ? mask : text.substr(i, end - i);
        i = end;
    }
    return out;
}

}  // namespace

std::string mask_password(std::string_view connection) {
    const bool uri =
        connection.starts_with("postgres://") || connection.starts_with("postgresql://");
    return uri ? mask_uri(connection) : mask_keywords(connection);
}

}  // namespace tickd
