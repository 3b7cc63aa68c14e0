#include "headend/exchange/cim_controls.h"

#include <algorithm>
#include <map>
#include <set>

#include "headend/database/partner_readings.h"
#include "headend/database/relay_rules.h"
#include "headend/exchange/partner_orders.h"
#include "headend/exchange/reading_xml.h"
#include "headend/jobs/retry.h"
#include "platform/xml_writer.h"

namespace wattmesh::headend::exchange {
namespace {

using namespace database;
using platform::XmlElement;
constexpr std::size_t lines_max = 10'000, reason_size_max = 200;
constexpr std::size_t reasons_max = 50;  ///< of a command in a message, that get a job each
constexpr const char* control_path = "/RequestMessage/Payload/EndDeviceControls/EndDeviceControl";

void read_control(const XmlElement& control, std::size_t number, std::vector<CimControlLine>& lines) {
    only_children(control,
                  {"mRID", "issuerID", "issuerTrackingID", "reason", "EndDeviceControlType", "EndDevices",
                   "UsagePoints"},
                  control_path);
    const auto text = [&](const char* name) {
        const auto* child = control.child(name);
        return child == nullptr ? std::string{} : child->text;
    };
    CimControlLine line{.name = text("mRID"), .device = {}, .code = {}, .reason = text("reason")};
    if (line.name.empty()) line.name = std::to_string(number);
    if (line.name.size() > 128 || line.reason.size() > reason_size_max)
        throw CimProblem{"1.8", "An mRID may have 128 octets and a reason 200.", control_path};
    const auto* type = control.child("EndDeviceControlType");
    line.code = type == nullptr ? "" : std::string{type->attribute("ref")};
    if (line.code.empty())
        throw CimProblem{reply_code::missing,
                         "Control '" + line.name + "' needs EndDeviceControlType with its attribute ref.",
                         control_path};
    const auto before = lines.size();
    for (const auto& child : control.children) {
        if (child.name != "EndDevices" && child.name != "UsagePoints") continue;
        line.usage_point = child.name == "UsagePoints";
        line.device = name_of(child, std::string{control_path} + "/" + child.name);
        lines.push_back(line);
    }
    if (lines.size() == before)
        throw CimProblem{reply_code::missing, "Control '" + line.name + "' needs EndDevices or UsagePoints.",
                         control_path};
}

/// What a contract must allow for a command of ours.
std::string allowance_of(const std::string& command) {
    if (command == "connect") return "reconnect";
    if (command == "hold") return "disconnect";
    return command == "ping" ? "read" : command;
}

/// Goes through the lines in their order, and says of each what it is.
class Sorter {
public:
    Sorter(Connection& connection, RestDesk& desk, const RestCall& call,
           const std::vector<CimControlLine>& lines)
        : call_(call), lines_(lines) {
        CimDialects dialects{connection};
        const auto dialect = dialects.of(call.contract.id);
        for (const auto& [name, control] : dialects.controls()) commands_[control.code] = name;
        for (const auto& [name, code] : dialect.controls) commands_[code] = name;
        RelayRules rules{connection};
        stopped_ = rules.stopped(call.contract.tenant).has_value();
        find_meters(desk);
        std::vector<DeviceNumber> known;
        for (const auto& meter : meters_)
            if (meter) known.push_back(*meter);
        for (const auto& one : rules.protected_among(known)) protected_.insert(one.meter);
    }

