#include "daemon/db/conninfo_user.h"

#include <libpq-fe.h>

#include <format>
#include <memory>
#include <string_view>

namespace tickd {

std::string with_user(const std::string& conninfo, const std::string& user) {
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
        PQconninfoParse(conninfo.c_str(), nullptr), PQconninfoFree);
    if (!options) return conninfo;  // Connecting says what is wrong with it.
    std::string changed = "user=" + user;
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        const std::string_view keyword = option->keyword;
        if (option->val == nullptr || keyword == "user" || keyword == "password") continue;
        changed += std::format(" {}='", keyword);
        for (const char* c = option->val; *c != '\0'; ++c) {
            if (*c == '\'' || *c == '\\') changed += '\\';
            changed += *c;
        }
        changed += '\'';
    }
    return changed;
}

}  // namespace tickd
