// Whom a session speaks for, by what it has shown: a token, a certificate, the user of its process.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/uuid.h"

namespace tickd {

struct credential {
    std::string name;                    // for people
    std::optional<ingest::uuid> tenant;  // nothing: shared ticks
    std::vector<std::string> producers;  // names, `*` for any characters; empty: any name
    bool may_name_tenant = false;        // its records may say whose they are

    [[nodiscard]] bool covers(std::string_view producer) const noexcept;
};

// Whether `*` in `pattern`, as any characters or none, makes it the text. The text comes from
// strangers: time is bounded by the product of both lengths.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text) noexcept;

}  // namespace tickd
