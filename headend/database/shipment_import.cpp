#include "headend/database/shipment_import.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <map>
#include <optional>
#include <set>
#include <stdexcept>

#include "headend/database/bindings.h"
#include "headend/database/concentrators.h"
#include "headend/database/keys.h"
#include "headend/database/meters.h"
#include "headend/monitor/sealed_keys.h"

namespace wattmesh::headend::database {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

/// What is wrong with one device of the file.
struct Wrong : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct KeyMember {
    const char* name;
    KeyPurpose purpose;
};
constexpr KeyMember key_members[] = {{"ek_management", KeyPurpose::management_ek},
                                     {"ak_management", KeyPurpose::management_ak},
                                     {"ek_reading", KeyPurpose::reading_ek},
                                     {"ak_reading", KeyPurpose::reading_ak},
                                     {"join", KeyPurpose::mesh_join}};
constexpr std::size_t password_size_max = 64;

Object::Ptr parse(std::string_view json) {
    try {
        Poco::JSON::Parser parser;
        parser.setDepth(8);
        const auto root = parser.parse(std::string{json});
        auto object = root.extract<Object::Ptr>();
        if (object->optValue<std::string>("wattmesh", "") != "shipment" ||
            object->optValue<int>("version", 0) != 1)
            throw std::runtime_error(
                "it is not a shipment of version 1 (members \"wattmesh\" and \"version\")");
        return object;
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("it is not valid JSON: " + error.displayText().substr(0, 200));
    }
}

Array::Ptr list(const Object& root, const char* name) {
    auto array = root.isArray(name) ? root.getArray(name) : Array::Ptr{};
    if (array.isNull()) throw std::runtime_error(std::string{"it has no list \""} + name + "\"");
    return array;
}

std::string text(const Object& object, const std::string& name) {
    const auto value = object.get(name);
    if (!value.isString()) throw Wrong("member \"" + name + "\" is missing or not text");
    return value.extract<std::string>();
}

DeviceNumber number_in(const Object& object, const std::string& name) {
    const auto number = DeviceNumber::parse(text(object, name));
    if (!number) throw Wrong("member \"" + name + "\" is not a device number (12 decimal digits)");
    return *number;
}

void check_title(const Object& object, const DeviceNumber& number) {
    if (text(object, "system_title") != to_hex(system_title(number).octets))
        throw Wrong("member \"system_title\" does not fit the number");
}

/// Length, password and zeros up to whole blocks of the key wrap.
Buffer padded(const std::string& password) {
    if (password.empty() || password.size() > password_size_max)
        throw Wrong("member \"lls_password\" is empty or longer than 64 octets");
    Buffer out{static_cast<std::uint8_t>(password.size())};
    out.insert(out.end(), password.begin(), password.end());
    while (out.size() % 8 != 0 || out.size() < 16) out.push_back(0);
    return out;
}

dcu::MeterRole role_of(const Object& object) {
    const auto role = text(object, "role");
    if (role == "customer") return dcu::MeterRole::customer;
    if (role == "summary") return dcu::MeterRole::summary;
    throw Wrong("member \"role\" is neither \"customer\" nor \"summary\"");
}

/// One run over one file.
class Run {
public:
    Run(Connection& connection, const security::MasterKey& master, const ShipmentOptions& options)
        : connection_(connection), master_(master), options_(options) {
        connection_.run("listing meter models", [&](soci::session& sql) {
            const soci::rowset<std::string> names = (sql.prepare << "select name from meter_model");
            models_.insert(names.begin(), names.end());
        });
        for (const auto& known : Concentrators{connection_}.all())
            concentrators_.emplace(known.number, known.id);
    }

