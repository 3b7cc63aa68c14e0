// Interval data: a page of JSON, or all of it as lines (NDJSON) or as one XML document, read and written in
// pieces of bounded size.
#include <algorithm>
#include <ostream>

#include "headend/console/json.h"
#include "headend/exchange/reading_line.h"
#include "headend/exchange/reading_pieces.h"
#include "headend/exchange/reading_xml.h"

namespace wattmesh::headend::exchange {
namespace {

using console::Answer;
using console::Problem;
using database::PartnerReadings;
using database::ReadingMeter;
constexpr int rows_page = 1'000, rows_page_max = 10'000;
constexpr auto readings_span_max = std::chrono::hours{24 * 400};
constexpr const char* lines_type = "application/x-ndjson";
constexpr const char* xml_type = "application/xml";

struct Wanted {
    ReadingQuery query;
    std::vector<ObisCode> registers;  ///< empty: all
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
    Wanted wanted{.query = {.bank = {},
                            .meters = call.devices("meter"),
                            .from = request.instant("from"),
                            .to = request.instant("to")},
                  .registers = registers_of(call)};
    auto& query = wanted.query;
    if (query.from > query.to || query.to - query.from > readings_span_max)
        throw Problem{400, "Bad request", "'from' must be before 'to', by 400 days at most."};
    const auto profile = ObisCode::parse(request.text("profile", to_string(obis::load_profile)));
    const auto bank = profile ? PartnerReadings{connection}.bank(*profile) : std::nullopt;
    if (!bank)
        throw Problem{400, "Bad request",
                      "'profile' must be the code of a profile: 1-0:99.1.0*255 is the load profile, "
                      "1-0:98.2.0*255 the daily one."};
    query.bank = *bank;
    return wanted;
}

/// Until `take` has enough (returns false). `out` has the row's object; `take` empties it.
void each_row(ReadingPieces& pieces, const Wanted& wanted, std::string& out,
              const std::function<bool(const ReadingMeter&, Instant)>& take) {
    const ReadingLines lines{wanted.query.bank, pieces.channels(), wanted.registers};
    std::vector<std::string_view> codes;
    while (const auto piece = pieces.next()) {
        const auto& findings = piece->findings;
        std::size_t first_finding = 0;  // of the row's meter
        for (const auto& row : piece->rows) {
            while (first_finding < findings.size() && findings[first_finding].meter < row.meter)
                ++first_finding;
            codes.clear();
            for (auto i = first_finding; i < findings.size() && findings[i].meter == row.meter; ++i)
                if (row.at >= findings[i].first && row.at <= findings[i].last)
                    codes.push_back(findings[i].code);
            const auto& meter = piece->meters[row.meter];
            if (lines.write(out, meter, row, codes) && !take(meter, row.at)) return;
        }
    }
}

std::optional<ReadingPlace> place_of(const std::string& cursor) {
    const auto meter = DeviceNumber::parse(cursor.substr(0, 12));
    const auto us =
        cursor.size() > 13 && cursor[12] == '.' ? console::parse_id(cursor.substr(13)) : std::nullopt;
    if (!meter || !us) return std::nullopt;
    return ReadingPlace{*meter, from_epoch_us(*us)};
}

RestAnswer page(RestDesk& desk, const RestCall& call, const Wanted& wanted) {
    const auto cursor = call.request.text("cursor");
    const auto after = place_of(cursor);
    if (!cursor.empty() && !after)
        throw Problem{400, "Bad request", "'cursor' must be the 'next' of the page before."};
    const int count = call.request.number("limit", rows_page, 1, rows_page_max);
    std::string body = R"({"profile":")" + to_string(wanted.query.bank.profile) + R"(","period_s":)" +
                       std::to_string(wanted.query.bank.period_s) + R"(,"items":[)";
    std::string row, next = "null";
    int rows = 0;
    ReadingPieces pieces{desk, call.contract, wanted.query, after, count};
    each_row(pieces, wanted, row, [&](const ReadingMeter& meter, Instant at) {
        if (rows > 0) body += ',';
        body += row;
        row.clear();
        if (++rows < count) return true;
        next = "\"" + to_string(meter.number) + "." + std::to_string(epoch_us(at)) + "\"";
        return false;
    });
    return Answer{.body = body + R"(],"next":)" + next + "}"};
}

std::shared_ptr<RestBudget::Stream> turn_of(RestDesk& desk, const RestCall& call) {
    auto turn = desk.budget.begin(call.contract.id);
    if (!turn)
        throw Problem{429, "Too many streams",
                      "Two answers to this contract are being streamed. Wait until one of them ends.", 10};
    return turn;
}

/// The last line says that it was all, and how many.
RestAnswer stream(RestDesk& desk, const RestCall& call, const Wanted& wanted) {
    auto turn = turn_of(desk, call);
    RestAnswer answer{Answer{.body = {}, .type = lines_type}};
    answer.pour = [&desk, call, wanted, turn](std::ostream& to) {
        std::string out;
        std::int64_t rows = 0;
        constexpr std::size_t enough = 64 * 1024;
        ReadingPieces pieces{desk, call.contract, wanted.query, std::nullopt};
        each_row(pieces, wanted, out, [&](const ReadingMeter&, Instant) {
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

/// MeterReadings of IEC 61968-9 in the contract's dialect; without its end tag it broke off.
RestAnswer document(RestDesk& desk, const RestCall& call, const Wanted& wanted) {
    auto turn = turn_of(desk, call);
    auto form = cim_form(desk, call.contract, wanted.query.from, wanted.query.to);
    RestAnswer answer{Answer{.body = {}, .type = "application/xml; charset=utf-8"}};
    answer.pour = [&desk, call, wanted, turn, form = std::move(form)](std::ostream& to) {
        ReadingPieces pieces{desk, call.contract, wanted.query, std::nullopt};
        ReadingXml xml{wanted.query.bank, pieces.channels(), form,
                       [&](const ObisCode& code, const cim::ReadingType&) {
                           const auto& some = wanted.registers;
                           return some.empty() || std::find(some.begin(), some.end(), code) != some.end();
                       }};
        to << xml_declaration << meter_readings_open;
        std::string out;
        while (const auto piece = pieces.next()) {
            ReadingXml::each(*piece, [&](const ReadingXml::MeterRows& rows) {
                xml.write(out, rows);
                constexpr std::size_t enough = 64 * 1024;
                if (out.size() >= enough) {
                    to << out;
                    out.clear();
                }
                return to.good();
            });
            if (!to.good()) return;
        }
        to << out << meter_readings_close;
    };
    return answer;
}

RestAnswer readings(RestDesk& desk, const RestCall& call) {
    const auto what = [&] {
        auto connection = desk.seen(call.contract);
        return wanted_readings(*connection, call);
    }();
    if (call.accept.find(lines_type) != std::string::npos) return stream(desk, call, what);
    if (call.accept.find(xml_type) != std::string::npos) return document(desk, call, what);
    return page(desk, call, what);
}

}  // namespace

void add_reading_routes(std::vector<RestRoute>& routes) {
    routes.push_back({"GET", "/partner/v1/readings", "readings", readings});
}

}  // namespace wattmesh::headend::exchange
