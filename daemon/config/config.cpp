#include "daemon/config/config.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <expected>
#include <format>
#include <map>
#include <utility>

#include "daemon/address.h"
#include "daemon/config/config_yaml.h"
#include "daemon/config/did_you_mean.h"
#include "daemon/config/setting_value.h"
#include "daemon/config/settings_table.h"
#include "daemon/identity/identity_map.h"

extern char** environ;

namespace tickd {

namespace {

// A configuration is a page of text; more is some other file, and yaml-cpp needs many times that.
constexpr std::size_t file_bytes_max = std::size_t{1024} * 1024;

std::expected<std::string, std::string> read_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::unexpected{std::format("cannot be opened: {}", std::strerror(errno))};
    std::string text(file_bytes_max + 1, '\0');
    std::size_t size = 0;
    ssize_t received = 1;
    while (size < text.size() && received != 0) {
        received = ::read(fd, text.data() + size, text.size() - size);
        if (received < 0 && errno == EINTR) continue;
        if (received < 0) break;
        size += static_cast<std::size_t>(received);
    }
    const int error = errno;
    ::close(fd);
    if (received < 0)
        return std::unexpected{std::format("cannot be read: {}", std::strerror(error))};
    if (size > file_bytes_max) return std::unexpected{"is larger than 1 MiB"};
    text.resize(size);
    return text;
}

class environment_reader {
public:
    environment_reader(config& value, std::vector<config_problem>& problems)
        : value_{value}, problems_{problems} {
        for (const auto& each : settings()) names_.push_back(environment_name(each.name));
    }

    // True when the variable replaced the listeners.
    bool read(const std::string& variable, const std::string& text) {
        if (variable == listen_variable) {
            read_listen(text);
            return true;
        }
        const auto found = std::ranges::find(names_, variable);
        if (found == names_.end()) {
            std::vector<std::string> known = names_;
            known.emplace_back(listen_variable);
            const std::string meant = did_you_mean(variable, known);
            report(variable, "",
                   meant.empty() ? "no setting has this variable; unset it"
                                 : std::format("no such variable; did you mean {}?", meant));
            return false;
        }
        const auto& target = settings()[static_cast<std::size_t>(found - names_.begin())];
        std::string problem = target.read(value_, text);
        if (!problem.empty()) report(variable, target.name, std::move(problem));
        return false;
    }

private:
    void read_listen(const std::string& text) {
        listener_config listener;
        for (const auto& each : listener_settings()) {
            if (each.name != "address") continue;
            std::string problem = each.read(listener, text);
            if (!problem.empty()) report(std::string{listen_variable}, "listeners", problem);
        }
        value_.listeners.clear();
        value_.listeners.push_back(std::move(listener));
    }

    void report(const std::string& variable, std::string_view setting, std::string message) {
        problems_.push_back({variable, 0, std::string{setting}, std::move(message)});
    }

