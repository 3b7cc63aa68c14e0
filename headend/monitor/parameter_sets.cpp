#include "headend/monitor/parameter_sets.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <sstream>
#include <stdexcept>

#include "protocol/base/bytes.h"
#include "protocol/cosem/activity_calendar.h"
#include "protocol/cosem/monitors.h"
#include "protocol/cosem/push_setup.h"
#include "protocol/cosem/schedule.h"

namespace wattmesh::headend::monitor {
namespace {

namespace calendar = cosem::activity_calendar;
using cosem::Quantity;
using Poco::JSON::Object;

constexpr std::array<std::string_view, parameter_kinds> kind_words{"tariff_calendar", "special_days",
                                                                   "limits", "push"};
constexpr std::uint8_t wildcard = 0xFF;
constexpr std::size_t rows_max = 100;

[[noreturn]] void wrong(const std::string& why) { throw std::runtime_error(why); }

Object::Ptr parsed(const std::string& text) {
    constexpr const char* why = "A template must be a JSON object.";
    try {
        Poco::JSON::Parser parser;
        parser.setDepth(8);
        auto object = parser.parse(text).extract<Object::Ptr>();
        if (object.isNull()) wrong(why);
        return object;
    } catch (const Poco::Exception&) {
        wrong(why);
    } catch (const std::exception&) {
        wrong(why);
    }
}

/// POCO throws for what is too large or not there.
std::optional<Poco::Int64> integer(const Poco::Dynamic::Var& value) {
    if (value.isEmpty() || !value.isInteger()) return std::nullopt;
    if (!value.isSigned() && value.convert<Poco::UInt64>() > Poco::UInt64{INT64_MAX}) return std::nullopt;
    return value.convert<Poco::Int64>();
}

int number(const Object& object, const std::string& name, int low, int high) {
    const auto found = integer(object.get(name));
    if (found && *found >= low && *found <= high) return static_cast<int>(*found);
    wrong("'" + name + "' must be a whole number from " + std::to_string(low) + " to " +
          std::to_string(high) + ".");
}

std::string text(const Object& object, const std::string& name, std::size_t size_max) {
    const auto value = object.get(name);
    if (!value.isEmpty() && value.isString()) {
        auto found = value.extract<std::string>();
        if (!found.empty() && found.size() <= size_max) return found;
    }
    wrong("'" + name + "' must be a text of 1 to " + std::to_string(size_max) + " characters.");
}

std::vector<Object::Ptr> rows(const Object& object, const std::string& name) {
    const auto list = object.getArray(name);
    std::vector<Object::Ptr> found;
    if (!list.isNull())
        for (std::size_t i = 0; i < list->size(); ++i)
            if (auto row = list->getObject(static_cast<unsigned>(i)); !row.isNull()) found.push_back(row);
    if (found.empty() || found.size() != list->size() || found.size() > rows_max)
        wrong("'" + name + "' must be a list of 1 to " + std::to_string(rows_max) + " objects.");
    return found;
}

void only(const Object& object, const std::set<std::string>& known) {
    for (const auto& name : object.getNames())
        if (!known.contains(name)) wrong("A template of this kind has no member '" + name + "'.");
}

Buffer octets(const std::string& word) { return to_buffer(as_bytes(word)); }

/// Two numbers with a sign between them.
std::optional<std::array<int, 2>> pair_of(std::string_view text, char between) {
    std::array<int, 2> parts{};
    if (text.size() != 5 || text[2] != between) return std::nullopt;
    for (std::size_t i = 0; i < 2; ++i) {
        const char* const begin = text.data() + i * 3;
        const auto [end, fault] = std::from_chars(begin, begin + 2, parts[i]);
        if (fault != std::errc{} || end != begin + 2) return std::nullopt;
    }
    return parts;
}

dlms::RawTime time_of(const Object& object) {
    const auto word = text(object, "at", 5);
    const auto at = pair_of(word, ':');
    if (!at || (*at)[0] > 23 || (*at)[1] > 59) wrong("'at' must be a time like 06:00.");
    return {{static_cast<std::uint8_t>((*at)[0]), static_cast<std::uint8_t>((*at)[1]), 0, 0}};
}

/// Month and day, with a year when it has ten characters.
dlms::RawDate date_of(const Object& object, const std::string& name) {
    const auto word = text(object, name, 10);
    const bool with_year = word.size() == 10 && word[4] == '-';
    const auto at = pair_of(std::string_view{word}.substr(with_year ? 5 : 0), '-');
    int year = 0xFFFF;
    if (with_year && std::from_chars(word.data(), word.data() + 4, year).ptr != word.data() + 4) year = 0;
    const auto checked =
        std::chrono::year{with_year ? year : 2024} / (at ? (*at)[0] : 0) / (at ? (*at)[1] : 0);
    if (!at || !checked.ok() || (with_year && (year < 2000 || year > 2200)))
        wrong("'" + name + "' must be a day like 2027-01-26, or 12-25 for every year.");
    return {{static_cast<std::uint8_t>(year >> 8), static_cast<std::uint8_t>(year & 0xFF),
             static_cast<std::uint8_t>((*at)[0]), static_cast<std::uint8_t>((*at)[1]), wildcard}};
}

template <class T>
ParameterMember member(const cosem::Attribute<T>& attribute, const ObisCode& object, const T& value) {
    return {std::string{attribute.name}, attribute.of(object), attribute.write(value)};
}

std::vector<ParameterMember> calendar_members(const Object& content, const ObisCode& object,
                                              const ObisCode& scripts) {
    only(content, {"name", "days", "weeks", "seasons"});
    std::set<int> ids;
    std::vector<calendar::Day> days;
    for (const auto& row : rows(content, "days")) {
        const int id = number(*row, "id", 1, 255);
        if (!ids.insert(id).second) wrong("Day " + std::to_string(id) + " is there twice.");
        calendar::Day day{static_cast<std::uint8_t>(id), {}};
        for (const auto& change : rows(*row, "switches"))
            day.day_schedule.push_back(
                {time_of(*change), scripts, static_cast<std::uint16_t>(number(*change, "rate", 1, 63))});
        const auto at = [](const calendar::DayAction& action) { return action.start_time.octets; };
        if (!std::ranges::is_sorted(day.day_schedule, std::ranges::less_equal{}, at) &&
            day.day_schedule.size() > 1)
            std::ranges::sort(day.day_schedule, {}, at);
        days.push_back(std::move(day));
    }
    std::set<std::string> names;
    std::vector<calendar::Week> weeks;
    for (const auto& row : rows(content, "weeks")) {
        const auto list = row->getArray("days");
        std::array<std::uint8_t, 7> week{};
        if (list.isNull() || list->size() != week.size()) wrong("A week has seven 'days', Monday first.");
        for (std::size_t i = 0; i < week.size(); ++i) {
            const auto day = list->get(static_cast<unsigned>(i));
            const auto id = integer(day).value_or(0);
            if (id < 1 || id > 255 || !ids.contains(static_cast<int>(id)))
                wrong("A week names day " + (day.isEmpty() ? std::string{"null"} : day.toString()) +
                      ", which is not among 'days'.");
            week[i] = static_cast<std::uint8_t>(id);
        }
        const auto name = text(*row, "name", 8);
        if (!names.insert(name).second) wrong("Week " + name + " is there twice.");
        weeks.push_back({octets(name), week[0], week[1], week[2], week[3], week[4], week[5], week[6]});
    }
    std::vector<calendar::Season> seasons;
    for (const auto& row : rows(content, "seasons")) {
        const auto week = text(*row, "week", 8);
        if (!names.contains(week)) wrong("A season names week " + week + ", which is not among 'weeks'.");
        const auto from = date_of(*row, "from").octets;
        const dlms::RawDateTime start{
            {from[0], from[1], from[2], from[3], wildcard, 0, 0, 0, 0, 0x80, 0x00, wildcard}};
        seasons.push_back({octets(text(*row, "name", 8)), start, octets(week)});
    }
    return {member(calendar::calendar_name_active, object, octets(text(content, "name", 8))),
            member(calendar::season_profile_active, object, seasons),
            member(calendar::week_profile_table_active, object, weeks),
            member(calendar::day_profile_table_active, object, days)};
}

std::vector<ParameterMember> special_day_members(const Object& content, const ObisCode& object) {
    only(content, {"days"});
    std::vector<cosem::special_days::Entry> entries;
    for (const auto& row : rows(content, "days"))
        entries.push_back({static_cast<std::uint16_t>(entries.size() + 1), date_of(*row, "date"),
                           static_cast<std::uint8_t>(number(*row, "day", 1, 255))});
    return {member(cosem::special_days::entries, object, entries)};
}

std::vector<ParameterMember> limit_members(const Object& content, const ObisCode& object) {
    only(content, {"watts", "over_s"});
    const auto watts = static_cast<std::uint32_t>(number(content, "watts", 100, 10'000'000));
    const auto over = static_cast<std::uint32_t>(number(content, "over_s", 10, 86'400));
    return {member(cosem::limiter::threshold_normal, object, dlms::Data{watts}),
            member(cosem::limiter::min_over_threshold_duration, object, over)};
}

std::vector<ParameterMember> push_members(const Object& content, const ObisCode& object) {
    using namespace cosem::push_setup;
    only(content, {"destination", "retries", "delay_s", "spread_s"});
    const auto short_ = [&](const char* name, int high) {
        return static_cast<std::uint16_t>(number(content, name, 0, high));
    };
    const Destination destination{TransportService::tcp, octets(text(content, "destination", 100)),
                                  Message::a_xdr_encoded_xdlms_apdu};
    return {member(send_destination_and_method, object, destination),
            member(randomisation_start_interval, object, short_("spread_s", 65'535)),
            member(number_of_retries, object, static_cast<std::uint8_t>(short_("retries", 255))),
            member(repetition_delay, object, short_("delay_s", 65'535))};
}

}  // namespace

std::string_view to_string(ParameterKind kind) { return kind_words.at(static_cast<std::size_t>(kind)); }

std::optional<ParameterKind> parse_parameter_kind(std::string_view word) {
    const auto* const found = std::ranges::find(kind_words, word);
    if (found == kind_words.end()) return std::nullopt;
    return static_cast<ParameterKind>(found - kind_words.begin());
}

std::optional<std::vector<ParameterMember>> members_of(ParameterKind kind, const std::string& content,
                                                       const cosem::MeterModel& model) {
    const auto object = parsed(content);
    const auto name = [&](Quantity quantity) -> std::optional<ObisCode> {
        const auto* const found = model.find(quantity);
        return found == nullptr ? std::nullopt : std::optional{found->name};
    };
    switch (kind) {
        case ParameterKind::tariff_calendar: {
            const auto at = name(Quantity::activity_calendar), scripts = name(Quantity::tariff_script);
            auto members = calendar_members(*object, at.value_or(ObisCode{}),
                                            scripts.value_or(ObisCode{{0, 0, 10, 0, 100, 255}}));
            return at ? std::optional{std::move(members)} : std::nullopt;
        }
        case ParameterKind::special_days: {
            const auto at = name(Quantity::special_days);
            auto members = special_day_members(*object, at.value_or(ObisCode{}));
            return at ? std::optional{std::move(members)} : std::nullopt;
        }
        case ParameterKind::limits: {
            const auto at = name(Quantity::limiter);
            auto members = limit_members(*object, at.value_or(ObisCode{}));
            return at ? std::optional{std::move(members)} : std::nullopt;
        }
        case ParameterKind::push: {
            const auto at = name(Quantity::push_setup);
            auto members = push_members(*object, at.value_or(ObisCode{}));
            return at ? std::optional{std::move(members)} : std::nullopt;
        }
    }
    return std::nullopt;
}

std::string canonical(const std::string& content) {
    std::ostringstream out;
    parsed(content)->stringify(out);
    return out.str();
}

bool same(const dlms::Data& desired, const dlms::Data& actual) {
    const auto wanted = desired.integer(), shown = actual.integer();
    return wanted && shown ? *wanted == *shown : desired == actual;
}

dlms::Data typed_as(const dlms::Data& desired, const dlms::Data& actual) {
    const auto wanted = desired.integer();
    if (!wanted) return desired;
    const auto as = [&](auto of) -> dlms::Data {
        using T = decltype(of);
        return std::in_range<T>(*wanted) ? dlms::Data{static_cast<T>(*wanted)} : desired;
    };
    if (actual.as<std::int8_t>() != nullptr) return as(std::int8_t{});
    if (actual.as<std::uint8_t>() != nullptr) return as(std::uint8_t{});
    if (actual.as<std::int16_t>() != nullptr) return as(std::int16_t{});
    if (actual.as<std::uint16_t>() != nullptr) return as(std::uint16_t{});
    if (actual.as<std::int32_t>() != nullptr) return as(std::int32_t{});
    if (actual.as<std::uint32_t>() != nullptr) return as(std::uint32_t{});
    if (actual.as<std::int64_t>() != nullptr) return as(std::int64_t{});
    return desired;
}

}  // namespace wattmesh::headend::monitor
