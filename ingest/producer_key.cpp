#include "ingest/producer_key.h"

#include <algorithm>

namespace ingest {

std::string producer_key(std::string_view name, const std::optional<uuid>& tenant) {
    std::string key(name);
    if (tenant) key.append("\n").append(to_text(*tenant));
    return key;
}

std::string_view producer_name_of(std::string_view key) noexcept {
    return key.substr(0, key.find('\n'));
}

std::optional<uuid> producer_tenant_of(std::string_view key) noexcept {
    const std::size_t end = key.find('\n');
    return end == std::string_view::npos ? std::nullopt : parse_uuid(key.substr(end + 1));
}

}  // namespace ingest
