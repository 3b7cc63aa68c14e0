#include "headend/exchange/cim_readings.h"

#include <algorithm>
#include <charconv>

#include "headend/database/jobs.h"
#include "platform/xml_writer.h"

namespace wattmesh::headend::exchange {
namespace {

using namespace database;
using platform::XmlElement;
constexpr std::size_t devices_named_max = 1'000, codes_max = 50;
constexpr auto span_max = std::chrono::hours{24 * 400};
constexpr const char* query_path = "/RequestMessage/Request/GetMeterReadings";

/// "2.540000000000.1773100800000000": bank, meter and instant; "2" is the bank's beginning.
std::string place_text(std::size_t bank, const ReadingPlace& place) {
    return std::to_string(bank) + "." + to_string(place.meter) + "." + std::to_string(epoch_us(place.at));
}

struct PagePlace {
    std::size_t bank = 0;
    std::optional<ReadingPlace> after;
};
PagePlace page_place(const std::string& text) {
    PagePlace place;
    if (text.empty()) return place;
    const auto first = text.find('.');
    place.bank = static_cast<std::size_t>(std::stoul(text));
    if (first == std::string::npos) return place;
    const auto meter = DeviceNumber::parse(text.substr(first + 1, 12));
    place.after = ReadingPlace{meter.value(), from_epoch_us(std::stoll(text.substr(first + 14)))};
    return place;
}

std::string code_of(const XmlElement& type) {
    if (const auto ref = type.attribute("ref"); !ref.empty()) return std::string{ref};
    return name_of(type, std::string{query_path} + "/ReadingType");
}

cim::ReadingType plain(cim::ReadingType type) {
    type.multiplier = 0;
    return type;
}

std::optional<cim::ReadingType> type_of(const ReadingBank& bank, const ReadingChannel& channel) {
    auto type =
        cim::reading_type(channel.register_, bank.adds_up ? cim::Capture::period : cim::Capture::stored,
                          bank.period_s, channel.scaler, channel.unit);
    if (type) type = plain(*type);
    return type;
}

CimError unknown_code(const std::string& code, bool readable) {
    return {.code = readable ? reply_code::other_reading_type : reply_code::bad_reading_type,
            .reason = readable ? "No meter of the contract has readings of the type '" + code + "'."
                               : "'" + code +
                                     "' is no ReadingType of eighteen numbers, nor a code that the "
                                     "contract names.",
            .object = code};
}

void find_meters(RestDesk& desk, const Contract& contract, const CimReadingsAsked& asked,
                 CimReadingsWanted& wanted) {
    const auto connection = desk.seen(contract);
    PartnerReadings readings{*connection};
    std::vector<DeviceNumber> numbers;
    for (const auto& device : asked.devices)
        if (const auto number = DeviceNumber::parse(device)) numbers.push_back(*number);
    wanted.meters = numbers.empty() ? numbers : JobSubjects{*connection}.known(numbers);
    for (const auto& device : asked.devices) {
        const auto number = DeviceNumber::parse(device);
        if (!number || !std::binary_search(wanted.meters.begin(), wanted.meters.end(), *number))
            wanted.errors.push_back({.code = reply_code::unknown_meter,
                                     .reason = "The contract shows no meter '" + device + "'.",
                                     .object = device});
    }
    for (const auto& point : asked.usage_points)
        if (const auto meter = readings.meter_at(point, desk.now()))
            wanted.meters.push_back(*meter);
        else
            wanted.errors.push_back(
                {.code = reply_code::unknown_usage_point,
                 .reason = "The contract shows no usage point '" + point + "' with a meter.",
                 .object = point});
    std::sort(wanted.meters.begin(), wanted.meters.end());
    wanted.meters.erase(std::unique(wanted.meters.begin(), wanted.meters.end()), wanted.meters.end());
}

void find_types(RestDesk& desk, const Contract& contract, const CimReadingsAsked& asked,
                CimReadingsWanted& wanted) {
    const auto dialect = [&] {
        const auto connection = desk.tables.lease();
        return CimDialects{*connection}.of(contract.id);
    }();
    std::vector<std::pair<std::string, cim::ReadingType>> open;
    for (const auto& code : asked.codes)
        if (const auto type = known_type(code, dialect))
            open.emplace_back(code, plain(*type));
        else
            wanted.errors.push_back(unknown_code(code, false));
    const auto connection = desk.seen(contract);
    PartnerReadings readings{*connection};
    for (const auto& bank : readings.banks()) {
        bool holds = asked.codes.empty() && bank.profile == obis::load_profile;
        for (const auto& channel : readings.channels(bank)) {
            const auto type = type_of(bank, channel);
            const auto fits = [&](const auto& one) { return type && one.second == *type; };
            const auto found = std::find_if(open.begin(), open.end(), fits);
            if (found != open.end()) {
                wanted.types.push_back(*type);
                open.erase(found);
            }
            holds = holds || (type && std::find(wanted.types.begin(), wanted.types.end(), *type) !=
                                          wanted.types.end());
        }
        if (holds) wanted.banks.push_back(bank);
    }
    for (const auto& [code, type] : open) wanted.errors.push_back(unknown_code(code, true));
}

}  // namespace

CimReadingsAsked read_get_meter_readings(const CimMessage& message) {
    const auto& root = only_child(message.request, profile_space("GetMeterReadings"), "GetMeterReadings",
                                  "1.6", "/RequestMessage/Request");
    only_children(root, {"EndDevice", "ReadingType", "TimeSchedule", "UsagePoint"}, query_path);
    CimReadingsAsked asked;
    const std::string at{query_path};
    for (const auto& child : root.children) {
        if (child.name == "EndDevice") asked.devices.push_back(name_of(child, at + "/EndDevice"));
        if (child.name == "UsagePoint") asked.usage_points.push_back(name_of(child, at + "/UsagePoint"));
        if (child.name == "ReadingType") asked.codes.push_back(code_of(child));
        if (child.name != "TimeSchedule") continue;
        only_children(child, {"scheduleInterval"}, at + "/TimeSchedule");
        const auto* interval = child.child("scheduleInterval");
        if (interval == nullptr) continue;
        const auto inside = at + "/TimeSchedule/scheduleInterval";
        only_children(*interval, {"start", "end"}, inside);
        asked.from = instant_in(*interval, "start", inside);
        asked.to = instant_in(*interval, "end", inside);
        if (!asked.from || !asked.to || *asked.from > *asked.to || *asked.to - *asked.from > span_max)
            throw CimProblem{"1.8", "The interval needs a start and an end, in this order, 400 days at most.",
                             inside};
    }
    if (asked.devices.empty() && asked.usage_points.empty())
        throw CimProblem{reply_code::missing,
                         "Name at least one EndDevice or UsagePoint. All meters at once are to be had at GET "
                         "/partner/v1/readings with Accept: application/xml.",
                         at};
    if (asked.devices.size() + asked.usage_points.size() > devices_named_max ||
        asked.codes.size() > codes_max)
        throw CimProblem{reply_code::too_many,
                         "A message may name 1000 devices and 50 reading types. Divide it.", at};
    return asked;
}

CimReadingsWanted want_readings(RestDesk& desk, const Contract& contract, const CimReadingsAsked& asked) {
    CimReadingsWanted wanted;
    wanted.from = asked.from.value_or(Instant{});
    wanted.to = asked.to.value_or(Instant{});
    find_meters(desk, contract, asked, wanted);
    if (asked.from) find_types(desk, contract, asked, wanted);
    return wanted;
}

ObisCode want_register(RestDesk& desk, const Contract& contract, const CimReadingsAsked& asked) {
    if (asked.codes.size() > 1)
        throw CimProblem{reply_code::too_many,
                         "Reading meters now takes one ReadingType in a message. Send a message for each.",
                         query_path};
    if (asked.codes.empty()) return obis::active_import_total;
    const auto connection = desk.tables.lease();
    const auto type = known_type(asked.codes.front(), CimDialects{*connection}.of(contract.id));
    const auto code = type ? cim::state_register(plain(*type)) : std::nullopt;
    if (!code)
        throw CimProblem{type ? reply_code::other_reading_type : reply_code::bad_reading_type,
                         "'" + asked.codes.front() +
                             "' is no type of a register that can be read now. Give a TimeSchedule for what "
                             "profiles hold.",
                         query_path};
    return *code;
}

CimReadingsPage stored_readings(RestDesk& desk, const Contract& contract, const CimReadingsWanted& wanted,
                                const std::string& place) {
    CimReadingsPage page{.payload = std::string{meter_readings_open}, .readings = 0, .next = {}};
    const auto form = cim_form(desk, contract, wanted.from, wanted.to);
    auto [bank, after] = page_place(place);
    for (; bank < wanted.banks.size() && page.next.empty(); ++bank, after.reset()) {
        ReadingPieces pieces{
            desk, contract, {wanted.banks[bank], wanted.meters, wanted.from, wanted.to}, after};
        ReadingXml xml{
            wanted.banks[bank], pieces.channels(), form, [&](const ObisCode&, const cim::ReadingType& type) {
                const auto& some = wanted.types;
                return some.empty() || std::find(some.begin(), some.end(), plain(type)) != some.end();
            }};
        while (const auto piece = page.next.empty() ? pieces.next() : std::nullopt)
            ReadingXml::each(*piece, [&](const ReadingXml::MeterRows& of) {
                const auto left = static_cast<std::size_t>(cim_readings_max - page.readings);
                const auto room = left / std::max<std::size_t>(xml.width(of.meter), 1);
                const auto some = of.rows.first(std::min(of.rows.size(), room));
                if (!some.empty()) {
                    page.readings += xml.write(page.payload, {of.meter, some, of.findings});
                    after = {of.meter.number, some.back().at};
                }
                if (some.size() < of.rows.size())
                    page.next = after ? place_text(bank, *after) : std::to_string(bank);
                return page.next.empty();
            });
    }
    page.payload += meter_readings_close;
    return page;
}

std::string write_read_now(const std::vector<CimReadNow>& read, const ObisCode& register_,
                           const CimForm& form) {
    std::string out{meter_readings_open};
    for (const auto& [meter, value] : read) {
        const auto type = cim::reading_type(register_, cim::Capture::state, 0, value.scaler, value.unit);
        if (!type) continue;
        out.append("<MeterReading><Meter><Names><name>").append(to_string(meter));
        out.append("</name></Names></Meter><Readings><timeStamp>");
        append_instant(out, value.at, form.offsets);
        out.append("</timeStamp><value>");
        append_decimal(out, value.value, value.scaler - dialect_type(*type, form.dialect).multiplier);
        out.append("</value><ReadingType ref=\"");
        platform::append_xml_text(out, dialect_code(*type, form.dialect));
        out.append("\"/></Readings></MeterReading>");
    }
    return out.append(meter_readings_close);
}

}  // namespace wattmesh::headend::exchange
