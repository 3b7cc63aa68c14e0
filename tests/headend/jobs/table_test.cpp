#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>

#include "headend/jobs/read_job.h"
#include "headend/jobs/report_job.h"
#include "headend/jobs/table.h"

namespace wattmesh::test {
namespace {

using namespace headend::jobs;

const Instant quarter{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10} + std::chrono::hours{14} +
                      std::chrono::minutes{15}};

Heading heading() {
    return {.title = "Daily energies, March",
            .notes = {"Days 2026-03-01 to 2026-03-31", "Made for ada: yearly audit"},
            .columns = {{"Meter", 14},
                        {"Place", 20},
                        {"Import kWh", 12},
                        {"Intervals", 10},
                        {"Complete", 10},
                        {"Newest", 17}}};
}

std::string written(TableFormat format, int rows = 1) {
    const auto table = table_writer(format, heading());
    for (int i = 0; i < rows; ++i)
        table->row({std::string{"540000000001"}, std::string{"M\xC3\xBChle, \"North\""},
                    Decimal{12'345 + i, 3}, std::int64_t{96}, Tenths{995}, quarter});
    table->row({std::string{"540000000002"}, std::string{"=cmd()"}, {}, std::int64_t{0}, {}, {}});
    const auto content = table->finish();
    return {content.begin(), content.end()};
}

/// What a program of another make says of the file. `command` names it {}.
std::string read_by(const std::string& command, const std::string& content) {
    const auto path = std::filesystem::temp_directory_path() / ("report-test-" + std::to_string(::getpid()));
    std::ofstream{path, std::ios::binary} << content;
    auto line = command;
    line.replace(line.find("{}"), 2, path.string());
    std::string said;
    if (FILE* pipe = ::popen((line + " 2>&1 </dev/null").c_str(), "r")) {
        char buffer[4096];
        while (const auto count = std::fread(buffer, 1, sizeof buffer, pipe)) said.append(buffer, count);
        ::pclose(pipe);
    }
    std::filesystem::remove(path);
    return said;
}

}  // namespace

TEST_CASE("decimals: written exactly, whatever sign and size", "[jobs]") {
    CHECK(to_string(Decimal{12'345, 3}) == "12.345");
    CHECK(to_string(Decimal{5, 3}) == "0.005");
    CHECK(to_string(Decimal{-5, 3}) == "-0.005");
    CHECK(to_string(Decimal{0, 2}) == "0.00");
    CHECK(to_string(Decimal{7, 0}) == "7");
    CHECK(to_string(Decimal{std::numeric_limits<std::int64_t>::min(), 9}) == "-9223372036.854775808");
}

TEST_CASE("csv: RFC 4180, and nothing that a spreadsheet would execute", "[jobs]") {
    CHECK(written(TableFormat::csv) ==
          "Meter,Place,Import kWh,Intervals,Complete,Newest\r\n"
          "540000000001,\"M\xC3\xBChle, \"\"North\"\"\",12.345,96,99.5,2026-03-10T14:15:00Z\r\n"
          "540000000002,'=cmd(),,0,,\r\n");
}

TEST_CASE("xlsx: another make reads numbers as numbers and instants as instants", "[jobs]") {
    const auto said = read_by(
        "/usr/bin/python3 -c \"import openpyxl; s = openpyxl.load_workbook(open('{}', 'rb')).active; "
        "print(s.freeze_panes); "
        "[print([c.value for c in r]) for r in s.iter_rows()]\"",
        written(TableFormat::xlsx));
    CHECK(said ==
          "A6\n"
          "['Daily energies, March', None, None, None, None, None]\n"
          "['Days 2026-03-01 to 2026-03-31', None, None, None, None, None]\n"
          "['Made for ada: yearly audit', None, None, None, None, None]\n"
          "[None, None, None, None, None, None]\n"
          "['Meter', 'Place', 'Import kWh', 'Intervals', 'Complete', 'Newest']\n"
          "['540000000001', 'M\xC3\xBChle, \"North\"', 12.345, 96, 0.995, datetime.datetime(2026, 3, 10, 14, "
          "15)]\n"
          "['540000000002', '=cmd()', None, 0, None, None]\n");
}

TEST_CASE("pdf: another make finds every row, and the names of the columns on every page", "[jobs]") {
    const auto said = read_by("pdftotext -layout {} -", written(TableFormat::pdf, 100));
    const auto count = [&](const std::string& text) {
        int found = 0;
        for (auto at = said.find(text); at != std::string::npos; at = said.find(text, at + 1)) ++found;
        return found;
    };
    CHECK(count("540000000001") == 100);
    CHECK(count("M\xC3\xBChle, \"North\"") == 100);
    CHECK(count("12.444") == 1);  // the hundredth
    CHECK(count("99.5 %") == 100);
    CHECK(count("2026-03-10 14:15") == 100);
    const int pages = count("page ");
    CHECK(pages >= 2);
    CHECK(count("Import kWh") == pages);
    CHECK(count("Daily energies, March") == pages);
}

TEST_CASE("tables: a report that would be too long says what to do", "[jobs]") {
    const auto table = pdf_writer({.title = "Long", .notes = {}, .columns = {{"Number", 10}}});
    const auto fill = [&] {
        for (int i = 0; i <= 50'000; ++i) table->row({std::int64_t{i}});
    };
    CHECK_THROWS_WITH(fill(), Catch::Contains("take CSV"));
}

TEST_CASE("orders: there and back, and nothing else is one", "[jobs]") {
    const ReadOrder read{{.class_id = 3, .object = ObisCode::parse("1-0:1.8.0*255").value(), .attribute = 2}};
    CHECK(ReadOrder::from_json(read.to_json()).attribute == read.attribute);
    const ReportOrder report{ReportOrder::Kind::completeness,
                             headend::database::UtcDay{std::chrono::days{20'522}},
                             headend::database::UtcDay{std::chrono::days{20'523}}, TableFormat::pdf};
    const auto back = ReportOrder::from_json(report.to_json());
    CHECK((back.kind == report.kind && back.first == report.first && back.last == report.last &&
           back.format == report.format));
    for (const std::string bad :
         {"", "{", "[]", "{}", R"({"obis":"x","class":3,"attribute":2})", R"({"report":"all"})"}) {
        CHECK_THROWS_AS(ReadOrder::from_json(bad), std::runtime_error);
        CHECK_THROWS_AS(ReportOrder::from_json(bad), std::runtime_error);
    }
}

}  // namespace wattmesh::test
