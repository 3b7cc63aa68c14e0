#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "headend/database/counter_horizon.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

void run(const std::string& command) {
    INFO(command);
    REQUIRE(std::system((command + " </dev/null >/dev/null").c_str()) == 0);  // NOLINT: a test's own words
}

/// A head-end's folder, a database, and every counter any head-end was ever given.
struct Plant {
    Plant() {
        std::string name = (std::filesystem::temp_directory_path() / "wattmesh-restore-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        folder = name;
        std::filesystem::permissions(folder, std::filesystem::perms::all);  // PostgreSQL's tools run as we do
    }
    ~Plant() { std::filesystem::remove_all(folder); }

    /// A head-end starts, asks for counters of some meters several times, and stops.
    void use(const DatabaseSettings& database, const std::string& state, std::set<int> meters,
             int times = 3) {
        CounterHorizon horizon{folder / state};
        Connection connection{database};
        for (int i = 0; i < times; ++i)
            for (const int meter : meters) {
                const auto id = Meters{connection}.find(customer(meter)).value().id;
                const auto block =
                    horizon.reserve(connection, id, KeyPurpose::management_ek, 256, midnight).value();
                for (std::uint64_t value = block.first; value <= block.last; ++value)
                    REQUIRE(used.emplace(meter, value).second);
            }
    }
    std::string file(const char* name) const { return (folder / name).string(); }

    std::filesystem::path folder;
    std::set<std::pair<int, std::uint64_t>> used;
};

}  // namespace

TEST_CASE("restore: no counter is used twice after yesterday's dump came back, whatever way it came",
          "[db]") {
    Town town;
    Plant plant;
    const auto database = town.database.settings("wm_monitor");
    const auto admin = "\"" + town.database.connection() + "\"";
    plant.use(database, "a", {0, 1});
    const auto way = GENERATE(0, 1, 2, 3);
    CAPTURE(way);
    if (way == 3) {
        // As a snapshot of the machine does: nothing inside the database differs from before.
        run("pg_dump --data-only -t wattmesh.key_counter -t wattmesh.server_identity -t "
            "wattmesh.counter_reservation -d " +
            admin + " -f " + plant.file("dump"));
    } else {
        run("pg_dump -d " + admin + " -f " + plant.file("dump"));
    }
    plant.use(database, "a", {0, 1, 2});  // meter 2: no row of it is in the dump
    town.monitor.discard();
    town.frontend.discard();

    switch (way) {
        case 0: {  // into a new database
            const TestDatabase fresh{TestDatabase::Content::nothing};
            run("PGOPTIONS=--client-min-messages=warning psql -q -v ON_ERROR_STOP=1 -d \"" +
                fresh.connection() + "\" -f " + plant.file("dump"));
            plant.use(fresh.settings("wm_monitor"), "a", {0, 1, 2});
            plant.use(fresh.settings("wm_monitor"), "b", {0, 1, 2});
            break;
        }
        case 1:  // over the same database, and a head-end that has no memory of its own
            run("PGOPTIONS=--client-min-messages=warning psql -q -v ON_ERROR_STOP=1 -d " + admin +
                " -c 'drop schema wattmesh, wattmesh_scope cascade' -f " + plant.file("dump"));
            plant.use(database, "b", {0, 1, 2});
            plant.use(database, "a", {0, 1, 2});
            break;
        case 2:  // over the same database, three times the same dump
            for (int i = 0; i < 3; ++i) {
                run("PGOPTIONS=--client-min-messages=warning psql -q -v ON_ERROR_STOP=1 -d " + admin +
                    " -c 'drop schema wattmesh, wattmesh_scope cascade' -f " + plant.file("dump"));
                plant.use(database, "a", {0, 1, 2});
            }
            break;
        default:
            run("PGOPTIONS=--client-min-messages=warning psql -q -v ON_ERROR_STOP=1 -d " + admin +
                " -c 'delete from wattmesh.key_counter; delete from wattmesh.server_identity' -f " +
                plant.file("dump"));
            plant.use(database, "a", {2, 1, 0});
    }
}

TEST_CASE("restore: the dump that did not come back changes nothing", "[db]") {
    Town town;
    Plant plant;
    const auto database = town.database.settings("wm_monitor");
    plant.use(database, "a", {0, 1, 2}, 4);
    const auto reserved = town.value("select max(reserved) from key_counter");
    plant.use(database, "a", {0, 1, 2}, 4);  // a restart
    CHECK(town.value("select max(reserved) from key_counter") == reserved + 4 * 256);
}

TEST_CASE("restore: a head-end without memory jumps once, one that is told jumps every time", "[db]") {
    Town town;
    Plant plant;
    const auto database = town.database.settings("wm_monitor");
    const auto raised = [&] { return town.value("select raised from server_identity"); };
    plant.use(database, "a", {0});
    const auto before = raised();
    plant.use(database, "b", {0});
    CHECK(raised() == before + (1 << 20));
    plant.use(database, "b", {0});
    plant.use(database, "a", {0});
    CHECK(raised() == before + (1 << 20));
    KeyCounters{town.admin}.jump();
    CHECK(raised() == before + (2 << 20));
    plant.use(database, "a", {0, 1});
    CHECK(town.value("select min(reserved) from key_counter") > raised());  // also counters that begin later
}

TEST_CASE("restore: counters near their end are refused, not wrapped around", "[db]") {
    Town town;
    Plant plant;
    plant.use(town.database.settings("wm_monitor"), "a", {0});
    town.admin.execute("update server_identity set raised = 4294967295", "using everything up");
    CounterHorizon horizon;
    const auto id = Meters{town.monitor}.find(customer(1)).value().id;
    CHECK_FALSE(horizon.reserve(town.monitor, id, KeyPurpose::management_ek, 256, midnight));
    KeyCounters{town.admin}.jump();
    CHECK(town.value("select raised from server_identity") == 4'294'967'295);
}
