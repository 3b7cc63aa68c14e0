#include "headend/database/shipment_import.h"

#include <algorithm>
#include <map>
#include <set>

#include "headend/database/audit_log.h"
#include "headend/database/bindings.h"
#include "headend/database/bus_units.h"
#include "headend/database/collectors.h"
#include "headend/database/concentrators.h"
#include "headend/database/key_counters.h"
#include "headend/database/meters.h"
#include "headend/monitor/sealed_keys.h"
#include "protocol/gdw376/terminal_number.h"

namespace wattmesh::headend::database {
namespace {

constexpr const char* want_replace = " (--replace takes this file's)";

/// Keys without which the head-end can do nothing with a meter of a model.
std::vector<KeyPurpose> required_keys(ReadingKeys reading) {
    if (reading == ReadingKeys::none) return {};
    std::vector<KeyPurpose> required{KeyPurpose::management_ek, KeyPurpose::management_ak};
    if (reading == ReadingKeys::separate)
        required.insert(required.end(),
                        {KeyPurpose::reading_ek, KeyPurpose::reading_ak, KeyPurpose::mesh_join});
    return required;
}

/// One run over one file.
class Run {
public:
    Run(Connection& connection, const security::MasterKey& master, const ShipmentOptions& options)
        : connection_(connection), master_(master), options_(options), models_(Meters{connection}.models()) {
        for (const auto& known : Concentrators{connection_}.all())
            (known.road == Road::direct ? direct_ : concentrators_).emplace(known.number, known.id);
    }

    void line(const FileLine& line) {
        ShipmentLineReport report{.line = line.number, .device = {}, .outcome = {}, .why = {}};
        if (const auto* number = line.find("number"); number != nullptr && DeviceNumber::parse(*number))
            report.device = *number;
        try {
            const auto device = read_shipped_device(line, options_.keys);
            if (!numbers_.insert(device.number).second) throw LineRefused("an earlier line has this number");
            if (!titles_.insert(device.title).second)
                throw LineRefused("an earlier line has this system title");
            switch (device.kind) {
                case ShippedDevice::Kind::bus:
                    report.why = bus(device);
                    break;
                case ShippedDevice::Kind::meter:
                    report.why = meter(device);
                    break;
                case ShippedDevice::Kind::concentrator:
                    report.why = concentrator(device);
                    break;
                case ShippedDevice::Kind::collector:
                    report.why = collector(device);
                    break;
            }
            report.outcome = report.why.empty() ? LineOutcome::unchanged : LineOutcome::accepted;
        } catch (const LineRefused& why) {
            report.outcome = LineOutcome::refused;
            report.why = why.what();
        }
        ++(report.outcome == LineOutcome::accepted    ? report_.accepted
           : report.outcome == LineOutcome::unchanged ? report_.unchanged
                                                      : report_.refused);
        report_.lines.push_back(std::move(report));
    }

    ShipmentReport& report() { return report_; }

private:
    /// What was done, empty for nothing.
    std::string concentrator(const ShippedDevice& device) {
        if (device.title != system_title(device.number))
            throw LineRefused("field \"system_title\" does not fit the number");
        if (direct_.contains(device.number)) throw LineRefused("a meter that calls in has this number");
        if (concentrators_.contains(device.number)) return {};
        const auto name = "Concentrator " + to_string(device.number);
        concentrators_.emplace(device.number,
                               Concentrators{connection_}.add(device.number, name, options_.now));
        ++report_.concentrators_new;
        return "new";
    }

    std::string collector(const ShippedDevice& device) {
        if (device.title != system_title(device.number))
            throw LineRefused("field \"system_title\" does not fit the number");
        if (Meters{connection_}.find(device.number)) throw LineRefused("a meter has this number");
        Collectors collectors{connection_};
        const auto known = collectors.find(device.number);
        const auto at = place(device, std::nullopt);
        const auto sealed = seal(device).front().sealed;
        if (known && known->sealed != sealed && !options_.replace)
            throw LineRefused(std::string{"it is registered with another key"} + want_replace);
        if (known && known->sealed == sealed && known->concentrator == *at) return {};
        collectors.put(device.number, *at, sealed, options_.now);
        ++report_.collectors_changed;
        return known ? "changed" : "new";
    }

