// The kinds of settings: how each is read, checked, printed and compared. Only the tables include
// it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <format>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "daemon/config/mask_password.h"
#include "daemon/config/setting_value.h"
#include "daemon/config/settings_table.h"

// The member that `path` names, of a config or a const config alike. The tables undefine it.
// NOLINTNEXTLINE(bugprone-macro-parentheses): a whole lambda needs none
#define MEMBER(path) [](auto& owner) -> auto& { return owner.path; }

namespace tickd::kinds {

using std::chrono::duration_cast;
using std::chrono::microseconds;

// What every setting says of itself, whatever its type.
struct about {
    std::string_view name;
    takes_effect effect;
    std::string_view unit;
    std::string_view comment;
};

inline constexpr auto restart = takes_effect::restart;
inline constexpr auto reload = takes_effect::reload;
// Lines or bytes a second: more than any machine takes in.
inline constexpr std::uint64_t rate_max = 1'000'000'000;
// Longer than any limit is meant to be, short enough for every sum of a time and a limit.
inline constexpr microseconds limit_max = std::chrono::days{36'500};
inline constexpr std::string_view no_value = "none";

template <typename Owner, typename Get>
using member_of = std::remove_cvref_t<std::invoke_result_t<Get, Owner&>>;

template <typename Owner, typename Get, typename Parse, typename Print>
setting<Owner> make(about what, const std::string& range, Get get, const Parse& parse,
                    const Print& print) {
    return {.name = what.name,
            .range = range,
            .unit = what.unit,
            .effect = what.effect,
            .comment = what.comment,
            .read = [get, parse](Owner& owner, std::string_view text) -> std::string {
                auto value = parse(text);
                if (!value) return std::move(value.error());
                get(owner) = static_cast<member_of<Owner, Get>>(*std::move(value));
                return {};
            },
            .print = [get, print](const Owner& owner) -> std::string { return print(get(owner)); },
            .same = [get](const Owner& a, const Owner& b) -> bool { return get(a) == get(b); },
            .take = [get](Owner& to, const Owner& from) { get(to) = get(from); }};
}

template <typename Owner, typename Get>
setting<Owner> count(about what, Get get, std::uint64_t min, std::uint64_t max) {
    return make<Owner>(
        what, std::format("{} to {}", min, max), get,
        [=](std::string_view text) { return parse_count(text, min, max); },
        [](auto value) { return std::to_string(value); });
}

template <typename Owner, typename Get>
setting<Owner> size(about what, Get get, std::uint64_t min, std::uint64_t max) {
    return make<Owner>(
        what, std::format("{} to {}", print_size(min), print_size(max)), get,
        [=](std::string_view text) { return parse_size(text, min, max); },
        [](std::uint64_t value) { return print_size(value); });
}

template <typename Owner, typename Get>
setting<Owner> count_or_none(about what, Get get, std::uint64_t min, std::uint64_t max) {
    using member = std::optional<std::uint64_t>;
    return make<Owner>(
        what, std::format("none, {} to {}", min, max), get,
        [=](std::string_view text) -> parsed<member> {
            if (text == no_value) return member{};
            const auto number = parse_count(text, min, max);
            if (!number) return std::unexpected{number.error() + "; or none"};
            return member{*number};
        },
        [](const member& value) { return value ? std::to_string(*value) : std::string{no_value}; });
}

template <typename Owner, typename Get>
setting<Owner> size_or_none(about what, Get get, std::uint64_t min, std::uint64_t max) {
    using member = std::optional<std::uint64_t>;
    return make<Owner>(
        what, std::format("none, {} to {}", print_size(min), print_size(max)), get,
        [=](std::string_view text) -> parsed<member> {
            if (text == no_value) return member{};
            const auto number = parse_size(text, min, max);
            if (!number) return std::unexpected{number.error() + "; or none"};
            return member{*number};
        },
        [](const member& value) { return value ? print_size(*value) : std::string{no_value}; });
}

template <typename Owner, typename Get>
setting<Owner> duration(about what, Get get, microseconds min, microseconds max) {
    using member = member_of<Owner, Get>;
    return make<Owner>(
        what, std::format("{} to {}", print_duration(min), print_duration(max)), get,
        [=](std::string_view text) -> parsed<member> {
            const auto us = parse_duration(text, min, max);
            if (!us) return std::unexpected{us.error()};
            const auto value = duration_cast<member>(*us);
            if (value != *us) return std::unexpected{"must be whole milliseconds"};
            return value;
        },
        [](member value) { return print_duration(value); });
}

template <typename Owner, typename Get>
setting<Owner> duration_or_none(about what, Get get, microseconds min, microseconds max) {
    using member = std::optional<microseconds>;
    return make<Owner>(
        what, std::format("none, {} to {}", print_duration(min), print_duration(max)), get,
        [=](std::string_view text) -> parsed<member> {
            if (text == no_value) return member{};
            auto us = parse_duration(text, min, max);
            if (!us) return std::unexpected{us.error() + "; or none"};
            return *us;
        },
        [](const member& value) { return value ? print_duration(*value) : std::string{no_value}; });
}

template <typename T>
using choices_of = std::vector<std::pair<std::string_view, T>>;

template <typename Owner, typename Get>
setting<Owner> choice(about what, Get get, const choices_of<member_of<Owner, Get>>& choices) {
    using member = member_of<Owner, Get>;
    std::string names;
    for (const auto& [name, value] : choices) {
        names += (names.empty() ? "" : ", ") + std::string{name};
    }
    return make<Owner>(
        what, names, get,
        [=](std::string_view text) -> parsed<member> {
            for (const auto& [name, value] : choices) {
                if (name == text) return value;
            }
            return std::unexpected{std::format("must be one of {}, not {}", names, quoted(text))};
        },
        [=](const member& current) {
            for (const auto& [name, value] : choices) {
                if (value == current) return std::string{name};
            }
            return std::string{};
        });
}

template <typename Owner, typename Get>
setting<Owner> text(about what, Get get, std::size_t characters_max) {
    return make<Owner>(
        what, std::format("up to {} characters", characters_max), get,
        [=](std::string_view value) { return parse_text(value, characters_max); },
        [](const std::string& value) { return value; });
}

template <typename Owner, typename Get>
setting<Owner> flag(about what, Get get) {
    return make<Owner>(what, "true, false", get, parse_switch,
                       [](bool value) { return std::string{value ? "true" : "false"}; });
}

// A connection string, whose password is not shown.
template <typename Owner, typename Get>
setting<Owner> connection_string(about what, Get get) {
    constexpr std::size_t characters_max = 4096;
    setting<Owner> made = text<Owner>(what, get, characters_max);
    made.print = [get](const Owner& value) { return mask_password(get(value)); };
    return made;
}

}  // namespace tickd::kinds
