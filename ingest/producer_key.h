// What tells producers apart: their name and the tenant that their credential stands for. Two
// tenants may use one name; neither shares a watermark with the other.
//
// Inside the daemon that is one text, the key: the name, and if there is a tenant a newline, which
// no name holds, and the tenant. Blocks, the spool and the activity log's `src` lines hold keys;
// tables and the wire hold names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ingest/uuid.h"

namespace ingest {

[[nodiscard]] std::string producer_key(std::string_view name, const std::optional<uuid>& tenant);
// Of a key; the view is a part of it.
[[nodiscard]] std::string_view producer_name_of(std::string_view key) noexcept;
// Nothing: no tenant.
[[nodiscard]] std::optional<uuid> producer_tenant_of(std::string_view key) noexcept;

}  // namespace ingest