    CimLine sort(std::size_t i) {
        const auto& line = lines_[i];
        CimLine sorted{.name = line.name, .device = line.device, .command = {}, .code = {}, .reason = {}};
        const auto refuse = [&](const char* code, std::string reason) {
            sorted.code = code;
            sorted.reason = std::move(reason);
            return sorted;
        };
        const auto command = commands_.find(line.code);
        if (command == commands_.end()) {
            std::string known;
            for (const auto& [code, name] : commands_)
                known.append(known.empty() ? "" : ", ").append(code).append(" ").append(name);
            return refuse(reply_code::not_attempted,
                          "'" + line.code + "' is no control that can be ordered; there are " + known + ".");
        }
        sorted.command = command->second;
        if (const auto needed = allowance_of(sorted.command); !call_.contract.allows(needed))
            return refuse(reply_code::not_authorised, "The contract does not allow '" + needed + "'.");
        const auto& meter = meters_[i];
        if (!meter)
            return refuse(line.usage_point ? reply_code::unknown_usage_point : reply_code::unknown_meter,
                          line.usage_point
                              ? "The contract shows no usage point '" + line.device + "' with a meter."
                              : "The contract shows no meter '" + line.device + "'.");
        sorted.device = to_string(*meter);
        const bool relay = sorted.command == "disconnect" || sorted.command == "connect";
        auto& earlier = seen_[{*meter, relay ? "relay" : sorted.command}];
        if (!earlier.empty())
            return refuse(reply_code::not_attempted,
                          "Control '" + earlier + "' of this message is about this meter already.");
        earlier = line.name;
        if (relay && stopped_)
            return refuse(reply_code::held, "The utility stopped all switching. Order it again later.");
        if (sorted.command == "disconnect" && protected_.count(*meter) > 0)
            return refuse("6.1", "The meter is protected: it must not be cut off.");
        if (sorted.command == "hold")
            return refuse(reply_code::held, "No disconnection of yours waits for this meter.");
        sorted.reason = line.reason;
        return sorted;
    }

private:
    /// Of each line; a meter of somebody else is unknown.
    void find_meters(RestDesk& desk) {
        const auto views = desk.seen(call_.contract);
        std::vector<DeviceNumber> numbers;
        for (const auto& line : lines_)
            if (const auto number = DeviceNumber::parse(line.device)) numbers.push_back(*number);
        const auto found = numbers.empty() ? numbers : JobSubjects{*views}.known(numbers);
        const std::set<DeviceNumber> known{found.begin(), found.end()};
        PartnerReadings readings{*views};
        for (const auto& line : lines_) {
            const auto number = DeviceNumber::parse(line.device);
            meters_.push_back(line.usage_point ? readings.meter_at(line.device, desk.now())
                              : number && known.count(*number) > 0 ? number
                                                                   : std::nullopt);
        }
    }

    const RestCall& call_;
    const std::vector<CimControlLine>& lines_;
    std::map<std::string, std::string> commands_;  ///< by code
    std::vector<std::optional<DeviceNumber>> meters_;
    std::set<DeviceNumber> protected_;
    std::map<std::pair<DeviceNumber, std::string>, std::string> seen_;
    bool stopped_ = false;
};

/// Disconnections that were ordered before this message.
void withdraw(Connection& connection, RestDesk& desk, const RestCall& call, std::vector<CimLine>& lines) {
    const auto holds = [](const CimLine& line) {
        return line.command == "hold" && line.code == reply_code::held;
    };
    std::vector<std::string> devices;
    for (const auto& line : lines)
        if (holds(line)) devices.push_back(line.device);
    if (devices.empty()) return;
    const auto gone = CimMessages{connection}.withdraw(call.contract.id, devices, desk.now());
    const std::set<std::string> withdrawn{gone.begin(), gone.end()};
    for (auto& line : lines)
        if (holds(line) && withdrawn.count(line.device) > 0)
            line.reason = "The disconnection that waited was withdrawn.";
}

/// Lines that become one job: of a command, and of a reason as long as there are few.
using Groups = std::map<std::pair<std::string, std::string>, std::vector<std::size_t>>;
Groups groups_of(const std::vector<CimLine>& lines, const std::string& message) {
    std::map<std::string, std::set<std::string>> reasons;
    for (const auto& line : lines)
        if (line.code.empty()) reasons[line.command].insert(line.reason);
    Groups groups;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto& line = lines[i];
        if (!line.code.empty()) continue;
        const bool many = reasons[line.command].size() > reasons_max;
        const auto reason = many ? message + " has a reason for each meter" : line.reason;
        groups[{line.command, reason.empty() ? message : reason}].push_back(i);
    }
    return groups;
}

/// What ended an item that would have been tried again.
bool timed_out(const std::string& detail) {
    return detail == "not done by the deadline" || jobs::passes(detail);
}

}  // namespace

std::vector<CimControlLine> read_end_device_controls(const CimMessage& message) {
    const auto& root = only_child(message.payload, profile_space("EndDeviceControls"), "EndDeviceControls",
                                  "1.7", "/RequestMessage/Payload");
    only_children(root, {"EndDeviceControl"}, "/RequestMessage/Payload/EndDeviceControls");
    std::vector<CimControlLine> lines;
    for (std::size_t i = 0; i < root.children.size(); ++i) read_control(root.children[i], i + 1, lines);
    if (lines.empty()) throw CimProblem{reply_code::missing, "There is no EndDeviceControl.", control_path};
    if (lines.size() > lines_max)
        throw CimProblem{reply_code::too_many, "A message may order 10000 devices. Divide it.", control_path};
    return lines;
}

