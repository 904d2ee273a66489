#include <catch2/catch_test_macros.hpp>

#include <vector>

#include "daemon/db/migration_plan.h"

using namespace tickd;

namespace {

const std::vector<embedded_migration> files{
    {1, "roles", "CREATE ROLE a"}, {2, "tables", "CREATE TABLE b"}, {3, "more", ""}};

applied_migration applied(const embedded_migration& file) {
    return {file.number, std::string(file.name), checksum_of(file.sql)};
}

std::string only_problem(const migration_plan& plan) {
    REQUIRE(plan.problems.size() == 1);
    return plan.problems[0];
}

}  // namespace

TEST_CASE("checksums are SHA-256 in lower-case hex") {
    // FIPS 180-2, appendix B.1, and the digest of nothing.
    CHECK(checksum_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(checksum_of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("what is pending is what was not applied, in order") {
    const migration_plan fresh = plan_migrations(files, {});
    CHECK(fresh.problems.empty());
    REQUIRE(fresh.pending.size() == 3);
    CHECK(fresh.pending[0].number == 1);
    CHECK(fresh.pending[2].number == 3);

    const std::vector done{applied(files[0]), applied(files[1])};
    const migration_plan half = plan_migrations(files, done);
    CHECK(half.problems.empty());
    REQUIRE(half.pending.size() == 1);
    CHECK(half.pending[0].name == "more");

    const std::vector all{applied(files[0]), applied(files[1]), applied(files[2])};
    CHECK(plan_migrations(files, all).pending.empty());
    CHECK(plan_migrations(files, all).problems.empty());
}

TEST_CASE("a changed, renamed, skipped or foreign migration is a problem") {
    std::vector done{applied(files[0]), applied(files[1])};

    done[1].checksum[0] = done[1].checksum[0] == '0' ? '1' : '0';
    CHECK(only_problem(plan_migrations(files, done)).starts_with("0002_tables has changed"));

    done[1] = applied(files[1]);
    done[1].name = "other";
    CHECK(only_problem(plan_migrations(files, done)) ==
          "0002_tables was applied under the name 0002_other");

    const std::vector hole{applied(files[0]), applied(files[2])};
    CHECK(only_problem(plan_migrations(files, hole)).starts_with("0002_tables was never applied"));

    const std::vector newer{applied(files[0]), applied(files[1]), applied(files[2]),
                            applied_migration{4, "future", "00"}};
    CHECK(
        only_problem(plan_migrations(files, newer)).starts_with("0004_future is in the database"));
}

TEST_CASE("embedded numbers run from one without gaps") {
    const std::vector<embedded_migration> late{{2, "tables", ""}};
    CHECK(only_problem(plan_migrations(late, {})) == "0002_tables stands where number 1 belongs");
    const std::vector<embedded_migration> gap{{1, "a", ""}, {3, "c", ""}};
    CHECK(only_problem(plan_migrations(gap, {})) == "0003_c stands where number 2 belongs");
}

TEST_CASE("the server's position is counted in characters") {
    CHECK(line_of("a\nb\nc", 1) == 1);
    CHECK(line_of("a\nb\nc", 3) == 2);
    CHECK(line_of("a\nb\nc", 5) == 3);
    CHECK(line_of("\xc3\xa9\xc3\xa9\nb", 4) == 2);  // éé, newline, b
    CHECK(line_of("abc", 0) == 0);
    CHECK(line_of("abc", 4) == 0);
}
