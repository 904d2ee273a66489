#include "daemon/doctor/sqlstate_table.h"

#include <format>

#include "daemon/json_quoted.h"
#include "ingest/sqlstate_policy.h"

namespace tickd {

namespace {

// A state that no rule is about.
constexpr std::string_view unheard_of = "99999";

template <typename Use>
void for_each_action(Use use) {
    for (int i = 0; i <= static_cast<int>(ingest::failure_action::producer_lost); ++i) {
        use(static_cast<ingest::failure_action>(i));
    }
}

std::string_view kind_of(const ingest::sqlstate_rule& rule) {
    if (rule.prefix.empty()) return "none";
    return rule.prefix.size() == 2 ? "class" : "state";
}

}  // namespace

std::string sqlstate_text() {
    std::string text = std::format("{:<9}{:<17}{}\n", "SQLSTATE", "ACTION", "MEANING");
    const auto add = [&](std::string_view state, ingest::failure_action action,
                         std::string_view meaning) {
        text += std::format("{:<9}{:<17}{}\n", state, to_string(action), meaning);
    };
    for (const ingest::sqlstate_rule& rule : ingest::sqlstate_rules) {
        // A class is written with what stands for its states.
        const std::string state = rule.prefix.empty()       ? "-"
                                  : rule.prefix.size() == 2 ? std::string(rule.prefix) + "xxx"
                                                            : std::string(rule.prefix);
        add(state, rule.action, rule.meaning);
    }
    add("other", ingest::action_for(unheard_of), "a state that nobody has put into the table");
    text += "\nThe longest match decides. Only `isolate the row` may cost a row.\n\n";
    for_each_action([&](ingest::failure_action action) {
        text += std::format("{:<17}{}\n", to_string(action), explain(action));
    });
    return text;
}

std::string sqlstate_json() {
    std::string json = "{\"rules\":[";
    for (const ingest::sqlstate_rule& rule : ingest::sqlstate_rules) {
        if (json.back() != '[') json += ',';
        json += std::format(R"({{"sqlstate":{},"kind":"{}","action":{},"meaning":{}}})",
                            json_quoted(rule.prefix), kind_of(rule),
                            json_quoted(to_string(rule.action)), json_quoted(rule.meaning));
    }
    json += "],\"otherwise\":" + json_quoted(to_string(ingest::action_for(unheard_of))) +
            ",\"actions\":{";
    for_each_action([&](ingest::failure_action action) {
        if (json.back() != '{') json += ',';
        json += json_quoted(to_string(action)) + ':' + json_quoted(explain(action));
    });
    return json + "}}";
}

}  // namespace tickd
