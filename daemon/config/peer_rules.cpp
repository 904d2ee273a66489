#include "daemon/config/peer_rules.h"

#include <algorithm>
#include <charconv>
#include <format>
#include <ranges>

#include "ingest/limits.h"

namespace tickd {

namespace {

constexpr std::string_view any = "*";

[[nodiscard]] std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

// Cuts the first word off `rest`.
[[nodiscard]] std::string_view next_word(std::string_view& rest) {
    rest = trimmed(rest);
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest = trimmed(rest.substr(word.size()));
    return word;
}

[[nodiscard]] std::unexpected<std::string> wrong(std::string_view rule, std::string_view why) {
    return std::unexpected{
        std::format("must be `UID TENANT PRODUCER,PRODUCER` for each user, `;` between them, as in"
                    " \"1000 none *\"; {} in {}",
                    why, quoted(rule))};
}

[[nodiscard]] parsed<peer_rule> parse_rule(std::string_view text) {
    peer_rule rule;
    std::string_view rest = text;
    const std::string_view uid = next_word(rest);
    const char* const end = uid.data() + uid.size();
    if (const auto [stopped, error] = std::from_chars(uid.data(), end, rule.uid);
        uid.empty() || error != std::errc{} || stopped != end) {
        return wrong(text, "no user id");
    }
    const std::string_view tenant = next_word(rest);
    if (tenant != "none") {
        rule.tenant = ingest::parse_uuid(tenant);
        if (!rule.tenant) return wrong(text, "the tenant is neither none nor a UUID");
    }
    if (rest == any) {
        rule.any_producer = true;
        return rule;
    }
    for (const auto part : std::views::split(rest, ',')) {
        const std::string_view name = trimmed(std::string_view(part.begin(), part.end()));
        const auto checked = parse_text(name, ingest::limits::producer_chars_max);
        if (name.empty() || !checked) return wrong(text, "no producers, or one that is no name");
        rule.producers.push_back(*checked);
    }
    if (rule.producers.empty()) return wrong(text, "no producers");
    return rule;
}

}  // namespace

parsed<std::vector<peer_rule>> parse_peer_rules(std::string_view text) {
    std::vector<peer_rule> rules;
    if (trimmed(text).empty()) return rules;
    for (const auto part : std::views::split(text, ';')) {
        auto rule = parse_rule(trimmed(std::string_view(part.begin(), part.end())));
        if (!rule) return std::unexpected{std::move(rule.error())};
        if (std::ranges::contains(rules, rule->uid, &peer_rule::uid)) {
            return wrong(text, std::format("user id {} stands twice", rule->uid));
        }
        rules.push_back(std::move(*rule));
    }
    return rules;
}

std::string print_peer_rules(const std::vector<peer_rule>& rules) {
    std::string out;
    for (const peer_rule& rule : rules) {
        if (!out.empty()) out += "; ";
        out += std::format("{} {} ", rule.uid, rule.tenant ? ingest::to_text(*rule.tenant) : "none");
        if (rule.any_producer) out += any;
        for (std::size_t i = 0; i < rule.producers.size(); ++i) {
            out += (i == 0 ? "" : ",") + rule.producers[i];
        }
    }
    return out;
}

}  // namespace tickd
