#include "manual/options.h"

#include <algorithm>
#include <sstream>
#include <string_view>

namespace manual {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
    return app.get_options([&](const CLI::Option* each) {
        return each->nonpositional() && each != app.get_help_ptr();
    });
}

std::vector<const CLI::Option*> positionals_of(const CLI::App& app) {
    return app.get_options([](const CLI::Option* each) { return each->get_positional(); });
}

std::string path_of(const CLI::App& app) {
    const CLI::App* const parent = app.get_parent();
    return parent == nullptr ? app.get_name() : path_of(*parent) + ' ' + app.get_name();
}

std::vector<std::string> names_of(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const std::string& each : option.get_snames()) names.push_back('-' + each);
    for (const std::string& each : option.get_lnames()) names.push_back("--" + each);
    return names;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string value_name(const CLI::Option& option) {
    const std::string whole = option.get_type_name();
    std::string name = whole.substr(0, whole.find_first_of(":{ "));
    if (!name.empty()) return name;
    return option.get_positional() ? option.get_name(true) : "WORD";
}

std::vector<std::string> choices_of(const CLI::Option& option) {
    // CLI11 describes them as `{a,b}`, or as `value in {a->0,b->1} OR {0,1}`.
    const std::string whole = option.get_type_name();
    const std::size_t begin = whole.find('{');
    const std::size_t end = whole.find('}', begin);
    if (begin == std::string::npos || end == std::string::npos) return {};
    std::istringstream list{whole.substr(begin + 1, end - begin - 1)};
    std::vector<std::string> words;
    for (std::string each; std::getline(list, each, ',');) {
        words.push_back(each.substr(0, each.find("->")));
    }
    return words;
}

bool is_file(const CLI::Option& option) {
    return value_name(option) == "FILE" ||
           (option.get_positional() && option.get_name(true) == "FILE");
}

}  // namespace manual
