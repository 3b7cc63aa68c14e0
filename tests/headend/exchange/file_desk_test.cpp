// Files of intervals from readings to the partner's answer, in a real folder and PostgreSQL.
#include "headend/exchange/file_desk.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "headend/exchange/file_answer.h"
#include "headend/exchange/interval_file.h"
#include "terminal-sim/tool/file_consumer.h"
#include "tests/db/town.h"

using namespace wattmesh;
using namespace wattmesh::test;
using namespace wattmesh::headend::exchange;
using sim::FileConsumer;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::sys_days tenth{std::chrono::year{2026} / 3 / 10};

std::string text_of(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream{file, std::ios::binary}.rdbuf();
    return text.str();
}

struct Office {
    explicit Office(int meters = 3, int meters_max = 2) : town(meters) {
        folder = "/tmp/wattmesh-files-" + std::to_string(getpid());
        fs::remove_all(folder);
        fs::create_directories(folder);
        channel.contract.name = "mis";
        channel.contract.topics = {"readings"};
        channel.contract.id = Contracts{town.admin}.put(channel.contract, midnight, "tester");
        channel.name = "billing";
        channel.directory = folder;
        channel.zone = "Asia/Kolkata";  // UTC+5:30: its tenth of March begins on the ninth at 18:30
        channel.meters_max = meters_max;
        channel.first_day = tenth;
        BillingFiles{town.admin}.put(channel);
        channel = BillingFiles{town.admin}.all().at(0);
    }
    ~Office() { fs::remove_all(folder); }
    /// All quarters of the day, of all meters but one of the last.
    void measure(int meters) {
        std::vector<headend::frontend::StoredMeterRows> entries;
        for (int m = 0; m < meters; ++m) {
            std::vector<dcu::IntervalRow> rows;
            for (int q = 1; q <= 96; ++q)
                if (m + 1 < meters || q != 50) rows.push_back(interval(start + 15min * q, 100 + m));
            entries.push_back(Town::entry(m, static_cast<std::uint64_t>(m) + 1, rows));
        }
        town.store(town.batch(0, static_cast<std::uint64_t>(meters), entries));
    }
    void late_quarter(int meter, std::uint64_t sequence) {
        town.store(town.batch(sequence - 1, sequence,
                              {Town::entry(meter, sequence, {interval(start + 15min * 50, 7)})}));
        town.admin.execute("delete from dirty_day", "aggregates were computed");
    }
    void round() { desk.round(exchange, now); }
    std::vector<std::string> names() {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator{folder})
            if (entry.path().extension() == ".csv") found.push_back(entry.path().filename().string());
        std::sort(found.begin(), found.end());
        return found;
    }
    /// A second channel of the same partner, with a folder of its own.
    fs::path add_other() {
        auto other = channel;
        other.name = "other";
        other.directory = folder / "other";
        fs::create_directories(other.directory);
        BillingFiles{town.admin}.put(other);
        return other.directory;
    }
    std::vector<SentFile> sent() { return BillingFiles{town.admin}.sent(channel, 100); }

    Town town;
    Connection exchange{town.database.settings("wm_exchange")};
    fs::path folder;
    FileChannel channel;
    Instant start = midnight - 5h - 30min, now = start + 24h + 6h;
    std::vector<std::string> lines;
    FileDesk desk{[this](std::string_view level, const std::string& line) {
        if (level == "warning") lines.push_back(line);
    }};
};

}  // namespace

