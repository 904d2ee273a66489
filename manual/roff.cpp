#include "manual/roff.h"

#include <algorithm>
#include <cctype>
#include <format>

namespace manual {

std::string roff(std::string_view plain) {
    std::string out;
    bool line_begins = true;
    for (const char c : plain) {
        if (line_begins && (c == '.' || c == '\'')) out += "\\&";
        line_begins = c == '\n';
        switch (c) {
            case '\\': out += "\\e"; break;
            case '-': out += "\\-"; break;
            case '^': out += "\\(ha"; break;
            case '~': out += "\\(ti"; break;
            case '`': out += "\\(ga"; break;
            case '\'': out += "\\(aq"; break;
            default: out += c;
        }
    }
    return out;
}

std::string bold(std::string_view plain) { return std::format("\\fB{}\\fP", roff(plain)); }
std::string italic(std::string_view plain) { return std::format("\\fI{}\\fP", roff(plain)); }

std::string roff_of_markdown(std::string_view text) {
    std::string out;
    const auto up_to = [&](std::string_view end) {
        const std::size_t at = text.find(end);
        const std::string_view part = text.substr(0, at);
        text.remove_prefix(at == std::string_view::npos ? text.size() : at + end.size());
        return part;
    };
    while (!text.empty()) {
        out += roff(text.substr(0, text.find_first_of("`*[")));
        text.remove_prefix(std::min(text.size(), text.find_first_of("`*[")));
        if (text.starts_with("`")) {
            text.remove_prefix(1);
            out += bold(up_to("`"));
        } else if (text.starts_with("**")) {
            text.remove_prefix(2);
            out += bold(up_to("**"));
        } else if (text.starts_with("[") && text.contains("](")) {
            text.remove_prefix(1);
            out += roff_of_markdown(up_to("]("));
            static_cast<void>(up_to(")"));
        } else if (!text.empty()) {
            out += roff(text.substr(0, 1));
            text.remove_prefix(1);
        }
    }
    return out;
}

std::string verbatim(std::string_view lines) {
    std::string out = roff(lines);
    while (out.ends_with('\n')) out.pop_back();
    return std::format(".PP\n.RS 4\n.nf\n{}\n.fi\n.RE\n", out);
}

std::string title(std::string_view name, int section, std::string_view version) {
    std::string capitals;
    for (const char c : name) {
        capitals += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return std::format(".TH {} {} \"\" \"tickd {}\" \"tickd's manual\"\n", capitals, section,
                       version);
}

std::string item(std::string_view term, std::string_view text) {
    return std::format(".TP\n{}\n{}\n", term, text);
}

}  // namespace manual
