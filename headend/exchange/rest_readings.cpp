// Interval data: a page of JSON, or all of it as lines (NDJSON), read and written in pieces of bounded size.
#include <ostream>
#include <stdexcept>

#include "headend/console/json.h"
#include "headend/exchange/reading_line.h"
#include "headend/exchange/rest_desk.h"

namespace wattmesh::headend::exchange {
namespace {

using console::Answer;
using console::Problem;
using database::PartnerReadings;
using database::ReadingMeter;
constexpr int rows_page = 1'000, rows_page_max = 10'000;
constexpr std::int64_t piece_rows = 20'000;  ///< rows in memory at once, about
constexpr int piece_meters_max = 1'000;
constexpr auto readings_span_max = std::chrono::hours{24 * 400};
constexpr const char* lines_type = "application/x-ndjson";

struct Wanted {
    database::ReadingBank bank;
    std::vector<DeviceNumber> meters;  ///< empty: all
    std::vector<ObisCode> registers;   ///< empty: all
    Instant from{}, to{};
    int piece_meters = 1;
};

/// Where a page begins: behind the row of this meter and instant.
struct Place {
    DeviceNumber meter;
    Instant at{};
};

std::vector<ObisCode> registers_of(const RestCall& call) {
    std::vector<ObisCode> found;
    const auto given = call.request.text("register");
    for (std::size_t at = 0; at < given.size();) {
        const auto end = std::min(given.find(',', at), given.size());
        const auto code = ObisCode::parse(given.substr(at, end - at));
        if (!code)
            throw Problem{400, "Bad request",
                          "'register' must be codes like 1-0:1.8.0*255, divided by commas."};
        found.push_back(*code);
        at = end + 1;
    }
    return found;
}

Wanted wanted_readings(database::Connection& connection, const RestCall& call) {
    const auto& request = call.request;
    Wanted wanted{.bank = {},
                  .meters = call.devices("meter"),
                  .registers = registers_of(call),
                  .from = request.instant("from"),
                  .to = request.instant("to")};
    if (wanted.from > wanted.to || wanted.to - wanted.from > readings_span_max)
        throw Problem{400, "Bad request", "'from' must be before 'to', by 400 days at most."};
    const auto profile = ObisCode::parse(request.text("profile", to_string(obis::load_profile)));
    const auto bank = profile ? PartnerReadings{connection}.bank(*profile) : std::nullopt;
    if (!bank)
        throw Problem{400, "Bad request",
                      "'profile' must be the code of a profile: 1-0:99.1.0*255 is the load profile, "
                      "1-0:98.2.0*255 the daily one."};
    wanted.bank = *bank;
    const auto each = (wanted.to - wanted.from) / std::chrono::seconds{wanted.bank.period_s} + 1;
    wanted.piece_meters = static_cast<int>(std::clamp<std::int64_t>(piece_rows / each, 1, piece_meters_max));
    return wanted;
}

/// Reads piece by piece, in the order of meters and instants, until `take` has enough (returns false).
/// Between pieces no connection is held. `out` has the row's object; `take` empties it.
void each_row(RestDesk& desk, const RestCall& call, const Wanted& wanted, const std::optional<Place>& after,
              std::string& out, const std::function<bool(const ReadingMeter&, Instant)>& take) {
    std::optional<ReadingLines> lines;
    auto last = after ? std::optional{after->meter} : std::nullopt;
    bool again = after.has_value();  // the page may have ended in the middle of this meter
    for (;;) {
        if (desk.stopping) throw std::runtime_error("the head-end stops");
        std::vector<ReadingMeter> meters;
        std::vector<database::ReadingRow> rows;
        std::vector<database::ReadingFinding> findings;
        {
            auto connection = desk.seen(call.contract);
            PartnerReadings readings{*connection};
            if (!lines) lines.emplace(wanted.bank, readings.channels(wanted.bank), wanted.registers);
            auto from = wanted.from;
            if (again) {
                meters = readings.meters({*last}, std::nullopt, 1);
                from = std::max(from, after->at);
            } else {
                meters = readings.meters(wanted.meters, last, wanted.piece_meters);
                if (meters.empty()) return;
                last = meters.back().number;
            }
            rows = readings.rows(meters, wanted.bank, from, wanted.to);
            findings = readings.findings(meters, wanted.bank, from, wanted.to);
        }
        again = false;
        std::size_t first_finding = 0;  // of the row's meter
        std::vector<std::string_view> codes;
        for (const auto& row : rows) {
            while (first_finding < findings.size() && findings[first_finding].meter < row.meter)
                ++first_finding;
            codes.clear();
            for (auto i = first_finding; i < findings.size() && findings[i].meter == row.meter; ++i)
                if (row.at >= findings[i].first && row.at <= findings[i].last)
                    codes.push_back(findings[i].code);
            const auto& meter = meters[row.meter];
            if (lines->write(out, meter, row, codes) && !take(meter, row.at)) return;
        }
    }
}

std::optional<Place> place_of(const std::string& cursor) {
    const auto meter = DeviceNumber::parse(cursor.substr(0, 12));
    const auto us =
        cursor.size() > 13 && cursor[12] == '.' ? console::parse_id(cursor.substr(13)) : std::nullopt;
    if (!meter || !us) return std::nullopt;
    return Place{*meter, from_epoch_us(*us)};
}

RestAnswer page(RestDesk& desk, const RestCall& call, const Wanted& wanted) {
    const auto cursor = call.request.text("cursor");
    const auto after = place_of(cursor);
    if (!cursor.empty() && !after)
        throw Problem{400, "Bad request", "'cursor' must be the 'next' of the page before."};
    const int count = call.request.number("limit", rows_page, 1, rows_page_max);
    std::string body = R"({"profile":")" + to_string(wanted.bank.profile) + R"(","period_s":)" +
                       std::to_string(wanted.bank.period_s) + R"(,"items":[)";
    std::string row, next = "null";
    int rows = 0;
    each_row(desk, call, wanted, after, row, [&](const ReadingMeter& meter, Instant at) {
        if (rows > 0) body += ',';
        body += row;
        row.clear();
        if (++rows < count) return true;
        next = "\"" + to_string(meter.number) + "." + std::to_string(epoch_us(at)) + "\"";
        return false;
    });
    return Answer{.body = body + R"(],"next":)" + next + "}"};
}

/// The last line says that it was all, and how many.
RestAnswer stream(RestDesk& desk, const RestCall& call, const Wanted& wanted) {
    auto turn = desk.budget.begin(call.contract.id);
    if (!turn)
        throw Problem{429, "Too many streams",
                      "Two answers to this contract are being streamed. Wait until one of them ends.", 10};
    RestAnswer answer{Answer{.body = {}, .type = lines_type}};
    answer.pour = [&desk, call, wanted, turn](std::ostream& to) {
        std::string out;
        std::int64_t rows = 0;
        constexpr std::size_t enough = 64 * 1024;
        each_row(desk, call, wanted, std::nullopt, out, [&](const ReadingMeter&, Instant) {
            out += '\n';
            ++rows;
            if (out.size() < enough) return true;
            to << out;
            out.clear();
            return to.good();
        });
        to << out << R"({"complete":true,"rows":)" << rows << "}\n";
    };
    return answer;
}

RestAnswer readings(RestDesk& desk, const RestCall& call) {
    const auto what = [&] {
        auto connection = desk.seen(call.contract);
        return wanted_readings(*connection, call);
    }();
    return call.accept.find(lines_type) != std::string::npos ? stream(desk, call, what)
                                                             : page(desk, call, what);
}

}  // namespace

void add_reading_routes(std::vector<RestRoute>& routes) {
    routes.push_back({"GET", "/partner/v1/readings", "readings", readings});
}

}  // namespace wattmesh::headend::exchange
