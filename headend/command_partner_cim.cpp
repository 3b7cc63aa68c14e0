// partner cim: a partner's dialect of IEC 61968-9.
#include <algorithm>
#include <iostream>
#include <sstream>

#include "headend/command_partner.h"
#include "headend/database/cim_dialects.h"
#include "platform/http_client.h"
#include "protocol/cim/reading_type.h"

namespace wattmesh::headend {
namespace {

using namespace database;
using platform::UsageError;
constexpr std::size_t code_size_max = 100;

void set_addresses(CimDialect& dialect, const std::string& text) {
    dialect.reply_to.clear();
    if (text == "none") return;
    for (const auto& word : list_in(text)) {
        if (!platform::HttpUrl::parse(word) || word.find_first_of("\"\\{} ") != std::string::npos)
            throw UsageError("--reply-to: '" + word +
                             "' is no address like https://mis.example/cim (or say none)");
        dialect.reply_to.push_back(word);
    }
}

/// OURS=THEIRS, divided by commas. `ours` checks, and may change, our name.
template <class Ours>
void set_codes(std::map<std::string, std::string>& codes, const std::string& option, const std::string& text,
               Ours&& ours) {
    codes.clear();
    if (text == "none") return;
    for (const auto& pair : list_in(text)) {
        const auto middle = pair.find('=');
        if (middle == std::string::npos || middle + 1 == pair.size() || pair.size() > code_size_max)
            throw UsageError("--" + option + ": '" + pair + "' is not OURS=THEIRS (or say none)");
        const auto code = pair.substr(middle + 1);
        for (const auto& [name, theirs] : codes)
            if (theirs == code) throw UsageError("--" + option + ": '" + code + "' stands there twice");
        codes[ours(pair.substr(0, middle))] = code;
    }
}

std::string plain_reading(const std::string& text) {
    auto type = cim::parse_reading_type(text);
    if (!type)
        throw UsageError(
            "--reading: '" + text +
            "' is no ReadingType of eighteen numbers like 0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0");
    type->multiplier = 0;  // the unit is said by --unit
    return to_string(*type);
}

void read_options(Desk& desk, CimDialect& dialect) {
    const auto given = [&](const char* name) { return desk.raw.optional<std::string>(name, ""); };
    if (const auto stamp = given("stamp"); !stamp.empty()) {
        if (stamp != "end" && stamp != "start") throw UsageError("--stamp: say end or start");
        dialect.stamp_is_end = stamp == "end";
    }
    if (const auto unit = given("unit"); !unit.empty()) {
        if (unit != "Wh" && unit != "kWh") throw UsageError("--unit: say Wh or kWh");
        dialect.energy_multiplier = unit == "Wh" ? 0 : 3;
    }
    CimDialects dialects{desk.connection};
    if (const auto zone = given("zone"); !zone.empty()) {
        if (!dialects.knows_zone(zone))
            throw UsageError("--zone: '" + zone + "' is no time zone like UTC or Europe/Paris");
        dialect.zone = zone;
    }
    if (desk.raw.has("reply-to")) set_addresses(dialect, given("reply-to"));
    if (desk.raw.has("reading")) set_codes(dialect.readings, "reading", given("reading"), plain_reading);
    const auto controls = dialects.controls();
    if (desk.raw.has("control"))
        set_codes(dialect.controls, "control", given("control"), [&](const std::string& name) {
            if (controls.contains(name)) return name;
            std::string known;
            for (const auto& [one, control] : controls) known += (known.empty() ? "" : ", ") + one;
            throw UsageError("--control: there is no '" + name + "', but " + known);
        });
    if (desk.raw.has("event"))
        set_codes(dialect.events, "event", given("event"), [&](const std::string& code) {
            for (const auto& [name, control] : controls)
                if (control.done == code || control.failed == code) return code;
            throw UsageError("--event: no outcome of a control is told as '" + code + "'");
        });
}

}  // namespace

int set_cim(Desk& desk, const std::string& partner) {
    const auto contract = known_contract(desk, partner);
    CimDialects dialects{desk.connection};
    const auto before = dialects.of(contract.id);
    auto dialect = before;
    read_options(desk, dialect);
    Transaction transaction{desk.connection};
    dialects.put(contract.id, dialect);
    auto record = partner_record(desk, "partner cim", partner, contract.tenant);
    record.before = to_string(before);
    record.after = to_string(dialect);
    AuditLog{desk.connection}.append(record);
    transaction.commit();
    std::cerr << "Partner " << partner << " in IEC 61968-9: " << to_string(dialect) << ".\n";
    return 0;
}

}  // namespace wattmesh::headend
