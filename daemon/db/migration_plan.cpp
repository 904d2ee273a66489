#include "daemon/db/migration_plan.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <format>

namespace tickd {

std::string checksum_of(std::string_view sql) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int digest_bytes = 0;
    // Cannot fail for SHA-256; if it did, the empty sum would match no row and stop the migration.
    if (EVP_Digest(sql.data(), sql.size(), digest.data(), &digest_bytes, EVP_sha256(), nullptr) !=
        1) {
        return {};
    }
    std::string hex;
    for (unsigned int i = 0; i < digest_bytes; ++i) hex += std::format("{:02x}", digest[i]);
    return hex;
}

std::string label_of(int number, std::string_view name) {
    return std::format("{:04}_{}", number, name);
}

migration_plan plan_migrations(std::span<const embedded_migration> embedded,
                               std::span<const applied_migration> applied) {
    migration_plan plan;
    int expected = 1;
    for (const embedded_migration& file : embedded) {
        if (file.number != expected) {
            plan.problems.push_back(std::format("{} stands where number {} belongs",
                                                label_of(file.number, file.name), expected));
        }
        expected = file.number + 1;

        const auto done = std::ranges::find(applied, file.number, &applied_migration::number);
        if (done == applied.end()) {
            if (!applied.empty() && applied.back().number > file.number) {
                plan.problems.push_back(std::format(
                    "{} was never applied, although {} was", label_of(file.number, file.name),
                    label_of(applied.back().number, applied.back().name)));
            }
            plan.pending.push_back(file);
        } else if (done->name != file.name) {
            plan.problems.push_back(std::format("{} was applied under the name {}",
                                                label_of(file.number, file.name),
                                                label_of(done->number, done->name)));
        } else if (done->checksum != checksum_of(file.sql)) {
            plan.problems.push_back(
                std::format("{} has changed since it was applied; write a new migration instead",
                            label_of(file.number, file.name)));
        }
    }
    for (const applied_migration& done : applied) {
        if (std::ranges::find(embedded, done.number, &embedded_migration::number) ==
            embedded.end()) {
            plan.problems.push_back(
                std::format("{} is in the database and not in this tickd, which is older",
                            label_of(done.number, done.name)));
        }
    }
    return plan;
}

int line_of(std::string_view sql, int position) noexcept {
    if (position < 1) return 0;
    int line = 1;
    int seen = 0;
    for (const char c : sql) {
        const bool continues = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;  // of UTF-8
        if (!continues && ++seen == position) return line;
        if (c == '\n') ++line;
    }
    return 0;
}

}  // namespace tickd
