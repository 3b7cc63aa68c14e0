#pragma once
#include <map>
#include <string>
#include <vector>

#include "headend/database/contracts.h"

namespace wattmesh::headend::database {

/// How a partner writes IEC 61968-9.
struct CimDialect {
    bool stamp_is_end = true;   ///< of an interval; else its start names it
    int energy_multiplier = 3;  ///< power of ten: 0 or 3
    std::string zone = "UTC";   ///< IANA name
    std::vector<std::string> reply_to{};
    /// His code of a ReadingType with multiplier 0, of a command of ours, and of an EndDeviceEventType.
    std::map<std::string, std::string> readings{}, controls{}, events{};
    bool operator==(const CimDialect&) const = default;
};
/// "end, kWh, Europe/Paris, replies to https://..., connect=X1": for the audit log.
std::string to_string(const CimDialect& dialect);

/// What may be ordered, in codes of IEC 61968-9.
struct CimControl {
    std::string code;          ///< EndDeviceControlType
    std::string done, failed;  ///< EndDeviceEventType of how it ended
};

/// From this instant on local time is `offset_s` ahead of UTC.
struct ZoneOffset {
    Instant from{};
    int offset_s = 0;
};

/// Tables cim_dialect, cim_alias and cim_control.
class CimDialects {
public:
    explicit CimDialects(Connection& connection) : connection_(connection) {}

    void put(ContractId contract, const CimDialect& dialect);
    /// What was never said is as in a new CimDialect.
    CimDialect of(ContractId contract);
    /// By our name.
    std::map<std::string, CimControl> controls();
    bool knows_zone(const std::string& zone);
    /// Oldest first; the first one at `from`. To half an hour.
    std::vector<ZoneOffset> offsets(const std::string& zone, Instant from, Instant to);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
