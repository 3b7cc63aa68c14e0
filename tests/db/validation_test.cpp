#include <catch2/catch.hpp>

#include "headend/database/aggregates.h"
#include "headend/database/scope.h"
#include "headend/database/validation_days.h"
#include "headend/monitor/validator.h"
#include "tests/db/town.h"

namespace wattmesh::test {
namespace {

/// Readings of the local day that begins at 2026-03-09 18:30 UTC, Asia/Kolkata; meter 1 has a gap of two, and
/// more energy in one interval than its fuse lets through.
struct ValidatedDay {
    ValidatedDay() {
        town.admin.execute("update meter set installed_us = 0", "installing");
        std::uint64_t sequence = 0;
        for (int meter = 0; meter < 2; ++meter) {
            std::vector<dcu::IntervalRow> rows;
            for (int i = 0; i < 96; ++i) {
                if (meter == 1 && (i == 40 || i == 41)) continue;
                rows.push_back(interval(begin + std::chrono::minutes{15} * (i + 1), 4 + i % 7));
                if (meter == 1 && i == 60) rows.back().values[0] = 20'000;
            }
            ++sequence;
            town.store(town.batch(sequence - 1, sequence, {Town::entry(meter, sequence, std::move(rows))}));
        }
    }
    int work(Instant now) {
        Aggregates{town.monitor}.work(100, now + std::chrono::hours{1});
        return headend::monitor::validate_days(town.monitor, 100, now);
    }
    std::vector<FindingLine> findings() {
        limit(town.console, Scope::of(TenantId{1}));
        return ValidationDays{town.console}.list("", {}, 100);
    }
    Town town{2};
    Instant begin = midnight - std::chrono::minutes{330};
};

}  // namespace

TEST_CASE("validation: a local day is judged when it is over, and its findings replaced when late rows come",
          "[db]") {
    ValidatedDay day;
    CHECK(day.work(day.begin + std::chrono::hours{25}) == 0);
    CHECK(day.findings().empty());
    // The UTC days touch the local days before and after too: they wait until all are over.
    CHECK(day.work(day.begin + std::chrono::hours{75}) == 2);
    auto found = day.findings();
    const auto of = [&](const std::string& rule) {
        return std::count_if(found.begin(), found.end(), [&](const FindingLine& line) {
            return line.rule == rule && line.meter == customer(1) && line.day == day.begin;
        });
    };
    CHECK(of("gap") == 1);
    CHECK(of("range") == 1);
    CHECK(of("spike") == 1);
    for (const auto& line : found)
        if (line.rule == "range" && line.day == day.begin) {
            CHECK(line.first == day.begin + std::chrono::minutes{15} * 61);
            CHECK(line.value == 20'000);
            CHECK(line.quality == "2.5.256");
            CHECK(line.verdict == "fail");
        }
    CHECK(std::none_of(found.begin(), found.end(), [&](const FindingLine& line) {
        return line.meter == customer(0) && line.day == day.begin;
    }));
    std::vector<dcu::IntervalRow> late;
    for (const int i : {40, 41}) late.push_back(interval(day.begin + std::chrono::minutes{15} * (i + 1), 5));
    day.town.store(day.town.batch(2, 3, {Town::entry(1, 3, std::move(late))}));
    CHECK(day.work(day.begin + std::chrono::hours{76}) >= 1);
    found = day.findings();
    CHECK(of("gap") == 0);
    CHECK(of("range") == 1);
    CHECK(day.town.value("select count(*) from validation_due") == 0);
}

TEST_CASE("validation: a utility's own limit counts, and its readings stay as they are", "[db]") {
    ValidatedDay day;
    day.town.admin.execute(
        "insert into validation_setting values ('household', 'power_max_w', 400000), ('household', "
        "'verdict.spike', 0), ('household', 'of_a_newer_program', 1)",
        "setting limits");
    day.work(day.begin + std::chrono::hours{75});
    for (const auto& line : day.findings()) {
        CHECK(line.rule != "range");
        CHECK(line.rule != "spike");
    }
    CHECK(day.town.value("select max(v1) from interval_row") == 20'000);
}

}  // namespace wattmesh::test