    config& value_;
    std::vector<config_problem>& problems_;
    std::vector<std::string> names_;
};

std::string problem_of_tls(const listener_config& listener) {
    if (listener.tls_certificate.empty() != listener.tls_key.empty()) {
        return "needs both tls_certificate and tls_key, or neither";
    }
    if (listener.tls_certificate.empty() && !listener.tls_client_ca.empty()) {
        return "tls_client_ca needs a tls_certificate";
    }
    if (listener.auth == listener_auth::mtls && listener.tls_client_ca.empty()) {
        return "auth: mtls needs a tls_client_ca";
    }
    return {};
}

// What a listener's way of knowing its sessions needs, and what it rules out.
std::string problem_of_auth(const listener_config& listener, const config& value) {
    if (listener.auth == listener_auth::none) return {};
    if (listener.tenant || listener.tenant_from_payload) {
        return "the session's credential decides its tenant: leave tenant and tenant_from_payload"
               " out";
    }
    const auto any = [&](auto fits) { return std::ranges::any_of(value.identities, fits); };
    if (listener.auth == listener_auth::peer) {
        const auto where = parse_address(listener.address);
        if (where && where->kind == address::family::tcp) return "peer needs a unix socket";
        if (!any([](const identity_config& each) { return each.certificate.empty(); })) {
            return "nobody could use it: none of the identities has a user or a group";
        }
    }
    if (listener.auth == listener_auth::mtls &&
        !any([](const identity_config& each) { return !each.certificate.empty(); })) {
        return "nobody could use it: none of the identities has a certificate";
    }
    return {};
}

// What only shows when all listeners are known. Their names are filled in first.
void check_listeners(config& value, const std::string& file,
                     const std::vector<listener_lines>& lines,
                     std::vector<config_problem>& problems) {
    const auto report = [&](std::size_t i, int line, std::string_view key, std::string message) {
        problems.push_back(
            {file, line, std::format("listeners[{}]{}", i, key), std::move(message)});
    };
    if (value.listeners.empty()) {
        problems.push_back({file, 0, "listeners", "at least one is needed, or leave the list out"});
    }
    std::map<std::string, std::size_t> addresses;
    std::map<std::string, std::size_t> names;
    for (std::size_t i = 0; i < value.listeners.size(); ++i) {
        listener_config& listener = value.listeners[i];
        const listener_lines at = i < lines.size() ? lines[i] : listener_lines{};
        if (listener.name.empty()) listener.name = listener.address;
        if (i == ingest::limits::listeners_max) {
            report(i, at.address, "",
                   std::format("there are at most {} listeners", ingest::limits::listeners_max));
        }
        if (listener.address.empty()) continue;
        const auto where = parse_address(listener.address);
        const bool system_chooses =
            where && where->kind == address::family::tcp && where->port == 0;
        const auto [same_address, is_new] = addresses.emplace(listener.address, i);
        if (!is_new && !system_chooses) {
            report(i, at.address, ".address",
                   std::format("listeners[{}] has the same address", same_address->second));
            continue;
        }
        const auto [same_name, name_is_new] = names.emplace(listener.name, i);
        if (!name_is_new) {
            report(i, at.name, ".name",
                   std::format("listeners[{}] has the same name", same_name->second));
        }
        if (std::string problem = problem_of_tls(listener); !problem.empty()) {
            report(i, at.address, "", std::move(problem));
        }
        if (std::string problem = problem_of_auth(listener, value); !problem.empty()) {
            report(i, at.address, ".auth", std::move(problem));
        }
    }
}

void check_identities(const config& value, const std::string& file, const std::vector<int>& lines,
                      std::vector<config_problem>& problems) {
    for (std::size_t i = 0; i < value.identities.size(); ++i) {
        const auto report = [&](std::string_view key, std::string message) {
            problems.push_back({file, i < lines.size() ? lines[i] : 0,
                                std::format("identities[{}]{}", i, key), std::move(message)});
        };
        const identity_config& identity = value.identities[i];
        const bool local = !identity.user.empty() || !identity.group.empty();
        if (identity.name.empty()) report("", "needs a name");
        if (identity.certificate.empty() != local) {
            report("", "is told by either a certificate or a user or group");
        }
        if (local) {
            const auto found = local_of(identity);
            if (!found) report("", found.error());
        }
        if (identity.tenant && identity.tenant_from_payload) {
            report(".tenant_from_payload", "who belongs to a tenant speaks for no other");
        }
    }
}

std::string section_of(std::string_view name) {
    return std::string{name.substr(0, name.find('.'))};
}

template <typename Owner>
void append_setting(const setting<Owner>& each, const Owner& owner, std::string_view first_indent,
                    std::string_view indent, yaml_comments comments, std::string& out) {
    if (comments == yaml_comments::one_each) {
        out += std::format("{}# {}\n", first_indent, each.comment);
        first_indent = indent;
    }
    const std::string_view key = each.name.substr(each.name.rfind('.') + 1);
    out += std::format("{}{}: {}\n", first_indent, key, yaml_scalar(each.print(owner)));
}

template <typename Owner>
void append_list(std::string_view key, const std::vector<setting<Owner>>& table,
                 const std::vector<Owner>& items, yaml_comments comments, std::string& out) {
    if (items.empty()) {
        out += std::format("\n{}: []\n", key);
        return;
    }
    out += std::format("\n{}:\n", key);
    for (const Owner& each_item : items) {
        std::string item;
        for (const auto& each : table) {
            append_setting(each, each_item, "    ", "    ", comments, item);
        }
        // The dash takes the place of the indent before the item's first key.
        std::size_t place = 0;
        while (item.compare(place, 5, "    #") == 0) place = item.find('\n', place) + 1;
        item[place + 2] = '-';
        out += item;
    }
}

void append_lists(const config& value, yaml_comments comments, std::string& out) {
    append_list("listeners", listener_settings(), value.listeners, comments, out);
    if (comments == yaml_comments::one_each) {
        out +=
            "\n# Whom certificates and local users speak for; docs/configuration.md has their "
            "settings.";
    }
    append_list("identities", identity_settings(), value.identities, comments, out);
}

}  // namespace

