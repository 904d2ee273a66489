#include <format>
#include <functional>
#include <string>

#include "manual/options.h"
#include "manual/pages.h"

namespace manual {

namespace {

constexpr std::string_view frame =
    R"(# Completes tickd in bash. Made from its command line by the build.
# shellcheck shell=bash disable=SC2207

# _tickd_value COMMAND OPTION: in `kind`, what the option's value is: file, other, or the words it
# may be. Empty: it takes none, or there is no such option.
_tickd_value() {
    case "$1 $2" in
@VALUES@        *) kind='' ;;
    esac
}

# _tickd_words COMMAND: in `words`, its commands and options; in `files`, whether it takes files.
_tickd_words() {
    files=''
    case $1 in
@WORDS@    esac
}

_tickd() {
    local current=${COMP_WORDS[COMP_CWORD]} command=tickd kind words files i
    for ((i = 1; i < COMP_CWORD; ++i)); do
        _tickd_value "$command" "${COMP_WORDS[i]}"
        if [ -n "$kind" ]; then
            ((++i))
            continue
        fi
        case "$command ${COMP_WORDS[i]}" in
@COMMANDS@)
                command+=" ${COMP_WORDS[i]}" ;;
        esac
    done
    COMPREPLY=()
    kind=''
    # The last word before the cursor waits for its value: the loop has gone past the end.
    if ((i > COMP_CWORD)); then _tickd_value "$command" "${COMP_WORDS[COMP_CWORD - 1]}"; fi
    _tickd_words "$command"
    case $kind in
        '')
            COMPREPLY=($(compgen -W "$words" -- "$current"))
            [ -n "$files" ] || return 0
            ;;
        file) ;;
        other) return 0 ;;
        *)
            COMPREPLY=($(compgen -W "$kind" -- "$current"))
            return 0
            ;;
    esac
    case $current in -*) return 0 ;; esac
    compopt -o filenames 2>/dev/null
    local file
    while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$current")
}

complete -F _tickd tickd
)";

void each_command(const CLI::App& app, const std::function<void(const CLI::App&)>& visit) {
    visit(app);
    for (const CLI::App* each : commands_of(app)) each_command(*each, visit);
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& each : words) text += (text.empty() ? "" : " ") + each;
    return text;
}

std::string kind_of(const CLI::Option& option) {
    if (is_file(option)) return "file";
    const std::string words = joined(choices_of(option));
    return words.empty() ? "other" : words;
}

// The options of the program itself are known everywhere.
std::vector<const CLI::Option*> known_options(const CLI::App& app) {
    std::vector<const CLI::Option*> known = options_of(app);
    for (const CLI::App* above = app.get_parent(); above != nullptr; above = above->get_parent()) {
        for (const CLI::Option* each : options_of(*above)) known.push_back(each);
    }
    return known;
}

std::string words_after(const CLI::App& app) {
    std::vector<std::string> words;
    for (const CLI::App* each : commands_of(app)) words.push_back(each->get_name());
    for (const CLI::Option* each : known_options(app)) {
        for (const std::string& name : names_of(*each)) words.push_back(name);
    }
    for (const std::string& name : names_of(*app.get_help_ptr())) words.push_back(name);
    return joined(words);
}

void put(std::string& text, std::string_view place, const std::string& value) {
    text.replace(text.find(place), place.size(), value);
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
    std::string values, words, commands;
    each_command(app, [&](const CLI::App& each) {
        const std::string path = path_of(each);
        for (const CLI::Option* option : known_options(each)) {
            if (!takes_value(*option)) continue;
            for (const std::string& name : names_of(*option)) {
                values +=
                    std::format("        '{} {}') kind='{}' ;;\n", path, name, kind_of(*option));
            }
        }
        bool files = false;
        for (const CLI::Option* option : positionals_of(each)) files |= is_file(*option);
        words += std::format("        '{}') words='{}'{} ;;\n", path, words_after(each),
                             files ? " files=yes" : "");
        if (each.get_parent() != nullptr) {
            commands += std::format("{}            '{}'", commands.empty() ? "" : " | \\\n", path);
        }
    });
    std::string text(frame);
    put(text, "@VALUES@", values);
    put(text, "@WORDS@", words);
    put(text, "@COMMANDS@", commands);
    return text;
}

}  // namespace manual
