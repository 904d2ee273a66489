#include "daemon/config/config_changes.h"

#include <algorithm>
#include <format>

#include "daemon/config/settings_table.h"

namespace tickd {

namespace {

void take_settings(const config& next, config_changes& changes) {
    for (const auto& each : settings()) {
        if (each.same(changes.value, next)) continue;
        const bool reloads = each.effect == takes_effect::reload;
        if (reloads) each.take(changes.value, next);
        (reloads ? changes.applied : changes.waiting).emplace_back(each.name);
    }
}

// As a whole or not at all: what a listener asks of its peers and what it makes of them belong
// together.
void take_listener(listener_config& listener, const listener_config& next,
                   config_changes& changes) {
    std::vector<std::string> names;
    bool reloads = true;
    for (const auto& each : listener_settings()) {
        if (each.same(listener, next)) continue;
        reloads = reloads && each.effect == takes_effect::reload;
        names.push_back(std::format("listeners[].{} of {}", each.name, listener.name));
    }
    if (reloads) listener = next;
    auto& known = reloads ? changes.applied : changes.waiting;
    known.insert(known.end(), names.begin(), names.end());
}

void take_listeners(const config& next, config_changes& changes) {
    std::vector<listener_config>& now = changes.value.listeners;
    for (const listener_config& listener : next.listeners) {
        if (!std::ranges::contains(now, listener.name, &listener_config::name)) {
            changes.waiting.push_back(std::format("listeners (with {})", listener.name));
        }
    }
    for (listener_config& listener : now) {
        const auto found = std::ranges::find(next.listeners, listener.name, &listener_config::name);
        if (found != next.listeners.end()) {
            take_listener(listener, *found, changes);
        } else {
            changes.waiting.push_back(std::format("listeners (without {})", listener.name));
        }
    }
}

[[nodiscard]] bool same(const identity_config& a, const identity_config& b) {
    return std::ranges::all_of(identity_settings(),
                               [&](const auto& each) { return each.same(a, b); });
}

void take_identities(const config& next, config_changes& changes) {
    if (std::ranges::equal(changes.value.identities, next.identities, same)) return;
    changes.value.identities = next.identities;
    changes.applied.emplace_back("identities");
}

}  // namespace

config_changes changes_between(const config& now, const config& next) {
    config_changes changes{.value = now, .applied = {}, .waiting = {}};
    take_settings(next, changes);
    take_listeners(next, changes);
    take_identities(next, changes);
    return changes;
}

}  // namespace tickd
