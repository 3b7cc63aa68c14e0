#include "headend/jobs/report_job.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <fmt/format.h>

#include <array>
#include <sstream>
#include <stdexcept>

#include "headend/database/read_reports.h"

namespace wattmesh::headend::jobs {
namespace {

using database::UtcDay;
constexpr std::array<std::string_view, 2> words{"energy", "completeness"};

std::string day_text(UtcDay day) {
    const std::chrono::year_month_day date{day};
    return fmt::format("{:04}-{:02}-{:02}", int{date.year()}, unsigned{date.month()}, unsigned{date.day()});
}

Cell percent(std::int64_t part, std::int64_t all) {
    if (all <= 0) return {};
    return Tenths{static_cast<int>(part * 1000 / all)};  // down: 99.96 % is not complete
}

std::vector<std::string> notes(const ReportOrder& order, const database::Job& job, Instant now) {
    return {"Days " + day_text(order.first) + " to " + day_text(order.last),
            "Made " + minute_text(now) + " UTC for " + job.requested_by + ": " + job.reason};
}

void energy(database::Connection& connection, const ReportOrder& order, const ObisCode& profile,
            TableWriter& table) {
    database::ReportReader{connection}.energy_days(
        profile, order.first, order.last, [&](const database::EnergyDay& day) {
            table.row({to_string(day.meter), day.area,
                       day.concentrator ? Cell{to_string(*day.concentrator)} : Cell{}, day_text(day.day),
                       Decimal{day.import_wh, 3}, day.export_wh ? Cell{Decimal{*day.export_wh, 3}} : Cell{},
                       std::int64_t{day.readings}, percent(day.readings, day.expected),
                       std::int64_t{day.doubtful}});
        });
}
const std::vector<Heading::Column> energy_columns{{"Meter", 14},     {"Area", 16},       {"Concentrator", 14},
                                                  {"Day", 11},       {"Import kWh", 12}, {"Export kWh", 12},
                                                  {"Intervals", 10}, {"Complete", 10},   {"Doubtful", 9}};

void completeness(database::Connection& connection, const ReportOrder& order, const ObisCode& profile,
                  TableWriter& table) {
    for (const auto& cell : database::CompletenessReader{connection}.board(profile, order.first, order.last))
        table.row({to_string(cell.number), day_text(cell.day), cell.expected, cell.received,
                   percent(cell.received, cell.expected), std::int64_t{cell.meters},
                   std::int64_t{cell.meters_complete}});
}
const std::vector<Heading::Column> completeness_columns{
    {"Concentrator", 14}, {"Day (UTC)", 11}, {"Expected", 12},       {"Received", 12},
    {"Complete", 10},     {"Meters", 8},     {"Meters complete", 16}};

}  // namespace

std::string_view to_string(ReportOrder::Kind kind) { return words[static_cast<std::size_t>(kind)]; }

std::optional<ReportOrder::Kind> parse_report(std::string_view word) {
    for (std::size_t i = 0; i < words.size(); ++i)
        if (words[i] == word) return static_cast<ReportOrder::Kind>(i);
    return std::nullopt;
}

std::string ReportOrder::to_json() const {
    Poco::JSON::Object object;
    object.set("report", std::string{jobs::to_string(kind)});
    object.set("first", Poco::Int64{first.time_since_epoch().count()});
    object.set("last", Poco::Int64{last.time_since_epoch().count()});
    object.set("format", std::string{extension(format)});
    std::ostringstream out;
    object.stringify(out);
    return out.str();
}

ReportOrder ReportOrder::from_json(const std::string& text) {
    try {
        const auto object = Poco::JSON::Parser{}.parse(text).extract<Poco::JSON::Object::Ptr>();
        const auto kind = parse_report(object->getValue<std::string>("report"));
        const auto format = parse_table_format(object->getValue<std::string>("format"));
        if (!kind || !format) throw std::runtime_error("the order names no report of ours");
        return {*kind, UtcDay{std::chrono::days{object->getValue<Poco::Int64>("first")}},
                UtcDay{std::chrono::days{object->getValue<Poco::Int64>("last")}}, *format};
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("not a report order: " + error.displayText());
    }
}

database::JobFile make_report(database::Connection& connection, const ReportOrder& order,
                              const database::Job& job, const ObisCode& profile, Instant now) {
    database::limit(connection, job.scope);
    const bool is_energy = order.kind == ReportOrder::Kind::energy;
    const auto table =
        table_writer(order.format, {.title = job.title,
                                    .notes = notes(order, job, now),
                                    .columns = is_energy ? energy_columns : completeness_columns});
    is_energy ? energy(connection, order, profile, *table) : completeness(connection, order, profile, *table);
    return {fmt::format("{}-{}-{}.{}", to_string(order.kind), day_text(order.first), day_text(order.last),
                        extension(order.format)),
            std::string{media_type(order.format)}, table->finish()};
}

void ReportJob::work(const database::Job& job, const database::JobItem&, Done done) {
    struct Made {
        std::optional<database::JobFile> file;
        std::string trouble;
    };
    queue_.run(
        [job, profile = profile_, now = now_()](database::Connection& connection) -> Made {
            try {
                return {make_report(connection, ReportOrder::from_json(job.parameters), job, profile, now),
                        ""};
            } catch (const std::length_error& error) {
                return {std::nullopt, error.what()};
            }
        },
        [this, done = std::move(done)](std::optional<Made> made) {
            database::ItemOutcome outcome;
            if (!made) {
                outcome = {database::ItemState::waiting, "the database does not answer",
                           now_() + std::chrono::minutes{1}};
            } else if (!made->file) {
                outcome.state = database::ItemState::failed;
                outcome.detail = made->trouble;
            } else {
                outcome.detail = made->file->name;
                outcome.file = std::move(made->file);
            }
            done(std::move(outcome));
        });
}

}  // namespace wattmesh::headend::jobs