TEST_CASE("interval file: header, lines, trailer", "[exchange]") {
    FileChannel channel;
    channel.contract.name = "mis";
    channel.zone = "Europe/Berlin";
    const FileDay day{tenth, midnight - 1h, midnight + 23h};
    DayLine energy{.meter = 1,
                   .number = customer(0),
                   .usage_point = "UP-1",
                   .register_ = obis::active_import_total,
                   .scaler = 0,
                   .unit = 30,
                   .period_s = 21'600,
                   .values = {1'234, std::nullopt, 0, 5},
                   .quality = "ANAE"};
    auto reactive = energy;
    reactive.unit = 32;
    reactive.scaler = 1;
    reactive.usage_point = "has, \"signs\"";
    reactive.values = {-1, 2, 3, 4};
    reactive.quality = "AAAA";
    const auto name = interval_file_name(channel, tenth, 7, 2);
    CHECK(name == "AMI_WATTMESH_mis_INTERVAL_20260310_000007_v2.csv");
    const auto file = make_interval_file(channel, day, name, 2, midnight + 30h, {energy, reactive});
    // Sum: 1.239 + 0.08 (of -0.01 + 0.02 + 0.03 + 0.04); SHA-256 by `sha256sum`.
    CHECK(
        file.text ==
        "H,wattmesh-intervals,1,AMI_WATTMESH_mis_INTERVAL_20260310_000007_v2.csv,2,2026-03-11T06:00:00.000Z,"
        "2026-03-10,2026-03-09T23:00:00.000Z,2026-03-10T23:00:00.000Z,Europe/Berlin,kWh\n"
        "D,UP-1,540000000000,1-0:1.8.0*255,kWh,360,4,1.234,,0.000,0.005,A,N,A,E\n"
        "D,has   signs ,540000000000,1-0:1.8.0*255,kvarh,360,4,-0.01,0.02,0.03,0.04,A,A,A,A\n"
        "T,2,1.319000,fe131b9f10f7a4484bf4813adaa054bd4023189c1811c860c3ab08bf5590930b\n");
    channel.decimals = 0;
    CHECK(interval_line(energy, 0) == "UP-1,540000000000,1-0:1.8.0*255,Wh,360,4,1234,,0,5,A,N,A,E");
    CHECK(interval_line(reactive, 0).find("varh,360,4,-10,20,30,40") != std::string::npos);
}

TEST_CASE("file desk: a closed day goes out in parts that the partner finds whole", "[exchange][db]") {
    Office office;
    office.measure(3);
    office.now = office.start + 24h + 5h;
    office.round();
    CHECK(office.names().empty());  // not yet
    office.now += 1h;
    office.round();
    CHECK(office.names() == std::vector<std::string>{"AMI_WATTMESH_mis_INTERVAL_20260310_000001_v0.csv",
                                                     "AMI_WATTMESH_mis_INTERVAL_20260310_000002_v0.csv"});
    const auto taken = FileConsumer{office.folder, 0}.take();
    REQUIRE(taken.size() == 2);
    for (const auto& file : taken) CHECK(file.why.empty());
    CHECK(taken[0].lines == 2 * 4);
    CHECK(taken[0].values == 2 * 4 * 96);
    CHECK(taken[1].values == 4 * 95);
    CHECK(office.town.value("select count(*) from file_due") == 0);
    office.round();
    for (const auto& file : office.sent()) {
        CHECK(file.acknowledged);
        CHECK(file.refused == 0);
    }
    CHECK(FileConsumer{office.folder, 0}.take().empty());
    CHECK(office.lines.empty());
}

TEST_CASE("file desk: what comes late goes out as a correction, and only that", "[exchange][db]") {
    Office office;
    office.measure(3);
    office.town.admin.execute("delete from dirty_day", "aggregates were computed");
    office.round();
    office.round();
    CHECK(office.names().size() == 2);  // a day that was computed again and is the same is no correction
    office.late_quarter(2, 4);
    office.round();
    const auto names = office.names();
    REQUIRE(names.size() == 3);
    CHECK(names[2] == "AMI_WATTMESH_mis_INTERVAL_20260310_000002_v1.csv");
    const auto taken = FileConsumer{office.folder, 0}.take();
    REQUIRE(taken.size() == 3);
    CHECK(taken[2].why.empty());
    CHECK(taken[2].lines == 4);
    CHECK(taken[2].values == 4 * 96);
    CHECK(text_of(office.folder / names[2]).find(to_string(customer(0))) == std::string::npos);

    // Past the days of correction nothing goes out.
    office.now += 24h * 11;
    office.town.admin.execute("update interval_row set v1 = 1", "a change");
    office.town.admin.execute("insert into file_due values (20522, 1), (20521, 1)", "a change");
    const auto before = office.town.value("select count(*) from file_line");
    office.round();
    CHECK(
        office.town.value("select count(*) from file_line l join file_sent s on s.id = l.file where s.day = "
                          "'2026-03-10'") == before);
    CHECK(office.town.value("select count(*) from file_due") == 0);
}

TEST_CASE("file desk: lines that the partner refuses are kept with his words", "[exchange][db]") {
    Office office;
    office.measure(3);
    office.round();
    FileConsumer{office.folder, 3}.take();
    office.round();
    CHECK(office.town.value("select sum(refused) from file_sent") == 3);
    CHECK(office.town.value(
              "select count(*) from file_line where refused_code = '2.12' and refused_text = 'no such "
              "usage point'") == 3);
    CHECK(office.lines.size() == 2);
    CHECK(fs::is_empty(office.folder / "ack"));

    std::ofstream{office.folder / "ack" / "strange.ack.csv"} << "hello\n";
    std::ofstream{office.folder / "ack" / "other.ack.csv"} << "ack,other.csv,accepted\n";
    office.round();
    CHECK(fs::exists(office.folder / "error" / "strange.ack.csv"));
    CHECK(fs::exists(office.folder / "error" / "other.ack.csv"));
    CHECK(office.lines.back().find("no line 1") == std::string::npos);
    CHECK(office.lines.size() == 4);
}

TEST_CASE("file desk: a crash between database and folder is made good", "[exchange][db]") {
    Office office;
    office.measure(3);
    office.round();
    const auto name = office.names().at(0);
    const auto whole = text_of(office.folder / name);
    const bool renamed = GENERATE(false, true);
    if (!renamed) fs::rename(office.folder / name, office.folder / (name + ".part"));
    fs::remove(office.folder / (name + ".done"));
    office.town.admin.execute("update file_sent set published = false where part = 1", "a crash");
    office.round();
    CHECK(text_of(office.folder / name) == whole);
    CHECK(fs::exists(office.folder / (name + ".done")));
    CHECK(office.sent().size() == 2);
}

TEST_CASE("file desk: a day that failed between two parts is made whole", "[exchange][db]") {
    Office office{5};
    office.measure(5);
    const std::string second = "AMI_WATTMESH_mis_INTERVAL_20260310_000002_v0.csv";
    fs::create_directories(office.folder / (second + ".part"));  // cannot be written
    office.round();
    CHECK(office.names().size() == 1);
    CHECK(office.lines.size() == 1);
    fs::remove(office.folder / (second + ".part"));
    office.round();
    office.round();
    CHECK(office.names().size() == 3);
    std::int64_t lines = 0;
    for (const auto& file : FileConsumer{office.folder, 0}.take()) {
        CHECK(file.why.empty());
        lines += file.lines;
    }
    CHECK(lines == 5 * 4);
    CHECK(office.town.value("select count(distinct (meter, register)) from file_line") == 5 * 4);
    CHECK(office.town.value("select count(*) from file_sent where last") == 1);
}

TEST_CASE("file desk: what one channel cannot do, the others are not kept from", "[exchange][db]") {
    Office office;
    office.measure(3);
    const auto other = office.add_other();
    office.town.admin.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$; "
        "create trigger refuse before insert on file_sent for each row when (new.channel = " +
            std::to_string(office.channel.id.value) + ") execute function refuse()",
        "making the database refuse one channel");
    office.round();
    CHECK(office.names().empty());
    REQUIRE(office.lines.size() == 1);
    CHECK(office.lines[0].find("files=mis/billing") == 0);
    CHECK(FileConsumer{other, 0}.take().size() == 2);
}

