#include "daemon/identity/identity_map.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <charconv>
#include <format>
#include <ranges>
#include <utility>

namespace tickd {

namespace {

// A number, or what `find` knows by that name.
template <typename Id, typename Find>
[[nodiscard]] std::expected<std::optional<Id>, std::string> id_of(const std::string& text,
                                                                  std::string_view what,
                                                                  Find find) {
    if (text.empty()) return std::nullopt;
    Id number{};
    const char* const end = text.data() + text.size();
    if (std::from_chars(text.data(), end, number).ptr == end) return number;
    if (const auto found = find(text.c_str())) return *found;
    return std::unexpected{std::format("this system has no {} {}", what, text)};
}

[[nodiscard]] std::optional<uid_t> user_named(const char* name) {
    const passwd* const found = ::getpwnam(name);  // NOLINT(concurrency-mt-unsafe): at start
    return found == nullptr ? std::nullopt : std::optional{found->pw_uid};
}

[[nodiscard]] std::optional<gid_t> group_named(const char* name) {
    const group* const found = ::getgrnam(name);  // NOLINT(concurrency-mt-unsafe): at start
    return found == nullptr ? std::nullopt : std::optional{found->gr_gid};
}

// `a, b` without the spaces around each.
[[nodiscard]] std::vector<std::string> parts_of(std::string_view list) {
    std::vector<std::string> parts;
    for (const auto range : std::views::split(list, ',')) {
        std::string_view part(range);
        while (part.starts_with(' ')) part.remove_prefix(1);
        while (part.ends_with(' ')) part.remove_suffix(1);
        if (!part.empty()) parts.emplace_back(part);
    }
    return parts;
}

}  // namespace

std::expected<wanted_peer, std::string> local_of(const identity_config& identity) {
    const auto user = id_of<uid_t>(identity.user, "user", user_named);
    if (!user) return std::unexpected{user.error()};
    const auto group = id_of<gid_t>(identity.group, "group", group_named);
    if (!group) return std::unexpected{group.error()};
    return wanted_peer{.user = *user, .group = *group};
}

identity_map::identity_map(const std::vector<identity_config>& identities) {
    for (const identity_config& each : identities) {
        const auto peer = local_of(each);
        if (!peer) continue;
        entries_.push_back({.certificate = each.certificate,
                            .peer = *peer,
                            .who = {.name = each.name,
                                    .tenant = each.tenant,
                                    .producers = parts_of(each.producers),
                                    .may_name_tenant = each.tenant_from_payload}});
    }
}

const credential* identity_map::by_peer(const local_peer& peer) const noexcept {
    const auto found = std::ranges::find_if(entries_, [&](const entry& each) {
        const wanted_peer& wanted = each.peer;
        return (wanted.user || wanted.group) && wanted.user.value_or(peer.user) == peer.user &&
               wanted.group.value_or(peer.group) == peer.group;
    });
    return found == entries_.end() ? nullptr : &found->who;
}

const credential* identity_map::by_certificate(std::span<const std::string> names) const noexcept {
    const auto found = std::ranges::find_if(entries_, [&](const entry& each) {
        return !each.certificate.empty() &&
               std::ranges::any_of(
                   names, [&](const std::string& name) { return matches(each.certificate, name); });
    });
    return found == entries_.end() ? nullptr : &found->who;
}

}  // namespace tickd