    template <class Import>
    void each(const Array& array, const std::string& name, Import import_one) {
        for (unsigned i = 0; i < array.size(); ++i) {
            auto where = name + "[" + std::to_string(i) + "]";
            try {
                const auto object = array.getObject(i);
                if (object.isNull()) throw Wrong("it is not an object");
                const auto number = number_in(*object, "number");
                where += " " + to_string(number);
                if (!seen_.insert(number).second) throw Wrong("the file names it twice");
                (this->*import_one)(*object, number);
            } catch (const Wrong& wrong) {
                report_.faults.push_back({where, wrong.what()});
            }
        }
    }

    void concentrator(const Object& object, const DeviceNumber& number) {
        check_title(object, number);
        if (concentrators_.contains(number)) {
            ++report_.concentrators_known;
            return;
        }
        const auto name = "Concentrator " + to_string(number);
        concentrators_.emplace(number, Concentrators{connection_}.add(number, name, options_.now));
        ++report_.concentrators_new;
    }

    void meter(const Object& object, const DeviceNumber& number) {
        check_title(object, number);
        NewMeter meter{.number = number,
                       .model = text(object, "model"),
                       .role = role_of(object),
                       .concentrator = {},
                       .installed = options_.installed};
        if (!models_.contains(meter.model))
            throw Wrong("model \"" + meter.model + "\" is unknown: add it to meter_model first");
        const auto concentrator = concentrators_.find(number_in(object, "concentrator"));
        if (concentrator == concentrators_.end())
            throw Wrong("its concentrator is neither in the file nor registered");
        meter.concentrator = concentrator->second;
        const auto sealed = sealed_keys(object, number);

        Meters meters{connection_};
        if (const auto known = meters.find(number)) check_keys(known->id, sealed);
        const bool is_new = meters.put(meter);
        ++(is_new ? report_.meters_new : report_.meters_known);
        const auto id = meters.find(number)->id;
        for (const auto& key : sealed) Keys{connection_}.put(id, key.purpose, key.sealed, options_.now);
    }

    ShipmentReport take() { return std::move(report_); }

private:
    std::vector<SealedKey> sealed_keys(const Object& object, const DeviceNumber& number) const {
        std::vector<SealedKey> sealed;
        for (const auto& member : key_members) {
            const auto octets = from_hex(text(object, member.name));
            if (!octets || octets->size() != 16)
                throw Wrong(std::string{"member \""} + member.name +
                            "\" is not a key of 32 hexadecimal digits");
            sealed.push_back(
                {member.purpose, master_.wrap(monitor::purpose_of(number, member.purpose), *octets)});
        }
        sealed.push_back(
            {KeyPurpose::lls_password, master_.wrap(monitor::purpose_of(number, KeyPurpose::lls_password),
                                                    padded(text(object, "lls_password")))});
        return sealed;
    }

    /// Wrapping is deterministic (RFC 3394), so equal keys have equal blobs.
    void check_keys(MeterId id, const std::vector<SealedKey>& sealed) {
        bool differs = false;
        for (const auto& key : sealed) {
            const auto stored = Keys{connection_}.find(id, key.purpose);
            differs = differs || (stored && *stored != key.sealed);
        }
        if (!differs) return;
        if (!options_.replace_keys)
            throw Wrong(
                "it is registered with other keys: is this the right file and master key? (--replace-keys "
                "takes these)");
        ++report_.keys_replaced;
    }

    Connection& connection_;
    const security::MasterKey& master_;
    const ShipmentOptions& options_;
    std::set<std::string> models_;
    std::map<DeviceNumber, ConcentratorId> concentrators_;
    std::set<DeviceNumber> seen_;
    ShipmentReport report_;
};

}  // namespace

ShipmentReport ShipmentImport::run(std::string_view json, const ShipmentOptions& options) {
    const auto root = parse(json);
    const auto concentrators = list(*root, "concentrators"), meters = list(*root, "meters");
    Transaction transaction{connection_};
    Run run{connection_, master_, options};
    run.each(*concentrators, "concentrators", &Run::concentrator);
    run.each(*meters, "meters", &Run::meter);
    transaction.commit();
    return run.take();
}

}  // namespace wattmesh::headend::database
