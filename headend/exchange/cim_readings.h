#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/exchange/cim_answer.h"
#include "headend/exchange/reading_xml.h"

/// GetMeterReadings: what is asked for, and MeterReadings that answer it.
namespace wattmesh::headend::exchange {

inline constexpr int cim_readings_max = 10'000;  ///< in one message

struct CimReadingsAsked {
    std::vector<std::string> devices, usage_points, codes;
    std::optional<Instant> from, to;  ///< both, or none: what the register says now
};
/// Throws CimProblem.
CimReadingsAsked read_get_meter_readings(const CimMessage& message);

/// The same against what the contract shows.
struct CimReadingsWanted {
    std::vector<DeviceNumber> meters;          ///< empty: none of those that were named is known
    std::vector<cim::ReadingType> types;       ///< ours with multiplier 0; empty: the load profile
    std::vector<database::ReadingBank> banks;  ///< that hold them
    std::vector<CimError> errors;              ///< of devices and codes that are not known
    Instant from{}, to{};
};
CimReadingsWanted want_readings(RestDesk& desk, const database::Contract& contract,
                                const CimReadingsAsked& asked);
/// The one register that is to be read now. Throws CimProblem.
ObisCode want_register(RestDesk& desk, const database::Contract& contract, const CimReadingsAsked& asked);

struct CimReadingsPage {
    std::string payload;  ///< MeterReadings
    int readings = 0;
    std::string next;  ///< where the next page begins; empty: that was all
};
/// From `place` on (empty: the beginning), cim_readings_max readings at most.
CimReadingsPage stored_readings(RestDesk& desk, const database::Contract& contract,
                                const CimReadingsWanted& wanted, const std::string& place);

/// What was read on demand.
struct CimReadNow {
    DeviceNumber meter;
    database::OnDemandValue value;
};
std::string write_read_now(const std::vector<CimReadNow>& read, const ObisCode& register_,
                           const CimForm& form);

}  // namespace wattmesh::headend::exchange
