// UUIDs as PostgreSQL sends them: sixteen bytes, network order.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ingest {

struct uuid {
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(const uuid&) const = default;
};

// The 36-character form with hyphens, any case. Nothing for anything else.
[[nodiscard]] std::optional<uuid> parse_uuid(std::string_view text) noexcept;

// Lower case with hyphens.
[[nodiscard]] std::string to_text(const uuid& id);

}  // namespace ingest