    /// A DTU that calls in or a gateway that we call, with meters on its bus.
    std::string bus(const ShippedDevice& device) {
        if (Meters{connection_}.find(device.number)) throw LineRefused("a meter has this number");
        const bool known = direct_.contains(device.number);
        const auto id = own_place(device.number, "Bus ");
        BusUnits buses{connection_};
        if (known && buses.address(id) == device.address) return {};
        buses.set_address(id, device.address);
        if (!known) ++report_.concentrators_new;
        return known ? "changed" : "new";
    }

    std::string meter(const ShippedDevice& device) {
        if (Collectors{connection_}.find(device.number)) throw LineRefused("a collector has this number");
        const auto model = models_.find(device.model);
        if (model == models_.end()) throw LineRefused("its model is unknown: add it to meter_model first");
        Meters meters{connection_};
        const auto known = meters.find(device.number);
        if ((model->second == ReadingKeys::none) != device.bus.has_value())
            throw LineRefused(device.bus ? "its model is not read over a bus"
                                         : "its model is read over a bus: field \"bus\" is missing");
        if (device.bus && BusUnits{connection_}.map_of(device.model).has_value() ==
                              gdw376::terminal_address(*device.bus).has_value())
            throw LineRefused(
                "its model does not go with its bus: terminals have meters of DL/T 645, all others of "
                "Modbus");
        NewMeter wanted{.number = device.number,
                        .model = device.model,
                        .role = device.role.value_or(known ? known->role : dcu::MeterRole::customer),
                        .concentrator = device.bus      ? bus_of(device)
                                        : device.direct ? own_place(device.number, "Meter ")
                                                        : place(device, known),
                        .installed = options_.installed,
                        .serial = device.serial.empty() && known ? known->serial : device.serial,
                        .title = {},
                        .suite = device.suite,
                        .form = device.form};
        check_title(device, known);
        if (device.title != system_title(device.number)) wanted.title = device.title;

        const auto sealed = seal(device);
        const auto stored = known ? Keys{connection_}.of(known->id) : std::vector<SealedKey>{};
        // Nobody but the management client reads a meter that calls in by itself, and it is in no mesh.
        const bool direct = !device.bus && wanted.concentrator && is_direct(*wanted.concentrator);
        check_complete(device, direct ? ReadingKeys::shared : model->second, stored);
        const auto changes = compare(stored, sealed);
        if (changes.replaced && !options_.replace)
            throw LineRefused(std::string{"it is registered with other keys"} + want_replace);
        bool moved = known && differs(*known, wanted);
        if (device.bus && known) moved |= BusUnits{connection_}.find(known->id) != device.place;
        if (known && !moved && !changes.added && !changes.replaced) return {};
        meters.put(wanted);
        const auto id = meters.find(device.number)->id;
        if (device.bus) BusUnits{connection_}.put(id, *wanted.concentrator, device.place);
        for (const auto& key : sealed) Keys{connection_}.put(id, key.purpose, key.sealed, options_.now);
        ++(known ? report_.meters_changed : report_.meters_new);
        if (!changes.replaced) return known ? "changed" : "new";
        // The meter begins to count anew with a new key: what it sent before says nothing.
        KeyCounters{connection_}.forget_received(id);
        ++report_.keys_replaced;
        return "new keys";
    }

    std::optional<ConcentratorId> place(const ShippedDevice& device,
                                        const std::optional<Meter>& known) const {
        if (!device.concentrator) return known ? known->concentrator : std::nullopt;
        const auto found = concentrators_.find(*device.concentrator);
        if (found == concentrators_.end())
            throw LineRefused("its concentrator is neither registered nor on an earlier line");
        return found->second;
    }

    /// The bus of a meter; refuses one whose unit another meter has.
    ConcentratorId bus_of(const ShippedDevice& device) {
        const auto found = direct_.find(*device.bus);
        if (found == direct_.end()) throw LineRefused("its bus is neither registered nor on an earlier line");
        if (const auto other = BusUnits{connection_}.who(found->second, device.place.unit);
            other && *other != device.number)
            throw LineRefused("meter " + to_string(*other) + " is unit " + std::to_string(device.place.unit) +
                              " of this bus");
        return found->second;
    }

