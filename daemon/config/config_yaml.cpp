#include "daemon/config/config_yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <format>
#include <map>
#include <utility>

#include "daemon/config/did_you_mean.h"
#include "daemon/config/setting_value.h"
#include "daemon/config/settings_table.h"
#include "daemon/config/yaml_bounds.h"

namespace tickd {

namespace {

constexpr std::string_view listeners_key = "listeners";
constexpr std::string_view identities_key = "identities";

// yaml-cpp counts lines from 0, and says -1 where it knows none.
int line_of(const YAML::Mark& mark) { return mark.is_null() ? 0 : mark.line + 1; }

// Settings, and after them the sections.
std::vector<std::string> known_names() {
    std::vector<std::string> names;
    for (const auto& each : settings()) names.emplace_back(each.name);
    for (const auto& each : settings())
        names.emplace_back(each.name.substr(0, each.name.find('.')));
    names.emplace_back(listeners_key);
    names.emplace_back(identities_key);
    return names;
}

template <typename Owner>
std::vector<std::string> names_of(const std::vector<setting<Owner>>& table) {
    std::vector<std::string> names;
    names.reserve(table.size());
    for (const auto& each : table) names.emplace_back(each.name);
    return names;
}

bool is_section(std::string_view name) {
    return std::ranges::any_of(settings(), [&](const auto& each) {
        return each.name.substr(0, each.name.find('.')) == name;
    });
}

class yaml_reader {
public:
    yaml_reader(const std::string& file, config& value) : file_{file}, value_{value} {}

    void read(const std::string& text) {
        if (const auto fault = check_yaml_bounds(text)) {
            report(fault->at, "", fault->message);
            return;
        }
        each_entry(YAML::Load(text), "",
                   [this](const std::string& key, int line, const YAML::Node& node) {
                       if (key == listeners_key) {
                           read_listeners(node);
                       } else if (key == identities_key) {
                           read_identities(node);
                       } else if (is_section(key)) {
                           read_section(key, node);
                       } else {
                           unknown(line, key, key, known_names());
                       }
                   });
    }

    void report(const YAML::Mark& mark, std::string setting, std::string message) {
        report(line_of(mark), std::move(setting), std::move(message));
    }
    void report(int line, std::string setting, std::string message) {
        result.problems.push_back({file_, line, std::move(setting), std::move(message)});
    }

    yaml_reading result;

private:
    // Calls visit(key, line of the key, node) for every entry of a map whose key is text and
    // stands there for the first time. yaml-cpp hands out duplicates one after the other.
    template <typename Visit>
    void each_entry(const YAML::Node& node, const std::string& name, Visit visit) {
        if (node.IsNull()) return;
        if (!node.IsMap()) {
            report(node.Mark(), name, "must be a group of `name: value` lines");
            return;
        }
        std::map<std::string, int, std::less<>> seen;
        for (const auto& entry : node) {
            const int line = line_of(entry.first.Mark());
            if (!entry.first.IsScalar()) {
                report(line, name, "names of settings must be plain text");
                continue;
            }
            const std::string& key = entry.first.Scalar();
            const auto [first, is_new] = seen.emplace(key, line);
            if (!is_new) {
                report(line, name.empty() ? key : std::format("{}.{}", name, key),
                       std::format("is given twice: first on line {}", first->second));
                continue;
            }
            visit(key, line, entry.second);
        }
    }

    void read_section(const std::string& section, const YAML::Node& node) {
        each_entry(
            node, section, [&](const std::string& key, int line, const YAML::Node& value_node) {
                const std::string name = section + '.' + key;
                const auto found = std::ranges::find(settings(), name, &setting<config>::name);
                if (found == settings().end()) {
                    unknown(line, name, name, known_names());
                } else {
                    (void)read_value(*found, value_, name, line, value_node);
                }
            });
    }

    template <typename Owner>
    bool read_value(const setting<Owner>& found, Owner& owner, const std::string& name, int line,
                    const YAML::Node& node) {
        if (!node.IsScalar()) {
            report(line, name,
                   node.IsNull() ? "has no value; leave it out for its default"
                                 : "must be one value, not a list or a group");
            return false;
        }
        std::string problem = found.read(owner, node.Scalar());
        if (problem.empty()) return true;
        report(node.Mark(), name, std::move(problem));
        return false;
    }

    // One item of a list. Calls found(key, line) for every setting there is.
    template <typename Owner, typename Found>
    void read_item(const YAML::Node& item, const std::string& name,
                   const std::vector<setting<Owner>>& table, Owner& owner, Found found) {
        each_entry(item, name, [&](const std::string& key, int line, const YAML::Node& node) {
            const auto known = std::ranges::find(table, key, &setting<Owner>::name);
            if (known == table.end()) {
                unknown(line, name + '.' + key, key, names_of(table));
                return;
            }
            found(std::string_view{key}, line);
            (void)read_value(*known, owner, name + '.' + key, line, node);
        });
    }

    void read_identities(const YAML::Node& node) {
        if (!node.IsSequence()) {
            report(node.Mark(), std::string{identities_key}, "must be a list of `- name: ...`");
            return;
        }
        for (const auto& item : node) {
            const std::string name =
                std::format("{}[{}]", identities_key, value_.identities.size());
            identity_config identity;
            read_item(item, name, identity_settings(), identity, [](std::string_view, int) {});
            value_.identities.push_back(std::move(identity));
            result.identities.push_back(line_of(item.IsNull() ? node.Mark() : item.Mark()));
        }
    }

    void read_listeners(const YAML::Node& node) {
        if (!node.IsSequence()) {
            report(node.Mark(), std::string{listeners_key}, "must be a list of `- address: ...`");
            return;
        }
        result.has_listeners = true;
        for (const auto& item : node) read_listener(item, line_of(node.Mark()));
    }

    void read_listener(const YAML::Node& item, int list_line) {
        const std::string name = std::format("{}[{}]", listeners_key, value_.listeners.size());
        // An item without anything in it has no place of its own.
        const int item_line = item.IsNull() ? list_line : line_of(item.Mark());
        listener_config listener;
        listener_lines lines{.address = item_line, .name = item_line};
        read_item(item, name, listener_settings(), listener, [&](std::string_view key, int line) {
            if (key == "address") {
                lines.address = line;
                lines.has_address = true;
            }
            if (key == "name") lines.name = line;
        });
        if (item.IsNull() || (item.IsMap() && !lines.has_address)) {
            report(item_line, name, "needs an address, such as 127.0.0.1:7450");
        }
        value_.listeners.push_back(std::move(listener));
        result.listeners.push_back(lines);
    }

    void unknown(int line, std::string name, std::string_view word,
                 const std::vector<std::string>& known) {
        const std::string meant = did_you_mean(word, known);
        report(line, std::move(name),
               meant.empty() ? "no such setting"
                             : std::format("no such setting; did you mean {}?", meant));
    }

    const std::string& file_;
    config& value_;
};

}  // namespace

yaml_reading read_yaml(std::string_view text, const std::string& file, config& value) {
    yaml_reader reader{file, value};
    try {
        reader.read(std::string{text});
    } catch (const YAML::Exception& error) {
        reader.report(error.mark, "", "not YAML: " + error.msg);
    } catch (const std::exception& error) {
        reader.report(0, "", std::format("cannot be read as YAML: {}", error.what()));
    }
    std::ranges::stable_sort(reader.result.problems, {}, &config_problem::line);
    return std::move(reader.result);
}

}  // namespace tickd
