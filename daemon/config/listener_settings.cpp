// What a listener, and an identity of its senders, can be told.
#include <vector>

#include "daemon/address.h"
#include "daemon/config/setting_kinds.h"

namespace tickd {

namespace {

using namespace kinds;

setting<listener_config> listener_address() {
    return make<listener_config>(
        {"address", takes_effect::restart, "",
         "Where it listens; an address in brackets needs quotes."},
        "HOST:PORT, [IPV6]:PORT, unix:/PATH", MEMBER(address),
        [](std::string_view given) -> parsed<std::string> {
            const auto where = parse_address(given);
            if (where) return to_text(*where);
            return std::unexpected{std::format("{}; not {}", where.error(), quoted(given))};
        },
        [](const std::string& value) { return value; });
}

setting<listener_config> listener_mode() {
    return make<listener_config>(
        {"unix_mode", takes_effect::restart, "", "Permissions of a unix socket, in octal."},
        "0000 to 0777", MEMBER(unix_mode), parse_mode, print_mode);
}

template <typename Owner>
setting<Owner> tenant_of(std::string_view comment) {
    using member = std::optional<ingest::uuid>;
    return make<Owner>(
        {"tenant", takes_effect::reload, "", comment}, "none, UUID", MEMBER(tenant),
        [](std::string_view given) -> parsed<member> {
            if (given == no_value) return member{};
            const auto id = ingest::parse_uuid(given);
            if (id) return id;
            return std::unexpected{std::format(
                "must be none or a UUID such as 01234567-89ab-cdef-0123-456789abcdef, not {}",
                quoted(given))};
        },
        [](const member& id) { return id ? ingest::to_text(*id) : std::string{no_value}; });
}

template <typename Owner>
setting<Owner> tenant_from_payload() {
    return flag<Owner>({"tenant_from_payload", takes_effect::reload, "",
                        "Whether a record may name its tenant itself: only for trusted senders."},
                       MEMBER(tenant_from_payload));
}

std::vector<setting<listener_config>> make_listener_settings() {
    std::vector<setting<listener_config>> table;
    table.push_back(text<listener_config>(
        {"name", restart, "", "Its name in logs and metrics; default: its address."}, MEMBER(name),
        100));
    table.push_back(listener_address());
    table.push_back(listener_mode());
    table.push_back(text<listener_config>(
        {"source", reload, "",
         "The `source` of its ticks that name none; empty: such ticks have none."},
        MEMBER(source), ingest::limits::source_chars_max));
    table.push_back(tenant_of<listener_config>(
        "Tenant of every record; none: ticks are shared market data, activity has no tenant."));
    table.push_back(tenant_from_payload<listener_config>());
    table.push_back(count<listener_config>(
        {"sessions_max", reload, "sessions",
         "Sessions open at once; a further connection is closed and logged."},
        MEMBER(sessions_max), 1, 100'000));
    table.push_back(choice<listener_config>(
        {"auth", restart, "",
         "Whom a session speaks for, and how that is known: docs/security.md."},
        MEMBER(auth),
        {{"none", listener_auth::none},
         {"token", listener_auth::token},
         {"mtls", listener_auth::mtls},
         {"peer", listener_auth::peer}}));
    const auto file = [&](std::string_view name, std::string_view comment, auto member) {
        table.push_back(text<listener_config>({name, reload, "", comment}, member, 4096));
    };
    file("tls_certificate", "PEM file of its certificate and chain; empty: no TLS.",
         MEMBER(tls_certificate));
    file("tls_key", "PEM file of the certificate's private key.", MEMBER(tls_key));
    file("tls_client_ca", "PEM file of who signs clients' certificates; empty: clients need none.",
         MEMBER(tls_client_ca));
    table.push_back(choice<listener_config>(
        {"tls_min_version", reload, "", "The oldest version of TLS that is spoken."},
        MEMBER(tls_min_version), {{"1.2", tls_version::v1_2}, {"1.3", tls_version::v1_3}}));
    table.push_back(count_or_none<listener_config>(
        {"lines_per_second", reload, "lines", "What its sessions are slowed down to together."},
        MEMBER(lines_per_second), 1, rate_max));
    table.push_back(
        size_or_none<listener_config>({"bytes_per_second", reload, "bytes", "The same in bytes."},
                                      MEMBER(bytes_per_second), 1024, rate_max));
    return table;
}

std::vector<setting<identity_config>> make_identity_settings() {
    std::vector<setting<identity_config>> table;
    const auto add = [&](std::string_view name, std::string_view comment, auto member) {
        table.push_back(text<identity_config>({name, reload, "", comment}, member, 200));
    };
    add("name", "Its name in logs.", MEMBER(name));
    add("certificate",
        "A name in the client's certificate: CN:..., DNS:..., URI:..., EMAIL:...; * is any.",
        MEMBER(certificate));
    add("user", "User of the process at the other end, by name or number; empty: any.",
        MEMBER(user));
    add("group", "Its group; empty: any.", MEMBER(group));
    table.push_back(
        tenant_of<identity_config>("Tenant of every record; none: shared market data."));
    table.push_back(text<identity_config>(
        {"producers", reload, "",
         "Producers it may speak for, separated by commas, * for any characters; empty: all."},
        MEMBER(producers), 4096));
    table.push_back(tenant_from_payload<identity_config>());
    return table;
}

#undef MEMBER

}  // namespace

const std::vector<setting<listener_config>>& listener_settings() {
    static const auto table = make_listener_settings();
    return table;
}

const std::vector<setting<identity_config>>& identity_settings() {
    static const auto table = make_identity_settings();
    return table;
}

}  // namespace tickd