CimOrdered order_controls(Connection& connection, RestDesk& desk, const RestCall& call,
                          const std::vector<CimControlLine>& lines, const CimHeader& header) {
    CimOrdered ordered;
    Sorter sorter{connection, desk, call, lines};
    for (std::size_t i = 0; i < lines.size(); ++i) ordered.lines.push_back(sorter.sort(i));
    withdraw(connection, desk, call, ordered.lines);
    const auto message = "message " + header.message_id;
    const auto groups = groups_of(ordered.lines, message);
    std::map<std::string, std::size_t> meters;  // that the message switches, in however many jobs
    for (const auto& [key, places] : groups) meters[key.first] += places.size();
    for (const auto& [key, places] : groups) {
        const auto& [command, reason] = key;
        std::vector<std::string> subjects;
        for (const auto place : places) subjects.push_back(ordered.lines[place].device);
        auto order = new_order(desk, call, reason, std::move(subjects));
        if (command == "read")
            read_order(order, obis::active_import_total);
        else if (command == "ping")
            read_order(order, obis::clock);
        else
            relay_order(order,
                        command == "connect" ? monitor::RelayVerb::reconnect : monitor::RelayVerb::disconnect,
                        static_cast<int>(meters[command]) > desk.settings.second_person_above);
        ordered.proposed = ordered.proposed || order.job.state == JobState::proposed;
        auto stored = store_order(connection, desk, call, order, message);
        ordered.jobs.push_back(stored.id);
        ordered.records.push_back(std::move(stored.record));
        int in_job = 0;
        for (const auto place : places) {
            ordered.lines[place].job = ordered.jobs.back();
            ordered.lines[place].place = ++in_job;
        }
    }
    return ordered;
}

CimOutcome outcome_of(const CimLine& line) {
    if (!line.job) return {line.code, line.reason, line.command == "hold" && line.code == reply_code::held};
    switch (line.state) {
        case ItemState::done:
            return {reply_code::none, line.detail, true};
        case ItemState::cancelled:
            return {reply_code::cancelled, "It was withdrawn before it was begun.", false};
        case ItemState::waiting:
        case ItemState::working:
            return {reply_code::cancelled, "Its job was ended before it was begun.", false};
        case ItemState::failed:
            break;
    }
    if (timed_out(line.detail))
        return {reply_code::timed_out, "The meter could not be reached: " + line.detail + ". Order it again.",
                false};
    return {reply_code::failed, "It was tried and failed: " + line.detail + ".", false};
}

std::string write_outcomes(RestDesk& desk, const Contract& contract, const std::vector<CimLine>& lines) {
    const auto form = cim_form(desk, contract, desk.now() - std::chrono::hours{24 * 8}, desk.now());
    const auto controls = [&] {
        const auto connection = desk.tables.lease();
        return CimDialects{*connection}.controls();
    }();
    std::string out;
    platform::XmlWriter xml{out};
    xml.open("EndDeviceEvents").attribute("xmlns", profile_space("EndDeviceEvents"));
    for (const auto& line : lines) {
        const auto outcome = outcome_of(line);
        const auto control = controls.find(line.command);
        std::string code = control == controls.end() ? "3.0.0.38"
                           : outcome.good            ? control->second.done
                                                     : control->second.failed;
        if (const auto own = form.dialect.events.find(code); own != form.dialect.events.end())
            code = own->second;
        std::string at;
        append_instant(at, line.finished.value_or(desk.now()), form.offsets);
        xml.open("EndDeviceEvent").element("createdDateTime", at).element("issuerTrackingID", line.name);
        xml.element("reason", outcome.words);
        xml.open("Assets").open("Names").element("name", line.device).close().close();
        xml.open("EndDeviceEventDetails").element("name", "replyCode").element("value", outcome.code).close();
        xml.open("EndDeviceEventType").attribute("ref", code).close();
        xml.close();
    }
    xml.close();
    return out;
}

}  // namespace wattmesh::headend::exchange
