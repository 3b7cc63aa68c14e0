#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"
#include "protocol/dcu/objects.h"
#include "protocol/dlms/association_form.h"

namespace wattmesh::headend::database {

/// Who may hold the reading client's keys (design: keys).
enum class ReadingKeys { separate, shared, local_only, none };

struct Meter {
    MeterId id;
    DeviceNumber number;
    TenantId tenant;
    AreaId area;
    std::string model;
    ReadingKeys reading_keys{};
    dcu::MeterRole role{};
    std::optional<ConcentratorId> concentrator;  ///< the transformer's, whoever reaches the meter
    /// Over whom it is reached: of the lease, or its own.
    std::optional<DeviceNumber> concentrator_number;
    Instant installed{};
    std::string serial;  ///< the manufacturer's, empty when not said
    SystemTitle title;
    int suite = 0;  ///< DLMS security suite
    dlms::AssociationForm form{};
};

struct NewMeter {
    DeviceNumber number;
    std::string model = "WM-SIM-3";
    dcu::MeterRole role{};
    std::optional<ConcentratorId> concentrator;
    Instant installed{};
    std::string serial = {};
    std::optional<SystemTitle> title = {};  ///< nothing: the one that follows from the number
    int suite = 0;
    dlms::AssociationForm form = {};
};

/// Table meter.
class Meters {
public:
    explicit Meters(Connection& connection) : connection_(connection) {}

    /// Adds the meter or brings everything but the installation date of a known one up to date. True when the
    /// meter is new.
    bool put(const NewMeter& meter);
    std::optional<Meter> find(DeviceNumber number);
    /// The meter with this title, its own or the one that follows from its number.
    std::optional<Meter> find(const SystemTitle& title);
    /// Who may hold the reading keys, by the names of the models.
    std::map<std::string, ReadingKeys> models();
    /// Who has this title; titles that follow from the number are not looked up.
    std::optional<DeviceNumber> titled(const SystemTitle& title);
    std::vector<Meter> all();
    std::vector<Meter> of(ConcentratorId concentrator);
    /// The list a concentrator should have: its own meters, whoever has them, and those of others that have
    /// asked there. Ordered by number, version left 0; when it is too long visitors that it has not got are
    /// left out.
    dcu::MeterList listed(ConcentratorId concentrator, std::size_t size_max = dcu::meter_list_size_max);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
