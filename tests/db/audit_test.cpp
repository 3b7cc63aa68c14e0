#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <thread>

#include "headend/database/audit_mark.h"
#include "tests/db/town.h"

namespace wattmesh::test {
namespace {

AuditRecord record(int i) {
    AuditRecord made{quarter(i), "asha", "user change", "vic"};
    made.detail = "detail " + std::to_string(i);
    made.reason = "asked by phone";
    made.before = "viewer";
    made.after = "operator";
    made.tenant = TenantId{1};
    return made;
}

/// Five records, sealed.
struct Log {
    Log() {
        for (int i = 0; i < 5; ++i) audit.append(record(i));
        REQUIRE(AuditLog{town.monitor}.seal(100).records == 5);
        REQUIRE_FALSE(audit.first_broken());
    }
    void tamper(const std::string& statement) { town.admin.execute(statement, "tampering"); }

    Town town;
    AuditLog audit{town.console};
};

}  // namespace

TEST_CASE("audit: writers append without a number, the sealer numbers and chains what is committed", "[db]") {
    Town town;
    AuditLog console{town.console}, sealer{town.monitor};
    AuditRecord enrol{quarter(2), "frontend", "enrol", "900000000001"};
    console.append(record(1));
    AuditLog{town.frontend}.append(enrol);
    CHECK(console.latest(1).at(0).number == 0);
    CHECK(console.waiting() == std::pair<std::int64_t, std::optional<Instant>>{2, quarter(1)});
    CHECK(sealer.seal(1).records == 1);
    const auto last = sealer.seal(100);
    CHECK(last.records == 1);
    CHECK(last.head.number == 2);
    CHECK(last.head.hash == console.hash_of(2));
    CHECK(console.head() == last.head);
    CHECK(sealer.seal(100).records == 0);
    const auto first = console.latest(2).at(1);
    CHECK(first.number == 1);
    CHECK(first.reason == "asked by phone");
    CHECK(first.before == "viewer");
    CHECK(first.after == "operator");
    CHECK_FALSE(console.latest(2).at(0).before);
    CHECK_FALSE(console.first_broken());
}

TEST_CASE("audit: a record goes with what it tells of, and blocks nobody until then", "[db]") {
    Town town;
    AuditLog slow{town.console}, quick{town.frontend}, sealer{town.monitor};
    {
        Transaction open{town.console};
        slow.append(record(1));
        quick.append(record(2));  // would wait for ever if writers locked each other out
        CHECK(sealer.seal(100).records == 1);
    }  // rolled back
    CHECK(sealer.seal(100).records == 0);
    {
        Transaction open{town.console};
        slow.append(record(3));
        quick.append(record(4));
        CHECK(sealer.seal(100).records == 1);
        open.commit();
    }
    CHECK(sealer.seal(100).head.number == 3);
    CHECK(slow.latest(3).at(1).detail == "detail 3");  // by time of writing, sealed after the later one
    CHECK(slow.latest(3).at(1).number == 3);
    CHECK_FALSE(slow.first_broken());
}

TEST_CASE("audit: two sealers do not number a record twice", "[db]") {
    Town town;
    AuditLog audit{town.console};
    for (int i = 0; i < 300; ++i) audit.append(record(i));
    std::vector<std::thread> sealers;
    for (int i = 0; i < 3; ++i)
        sealers.emplace_back([&] {
            Connection connection{town.database.settings("wm_monitor")};
            for (int round = 0; round < 40; ++round) AuditLog{connection}.seal(20);
        });
    for (auto& sealer : sealers) sealer.join();
    while (AuditLog{town.monitor}.seal(100).records > 0) {
    }
    CHECK(audit.head().number == 300);
    CHECK_FALSE(audit.first_broken());
}

TEST_CASE("audit: every altered field and every removed record is found", "[db]") {
    Log log;
    struct Row {
        const char* statement;
        std::int64_t broken;
    };
    const auto row =
        GENERATE(values<Row>({{"update audit set actor = 'mallory' where number = 3", 3},
                              {"update audit set action = 'look' where number = 3", 3},
                              {"update audit set subject = 'eve' where number = 3", 3},
                              {"update audit set detail = '' where number = 3", 3},
                              {"update audit set reason = 'because' where number = 3", 3},
                              {"update audit set before = null where number = 3", 3},
                              {"update audit set after = 'viewer' where number = 3", 3},
                              {"update audit set tenant = null where number = 3", 3},
                              {"update audit set at_us = at_us + 1 where number = 1", 1},
                              {"update audit set before = after, after = before where number = 4", 4},
                              {"update audit set form = 1 where number = 2", 2},
                              {"delete from audit where number = 3", 4},
                              {"delete from audit where number = 1", 2},
                              {"update audit set hash = sha256('x') where number = 2", 2}}));
    INFO(row.statement);
    log.tamper(row.statement);
    CHECK(log.audit.first_broken() == row.broken);
}

TEST_CASE("audit: a chain written anew, or cut off, differs from the end kept outside the database", "[db]") {
    Log log;
    const auto folder = std::filesystem::temp_directory_path() / ("audit-mark-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    const AuditMark mark{folder};
    CHECK_FALSE(mark.read());
    CHECK_FALSE(differs_from(log.audit, mark));
    mark.write(log.audit.head());
    CHECK(mark.read() == log.audit.head());
    CHECK_FALSE(differs_from(log.audit, mark));
    SECTION("more records are no difference") {
        log.audit.append(record(9));
        CHECK(AuditLog{log.town.monitor}.seal(10).head.number == 6);
        CHECK_FALSE(differs_from(log.audit, mark));
    }
    SECTION("the end was removed") {
        log.tamper("delete from audit where number = 5");
        CHECK_FALSE(log.audit.first_broken());  // the chain alone cannot tell
        CHECK_THAT(differs_from(log.audit, mark).value(), Catch::Contains("ends before record 5"));
    }
    SECTION("everything was written anew") {
        log.tamper("update audit set number = null, hash = null, previous_hash = null");
        log.tamper("update audit set actor = 'mallory' where id = 3");
        AuditLog{log.town.monitor}.seal(100);
        CHECK_FALSE(log.audit.first_broken());
        CHECK_THAT(differs_from(log.audit, mark).value(), Catch::Contains("record 5 is not the one"));
    }
    mark.forget();
    CHECK_FALSE(mark.read());
    std::filesystem::remove_all(folder);
}

TEST_CASE("audit: records of before the sealer still fit, and the chain goes on from them", "[db]") {
    Town town;
    // as audit_append of 20261122T0120 made it
    town.admin.execute(
        "insert into audit (number, form, at_us, actor, action, subject, detail, previous_hash, hash) values "
        "(1, 1, 7, "
        "'asha', 'login', 'asha', '', sha256('wattmesh audit'), audit_hash(1, 7, 'asha', 'login', 'asha', "
        "'', "
        "sha256('wattmesh audit')))",
        "making an old record");
    AuditLog audit{town.console};
    CHECK_FALSE(audit.first_broken());
    audit.append(record(2));
    CHECK(AuditLog{town.monitor}.seal(10).head.number == 2);
    CHECK_FALSE(audit.first_broken());
    town.admin.execute("update audit set actor = 'mallory' where number = 1", "tampering");
    CHECK(audit.first_broken() == 1);
}

TEST_CASE("audit: the newest records that fit a question, page by page", "[db]") {
    Log log;
    AuditQuery query;
    query.count = 2;
    const auto page = log.audit.find(query);
    REQUIRE(page.size() == 2);
    CHECK(page[0].detail == "detail 4");
    query.below = page[1].id;
    CHECK(log.audit.find(query).at(0).detail == "detail 2");
    query = {};
    query.from = quarter(1);
    query.to = quarter(3);
    CHECK(log.audit.find(query).size() == 2);
    query = {};
    query.subject = "nobody";
    CHECK(log.audit.find(query).empty());
    query = {};
    query.tenant = TenantId{2};
    CHECK(log.audit.find(query).empty());
}

}  // namespace wattmesh::test
