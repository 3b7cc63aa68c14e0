#include <catch2/catch.hpp>

#include "headend/database/api_tokens.h"
#include "headend/database/read_meters.h"
#include "headend/database/read_overview.h"
#include "tests/db/town.h"

namespace wattmesh::test {
namespace {

/// Customers 0 and 1 in area 1, customer 2 in area 2 of the same tenant; area 3 is another tenant's.
struct Areas {
    Areas() {
        town.admin.execute(
            "insert into tenant values (2, 'Other', 'UTC'); insert into area values (2, 1, 'East'), (3, 2, "
            "'Far'); "
            "update meter set area = 2 where number = " +
                std::to_string(customer(2).integer()),
            "drawing areas");
    }
    std::size_t meters(const Scope& scope) {
        limit(town.console, scope);
        std::size_t seen = 0;
        for (int i = 0; i < 3; ++i) seen += MeterReader{town.console}.find(customer(i), quarter(9)) ? 1U : 0U;
        return seen;
    }
    Town town;
};

}  // namespace

TEST_CASE("scope: a connection shows the areas it was limited to and nothing else", "[db]") {
    Areas areas_;
    const TenantId ours{1}, other{2};
    CHECK(areas_.meters(Scope::everything()) == 3);
    CHECK(areas_.meters(Scope::of(ours)) == 3);
    CHECK(areas_.meters(Scope::of(other)) == 0);
    CHECK(areas_.meters(Scope::of(ours, {AreaId{1}})) == 2);
    CHECK(areas_.meters(Scope::of(ours, {AreaId{2}})) == 1);
    CHECK(areas_.meters(Scope::of(ours, {AreaId{1}, AreaId{2}})) == 3);
    CHECK(areas_.meters(Scope::of(ours, {AreaId{3}})) == 0);
    CHECK(areas_.meters(Scope::of(other, {AreaId{1}})) == 0);
    CHECK(areas_.meters(Scope::nothing()) == 0);
    limit(areas_.town.console, Scope::of(ours));
    CHECK(areas(areas_.town.console) == std::vector<AreaId>{AreaId{1}, AreaId{2}});
    areas_.town.console.discard();  // a new session of the database was limited to nothing
    CHECK_FALSE(MeterReader{areas_.town.console}.find(customer(0), quarter(9)));
}

TEST_CASE("scope: readings, journals and conflicts are limited with their meters and concentrators", "[db]") {
    Areas areas_;
    auto& town = areas_.town;
    town.store(town.batch(
        0, 2, {Town::entry(0, 1, {interval(quarter(1), 1)}), Town::entry(2, 2, {interval(quarter(1), 5)})}));
    const auto count = [&](const Scope& scope, const std::string& table) {
        limit(town.console, scope);
        try {
            town.console.execute("do $$ begin if (select count(*) from " + table +
                                     ") <> 1 then raise exception 'not one'; end if; end $$",
                                 "counting");
            return true;
        } catch (const DatabaseError&) {
            return false;
        }
    };
    CHECK(count(Scope::of(TenantId{1}, {AreaId{2}}), "interval_row"));
    CHECK(count(Scope::of(TenantId{1}, {AreaId{1}}), "interval_row"));
    CHECK_FALSE(count(Scope::of(TenantId{1}), "interval_row"));
    CHECK(count(Scope::of(TenantId{1}, {AreaId{1}}), "journal_cursor"));
    CHECK_FALSE(count(Scope::of(TenantId{1}, {AreaId{2}}), "journal_cursor"));
    limit(town.console, Scope::of(TenantId{1}, {AreaId{2}}));
    CHECK(OverviewReader{town.console}.concentrators().empty());
    CHECK(OverviewReader{town.console}.store_counts().rows == 0);
}

TEST_CASE("scope: every limited view shows all columns of its table", "[db]") {
    Town town;
    CHECK(town.value("select count(*) from information_schema.columns t join information_schema.views v on "
                     "v.table_schema = "
                     "'wattmesh_scope' and v.table_name = t.table_name where t.table_schema = 'wattmesh' and "
                     "t.table_name <> "
                     "'collector' and t.table_name || '.' || t.column_name <> 'webhook.secret' and not "
                     "exists (select from information_schema.columns s where s.table_schema = "
                     "'wattmesh_scope' and s.table_name = t.table_name and s.column_name = t.column_name)") ==
          0);
    CHECK(town.value("select count(*) from information_schema.views where table_schema = 'wattmesh_scope'") >=
          20);
}

TEST_CASE("scope: the console reads no table with an area except through its limited view", "[db]") {
    Town town;
    CHECK(town.value("select count(*) from pg_attribute a join pg_class c on c.oid = a.attrelid where "
                     "c.relnamespace = 'wattmesh'::regnamespace and c.relkind in ('r', 'p', 'v') and "
                     "a.attname = 'area' "
                     "and not a.attisdropped and c.relname <> 'user_grant' and "
                     "has_table_privilege('wm_console', c.oid, "
                     "'select')") == 0);
}

TEST_CASE("roles: what a person may do follows from the roles, where from their areas", "[db]") {
    Town town;
    town.admin.execute(
        "insert into tenant values (2, 'Other', 'UTC'); insert into area values (2, 1, 'East'), (3, 2, "
        "'Far')",
        "drawing areas");
    Users users{town.console};
    limit(town.console, Scope::of(TenantId{1}));
    const auto id = users.put(TenantId{1}, "tim", "Tim", {{Role::viewer, {}}, {Role::operator_, AreaId{2}}},
                              "hash", midnight);
    const auto tim = users.find(id).value();
    CHECK(tim.scope(Right::look) == Scope::of(TenantId{1}));
    CHECK(tim.scope(Right::read) == Scope::of(TenantId{1}, {AreaId{2}}));
    CHECK(tim.scope(Right::accounts) == Scope::nothing());
    CHECK_FALSE(tim.may(Right::configure));
    CHECK(to_string(tim.grants) == "viewer, operator in area 2");
    CHECK_THROWS_AS(users.grant(id, {{Role::administrator, AreaId{3}}}), DatabaseError);
    users.grant(id, {});
    CHECK(users.find(id)->scope(Right::look) == Scope::nothing());
    struct Row {
        Role role;
        Right right;
        bool may;
    };
    const Row rows[] = {
        {Role::viewer, Right::look, true},         {Role::viewer, Right::read, false},
        {Role::operator_, Right::read, true},      {Role::operator_, Right::configure, false},
        {Role::engineer, Right::configure, true},  {Role::engineer, Right::audit, false},
        {Role::auditor, Right::audit, true},       {Role::auditor, Right::read, false},
        {Role::administrator, Right::audit, true}, {Role::administrator, Right::accounts, true},
        {Role::engineer, Right::accounts, false}};
    for (const auto& row : rows) {
        INFO(to_string(row.role) << " " << static_cast<int>(row.right));
        CHECK(has(row.role, row.right) == row.may);
        CHECK(parse_role(to_string(row.role)) == row.role);
    }
}

TEST_CASE("tokens: good until they expire or are revoked", "[db]") {
    Town town;
    const auto asha =
        Users{town.admin}.put(TenantId{1}, "asha", "Asha", {{Role::operator_, {}}}, "hash", midnight);
    const auto vic = Users{town.admin}.put(TenantId{1}, "vic", "Vic", {{Role::viewer, {}}}, "hash", midnight);
    ApiTokens tokens{town.console};
    const Buffer hash(32, 0x11);
    const auto id = tokens.add(asha, "billing", true, hash, quarter(1), quarter(9));
    CHECK(tokens.use_of(hash, quarter(2))->user == asha);
    CHECK(tokens.of(asha).at(0).last_used == quarter(2));
    CHECK_FALSE(tokens.use_of(hash, quarter(9)));
    CHECK_FALSE(tokens.use_of(Buffer(32, 0x12), quarter(2)));
    CHECK_FALSE(tokens.revoke(vic, id, quarter(3)));
    CHECK(tokens.revoke(asha, id, quarter(3)));
    CHECK_FALSE(tokens.revoke(asha, id, quarter(3)));
    CHECK_FALSE(tokens.use_of(hash, quarter(4)));
    CHECK(tokens.of(vic).empty());
}

}  // namespace wattmesh::test