    /// The place of what calls in by itself, or is called.
    ConcentratorId own_place(DeviceNumber number, const char* name) {
        if (concentrators_.contains(number)) throw LineRefused("a concentrator has this number");
        const auto [place, first] = direct_.try_emplace(number);
        if (first)
            place->second =
                Concentrators{connection_}.add(number, name + to_string(number), options_.now, Road::direct);
        return place->second;
    }
    bool is_direct(ConcentratorId id) const {
        return std::ranges::any_of(direct_, [&](const auto& place) { return place.second == id; });
    }

    void check_title(const ShippedDevice& device, const std::optional<Meter>& known) {
        if (const auto other = Meters{connection_}.titled(device.title); other && *other != device.number)
            throw LineRefused("its system title belongs to meter " + to_string(*other));
        if (known && known->title != device.title && !options_.replace)
            throw LineRefused(std::string{"it is registered with another system title"} + want_replace);
    }

    static void check_complete(const ShippedDevice& device, ReadingKeys reading,
                               const std::vector<SealedKey>& stored) {
        const auto has = [&](KeyPurpose purpose) {
            const auto is_it = [purpose](const auto& key) { return key.purpose == purpose; };
            return std::any_of(device.keys.begin(), device.keys.end(), is_it) ||
                   std::any_of(stored.begin(), stored.end(), is_it);
        };
        for (const auto purpose : required_keys(reading))
            if (!has(purpose))
                throw LineRefused("its model needs a key that is missing: " + to_string(purpose));
        if (device.form.needs_secret() && !has(KeyPurpose::management_secret))
            throw LineRefused("its authentication needs field \"hls_secret\"");
        if (device.form.framing == dlms::Framing::wrapped_key && !has(KeyPurpose::master))
            throw LineRefused("its framing needs field \"master_key\"");
    }

    static bool differs(const Meter& known, const NewMeter& wanted) {
        return known.model != wanted.model || known.role != wanted.role ||
               known.concentrator != wanted.concentrator || known.serial != wanted.serial ||
               known.title != wanted.title.value_or(system_title(wanted.number)) ||
               known.suite != wanted.suite || known.form != wanted.form;
    }

    std::vector<SealedKey> seal(const ShippedDevice& device) const {
        std::vector<SealedKey> sealed;
        sealed.reserve(device.keys.size());
        for (const auto& key : device.keys)
            sealed.push_back({key.purpose, master_.wrap(monitor::purpose_of(device.number, key.purpose),
                                                        key.octets.reveal())});
        return sealed;
    }

    struct Changes {
        bool added = false, replaced = false;
    };
    /// Wrapping is deterministic (RFC 3394), so equal keys have equal blobs.
    static Changes compare(const std::vector<SealedKey>& stored, const std::vector<SealedKey>& sealed) {
        Changes changes;
        for (const auto& key : sealed) {
            const auto same = std::find_if(stored.begin(), stored.end(),
                                           [&](const SealedKey& old) { return old.purpose == key.purpose; });
            changes.added = changes.added || same == stored.end();
            changes.replaced = changes.replaced || (same != stored.end() && same->sealed != key.sealed);
        }
        return changes;
    }

    Connection& connection_;
    const security::MasterKey& master_;
    const ShipmentOptions& options_;
    std::map<std::string, ReadingKeys> models_;
    std::map<DeviceNumber, ConcentratorId> concentrators_;
    std::map<DeviceNumber, ConcentratorId> direct_;  ///< places of meters that call in
    std::set<DeviceNumber> numbers_;
    std::set<SystemTitle> titles_;
    ShipmentReport report_;
};

}  // namespace

ShipmentReport ShipmentImport::run(std::string_view text, const ShipmentOptions& options) {
    LineFile file{text, shipment_form()};
    Transaction transaction{connection_};
    Run run{connection_, master_, options};
    while (const auto line = file.next()) run.line(*line);
    auto& report = run.report();
    report.sha256 = to_hex(security::sha256(as_bytes(text)));
    AuditLog{connection_}.append({options.now, options.actor, "import", options.file,
                                  "sha256 " + report.sha256 + ": " + std::to_string(report.accepted) +
                                      " lines accepted, " + std::to_string(report.unchanged) +
                                      " unchanged, " + std::to_string(report.refused) + " refused, keys of " +
                                      std::to_string(report.keys_replaced) + " meters replaced"});
    transaction.commit();
    return std::move(report);
}

}  // namespace wattmesh::headend::database
