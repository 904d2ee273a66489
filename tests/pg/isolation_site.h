// Two tenants, alpha and bravo, in one database, with rows in everything that has a tenant_id. What
// belongs to bravo says so in every column that can: its texts hold `bravo`, its UUIDs begin with
// `bbbbbbbb`, its numbers hold `77777`. So whatever alpha gets to read can be searched for it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/pg_query.h"
#include "tests/support/private_cluster.h"

namespace tickd::test {

inline constexpr const char* alpha_id = "aaaaaaaa-0000-4000-8000-00000000000a";
inline constexpr const char* bravo_id = "bbbbbbbb-0000-4000-8000-00000000000b";

// Whose rows a database holds besides the shared ticks.
enum class holding { both, alpha_only };

// The connection string, as superuser, of a database so filled; made once for each, and shared by
// the tests of a file. Its login roles: iso_alpha and iso_other (alpha's and bravo's), iso_pool (a
// pooler), iso_loose (a reader that no tenant was given), iso_stranger (no reader at all).
[[nodiscard]] const std::string& isolation_database(holding what = holding::both);
// One that nobody else uses.
[[nodiscard]] std::string fresh_isolation_database(holding what = holding::both);

// A session of that role. For the pooler, `tenant` is what it sets; empty: nothing.
[[nodiscard]] pg_connection session_as(const std::string& database, const std::string& role,
                                       std::string_view tenant = {});

// Every way to be somebody who must not see bravo's rows.
struct onlooker {
    std::string role;
    std::string tenant;  // what it sets; empty: nothing
    bool is_alpha = false;
};
[[nodiscard]] const std::vector<onlooker>& onlookers();

// Schema-qualified names of every table and view of ours that has a column tenant_id.
[[nodiscard]] std::vector<std::string> tenant_relations(pg_connection& root);

// What the statement gives: rows, a COPY's lines, notices and the error with all its fields, as one
// text. Never throws.
[[nodiscard]] std::string everything_said(pg_connection& connection, const std::string& sql);

// Whether it holds anything of bravo.
[[nodiscard]] bool tells_of_bravo(std::string_view text);

}  // namespace tickd::test
