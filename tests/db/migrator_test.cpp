#include "headend/database/migrator.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/db/fixture/postgres.h"

using namespace wattmesh;
using namespace wattmesh::headend::database;
using wattmesh::test::TestDatabase;
namespace fs = std::filesystem;

namespace {

const Instant now = from_epoch_us(1'760'000'000'000'000);

/// A schema folder of the test's own.
struct Folder {
    Folder() { fs::create_directories(path); }
    ~Folder() { fs::remove_all(path); }
    void write(const std::string& name, const std::string& text) const { std::ofstream{path / name} << text; }
    fs::path path = fs::path{wattmesh::test::Postgres::instance().folder()} / "schema";
};

}  // namespace

TEST_CASE("migrator: applies the real schema once, then has nothing to do", "[db]") {
    TestDatabase database{TestDatabase::Content::nothing};
    Connection connection{database.settings()};
    Migrator migrator{connection, "schema"};
    migrator.prepare({});
    CHECK(migrator.pending().size() >= 6);
    CHECK(migrator.migrate(now).size() >= 6);
    CHECK(migrator.migrate(now).empty());
    CHECK(migrator.pending().empty());
    migrator.prepare({});  // again, with everything there
}

TEST_CASE("migrator: the owner may look for pending migrations and so may every role", "[db]") {
    TestDatabase database;
    for (const auto* role : role_names) {
        Connection connection{database.settings(role)};
        CHECK(Migrator{connection, "schema"}.pending().empty());
    }
}

TEST_CASE("migrator: refuses what does not fit, names the file and applies nothing of it", "[db]") {
    TestDatabase database{TestDatabase::Content::nothing};
    Connection connection{database.settings()};
    const Folder folder;
    folder.write("20260101T0000_first.sql", "create table first (a integer);");
    folder.write("20260102T0000_second.sql", "create table second (a integer);");
    Migrator{connection, folder.path}.prepare({});
    REQUIRE(Migrator{connection, folder.path}.migrate(now).size() == 2);

    SECTION("a changed file") {
        folder.write("20260101T0000_first.sql", "create table first (a bigint);");
        CHECK_THROWS_WITH(Migrator(connection, folder.path).migrate(now),
                          Catch::Contains("20260101T0000_first.sql") && Catch::Contains("changed"));
    }
    SECTION("a file that is gone") {
        fs::remove(folder.path / "20260102T0000_second.sql");
        CHECK_THROWS_WITH(Migrator(connection, folder.path).migrate(now),
                          Catch::Contains("20260102T0000_second.sql"));
    }
    SECTION("a file before an applied one") {
        folder.write("20260101T1200_between.sql", "create table between_them (a integer);");
        CHECK_THROWS_WITH(Migrator(connection, folder.path).migrate(now),
                          Catch::Contains("20260101T1200_between.sql"));
    }
    SECTION("a file with a mistake in its second statement") {
        folder.write("20260103T0000_third.sql",
                     "create table third (a integer); create table third (a integer);");
        CHECK_THROWS_WITH(Migrator(connection, folder.path).migrate(now),
                          Catch::Contains("20260103T0000_third.sql"));
        folder.write("20260103T0000_third.sql", "create table third (a integer);");
        CHECK(Migrator(connection, folder.path).migrate(now).size() == 1);
    }
}

TEST_CASE("migrator: an empty or missing folder is named", "[db]") {
    TestDatabase database{TestDatabase::Content::nothing};
    Connection connection{database.settings()};
    CHECK_THROWS_WITH(Migrator(connection, "no/such/folder"), Catch::Contains("no/such/folder"));
}
