#include <format>
#include <string>

#include "daemon/config/config.h"
#include "daemon/config/settings_table.h"
#include "manual/markdown.h"
#include "manual/pages.h"
#include "manual/roff.h"

namespace manual {

namespace {

template <typename Owner>
std::string setting_item(const tickd::setting<Owner>& each, const std::string& name,
                         const Owner& defaults, bool has_variable) {
    const std::string value = each.print(defaults);
    std::string facts = std::format("Default: {}. Range: {}.",
                                    value.empty() ? "empty" : bold(value), roff(each.range));
    if (!each.unit.empty()) facts += std::format(" Unit: {}.", roff(each.unit));
    facts += each.effect == tickd::takes_effect::reload ? " A reload applies it."
                                                        : " It needs a restart.";
    if (has_variable) facts += std::format(" Variable: {}.", bold(tickd::environment_name(name)));
    return item(bold(name), std::format("{}\n.br\n{}", roff(each.comment), facts));
}

std::string section_of(std::string_view name) {
    return std::string(name.substr(0, name.find('.')));
}

std::string lists(const tickd::config& defaults) {
    std::string text =
        ".SS listeners\nA list; each has its own address and name. Without a list there is one, "
        "with these defaults.\n";
    for (const auto& each : tickd::listener_settings()) {
        text += setting_item(each, std::format("listeners[].{}", each.name),
                             defaults.listeners.front(), false);
    }
    text +=
        ".SS identities\nA list, empty by default: whom client certificates and local users speak "
        "for. The first that fits counts.\n";
    for (const auto& each : tickd::identity_settings()) {
        text += setting_item(each, std::format("identities[].{}", each.name),
                             tickd::identity_config{}, false);
    }
    return text;
}

}  // namespace

std::string settings_page(std::string_view version, std::string_view configuration,
                          std::string_view example) {
    std::string page = title("tickd.yaml", 5, version);
    page += ".SH NAME\ntickd.yaml \\- configuration of tickd\n";
    page += ".SH SYNOPSIS\n" + italic("/etc/tickd/tickd.yaml") + '\n';
    page +=
        ".SH DESCRIPTION\n" +
        roff(
            "One YAML document. What is left out keeps its default, and TICKD_ variables "
            "override it. `tickd config check` says everything that is wrong with file and "
            "line, and tickd starts nothing while there is anything; `tickd config show "
            "--comments` prints what is in effect. SIGHUP has a running daemon read it again.") +
        "\n.PP\nFor instance:\n" + verbatim(example);
    page += ".SH SETTINGS\n";
    const tickd::config defaults = tickd::load_config({}).value;
    std::string section;
    for (const auto& each : tickd::settings()) {
        if (section_of(each.name) != section) {
            section = section_of(each.name);
            page += ".SS " + roff(section) + '\n';
        }
        page += setting_item(each, std::string(each.name), defaults, true);
    }
    page += lists(defaults);
    page += ".SH VALUES\n";
    for (const table_row& row : rows_under(configuration, "Ways to write a value")) {
        page += item(roff_of_markdown(row.at(0)),
                     roff_of_markdown(row.at(1) + "; not " + row.at(2) + '.'));
    }
    page += ".SH ENVIRONMENT\n";
    for (const table_row& row : rows_under(configuration, "Environment")) {
        page += item(roff_of_markdown(row.at(0)), roff_of_markdown(row.at(1)));
    }
    page += ".SH SEE ALSO\n.BR tickd (1)\n.PP\n.I /usr/share/doc/tickd/docs/configuration.md\n";
    return page;
}

}  // namespace manual