loaded_config load_config(const config_source& source) {
    loaded_config loaded;
    yaml_reading reading;
    std::string listeners_from = source.file;
    if (!source.file.empty()) {
        if (const auto text = read_file(source.file)) {
            reading = read_yaml(*text, source.file, loaded.value);
        } else {
            reading.problems.push_back({source.file, 0, "", text.error()});
        }
    }
    loaded.problems = std::move(reading.problems);
    environment_reader environment{loaded.value, loaded.problems};
    for (const auto& [variable, text] : source.environment) {
        if (!environment.read(variable, text)) continue;
        listeners_from = variable;
        reading.listeners.clear();
        reading.has_listeners = true;
    }
    if (!reading.has_listeners) {
        listener_config listener;
        listener.address = default_listener_address;
        loaded.value.listeners.push_back(std::move(listener));
    }
    check_listeners(loaded.value, listeners_from, reading.listeners, loaded.problems);
    check_identities(loaded.value, source.file, reading.identities, loaded.problems);
    return loaded;
}

std::string to_text(const std::vector<config_problem>& problems) {
    std::string out;
    for (const config_problem& each : problems) {
        out += each.file;
        if (each.line > 0) out += std::format(":{}", each.line);
        if (!each.setting.empty()) out += ": " + each.setting;
        out += ": " + each.message + '\n';
    }
    return out;
}

std::string to_yaml(const config& value, yaml_comments comments) {
    std::string out;
    std::string section;
    for (const auto& each : settings()) {
        if (const std::string next = section_of(each.name); next != section) {
            // Listeners come behind the database: what most people set stands first.
            if (section == "database") append_lists(value, comments, out);
            section = next;
            out += std::format("{}{}:\n", out.empty() ? "" : "\n", section);
        }
        append_setting(each, value, "  ", "  ", comments, out);
    }
    return out;
}

std::vector<std::pair<std::string, std::string>> tickd_environment() {
    constexpr std::string_view prefix = "TICKD_";
    constexpr std::string_view of_tests = "TICKD_TEST_";
    // The file's name, and what dev/ keeps for itself.
    constexpr std::array<std::string_view, 4> no_settings{"TICKD_CONFIG", "TICKD_PLATFORM",
                                                          "TICKD_CACHE", "TICKD_APT_MIRROR"};
    std::vector<std::pair<std::string, std::string>> found;
    for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
        const std::string_view entry{*each};
        const std::size_t equals = entry.find('=');
        if (!entry.starts_with(prefix) || equals == std::string_view::npos) continue;
        const std::string_view name = entry.substr(0, equals);
        if (name.starts_with(of_tests) || std::ranges::contains(no_settings, name)) continue;
        found.emplace_back(name, entry.substr(equals + 1));
    }
    std::ranges::sort(found);
    return found;
}

}  // namespace tickd