TEST_CASE("file desk: an answer that is no UTF-8 is put aside", "[exchange][db]") {
    Office office;
    office.measure(3);
    office.round();
    const auto name = office.names().at(0);
    std::ofstream{office.folder / "ack" / "latin.ack.csv"} << "ack," << name << ",partly\n2,1,z\xE4hler\n";
    std::ofstream{office.folder / "ack" / "long.ack.csv"} << "ack," << name << ",partly\n3,"
                                                          << std::string(49, 'c') << "\xC3\xA4,text\n";
    office.round();
    CHECK(fs::exists(office.folder / "error" / "latin.ack.csv"));
    CHECK(fs::exists(office.folder / "archive" / "long.ack.csv"));
    CHECK(office.town.value("select length(refused_code) from file_line where refused_code is not null") ==
          49);
}

TEST_CASE("file desk: a correction waits for a channel whose folder is away", "[exchange][db]") {
    Office office;
    office.measure(3);
    const auto other = office.add_other();
    office.town.admin.execute("delete from dirty_day", "aggregates were computed");
    office.round();
    office.round();
    REQUIRE(office.town.value("select count(*) from file_due") == 0);
    fs::remove_all(other);
    std::ofstream{other} << "no folder";
    office.late_quarter(2, 4);
    office.round();
    CHECK(office.names().size() == 3);
    CHECK(office.town.value("select count(*) from file_due") > 0);
    fs::remove(other);
    office.round();
    CHECK(office.names().size() == 3);
    CHECK(fs::exists(other / "AMI_WATTMESH_mis_INTERVAL_20260310_000002_v1.csv"));
    CHECK(office.town.value("select count(*) from file_due") == 0);
}

TEST_CASE("file desk: a folder that is gone is said once, and files come when it is back", "[exchange][db]") {
    Office office;
    office.measure(3);
    fs::remove_all(office.folder);
    std::ofstream{office.folder} << "no folder";
    office.round();
    office.round();
    REQUIRE(office.lines.size() == 1);
    CHECK(office.lines[0].find("files=mis/billing") == 0);
    fs::remove(office.folder);
    fs::create_directories(office.folder);
    office.round();
    CHECK(office.names().size() == 2);
}

TEST_CASE("file desk: the days on which clocks change have 92 and 100 quarters", "[exchange][db]") {
    Office office{1, 10};
    office.channel.zone = "Europe/Berlin";
    office.channel.first_day = std::chrono::sys_days{std::chrono::year{2026} / 3 / 28};
    BillingFiles{office.town.admin}.put(office.channel);
    office.now = std::chrono::sys_days{std::chrono::year{2026} / 3 / 31};
    office.round();
    const auto taken = FileConsumer{office.folder, 0}.take();
    REQUIRE(taken.size() == 2);
    for (const auto& file : taken) CHECK(file.why.empty());
    CHECK(text_of(office.folder / taken[0].name).find("kWh,15,96,") != std::string::npos);
    CHECK(text_of(office.folder / taken[1].name).find("kWh,15,92,") != std::string::npos);

    office.channel.first_day = std::chrono::sys_days{std::chrono::year{2026} / 10 / 25};
    BillingFiles{office.town.admin}.put(office.channel);
    office.now = std::chrono::sys_days{std::chrono::year{2026} / 10 / 26} + 12h;
    office.round();
    CHECK(text_of(office.folder / "AMI_WATTMESH_mis_INTERVAL_20261025_000001_v0.csv").find("kWh,15,100,") !=
          std::string::npos);

    office.channel.zone = "Europe/Atlantis";
    CHECK_THROWS_AS(BillingFiles{office.town.admin}.put(office.channel), DatabaseError);
}

TEST_CASE("file answer: says which line is not what it should be", "[exchange]") {
    struct Row {
        const char* text;
        const char* why;
    };
    const auto row = GENERATE(values<Row>({
        {"", "line 1 is not ack,NAME,accepted|partly|refused"},
        {"ack,a.csv", "line 1 is not ack,NAME,accepted|partly|refused"},
        {"ack,,accepted", "line 1 is not ack,NAME,accepted|partly|refused"},
        {"ack,a.csv,perhaps", "line 1 is not ack,NAME,accepted|partly|refused"},
        {"ack,a.csv,partly", "it names no line that is refused"},
        {"ack,a.csv,accepted\n2,1,x", "it is accepted and refuses lines"},
        {"ack,a.csv,partly\n\nx,1,y", "line 3 is not LINE,CODE,TEXT"},
        {"ack,a.csv,partly\n1,1,y", "line 2 is not LINE,CODE,TEXT"},
        {"ack,a.csv,partly\n2,1", "line 2 is not LINE,CODE,TEXT"},
        {"ack,a.csv,partly\n99999999,1,y", "line 2 is not LINE,CODE,TEXT"},
        {"ack,a.csv,partly\n2,1,\xE4", "it is no text in UTF-8"},
    }));
    DYNAMIC_SECTION(row.text) { CHECK(std::get<std::string>(parse_answer(row.text)) == row.why); }
    const auto good = std::get<FileAnswer>(parse_answer("ack,a,b.csv,partly\r\n17,2.12,no, such point\r\n"));
    CHECK(good.name == "a,b.csv");
    REQUIRE(good.refused.size() == 1);
    CHECK(good.refused[0].line == 17);
    CHECK(good.refused[0].code == "2.12");
    CHECK(good.refused[0].text == "no, such point");
}
