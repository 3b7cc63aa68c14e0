#pragma once
#include <array>
#include <string>
#include <variant>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/gdw376/frame.h"
#include "protocol/gdw376/task_parameters.h"
#include "protocol/gdw376/unit.h"

/// Parameters of a terminal: AFN 04 sets, AFN 0A asks. Source: Q/GDW 376.1-2009, 5.8 (items) and 5.13.
namespace wattmesh::gdw376 {

/// F1: how the terminal talks to the master.
struct CommunicationParameters {
    std::uint8_t rts_20ms = 5;        ///< from RTS to the first octet, x 20 ms
    std::uint8_t send_delay_min = 5;  ///< longest delay of what the terminal starts, minutes
    std::uint16_t timeout_s = 30;     ///< for an acknowledgement, up to 4095 s
    std::uint8_t resends = 3;         ///< 0 to 3
    bool confirm_class_1 = false, confirm_class_2 = false, confirm_events = true;
    std::uint8_t heartbeat_min = 5;  ///< minutes; 0 would end it
    friend bool operator==(const CommunicationParameters&, const CommunicationParameters&) = default;
};
/// F3: where the master is.
struct MasterAddress {
    struct Endpoint {
        std::array<std::uint8_t, 4> ip{};
        std::uint16_t port = 0;
        friend bool operator==(const Endpoint&, const Endpoint&) = default;
    };
    Endpoint main, backup;
    std::string apn;  ///< ASCII, <= 16
    friend bool operator==(const MasterAddress&, const MasterAddress&) = default;
};
/// One meter of F10.
struct ListedMeter {
    std::uint16_t sequence = 0;  ///< place in the list, from 1
    std::uint16_t point = 0;     ///< measurement point, from 1
    std::uint32_t baud = 2'400;  ///< 0 (as the port has it), 600, 1200, 2400, 4800, 7200, 9600 or 19200
    std::uint8_t port = 31;      ///< 1 to 31; 31 is the module of the carrier or radio network
    enum class Protocol : std::uint8_t {
        none = 0,
        dlt645_1997 = 1,
        ac_sampling = 2,
        dlt645_2007 = 30,
        serial_plc = 31,
        cjt188 = 32
    };
    Protocol protocol = Protocol::dlt645_2007;
    DeviceNumber meter;
    std::array<std::uint8_t, 6>
        password{};  ///< of the meter's reading level: no secret that protects anything
    std::uint8_t tariffs = 4;
    std::uint8_t integer_digits = 6, decimals = 2;  ///< of energies: 4 to 7, 1 to 4
    DeviceNumber collector;
    std::uint8_t class_large = 0, class_small = 0;  ///< of the user, 0 to 15 each
    friend bool operator==(const ListedMeter&, const ListedMeter&) = default;
};
using MeterList = std::vector<ListedMeter>;
using Parameter = std::variant<CommunicationParameters, MasterAddress, UplinkMode, MeterList, PortSchedules,
                               ReportTask, ReportSwitch>;

/// AFN 04 with these items, in ascending order of item. Asserts the ranges above and at most 100 meters.
Frame set_parameters(const Address& terminal, const std::vector<Parameter>& parameters,
                     const Secret<16>& password, std::uint8_t sequence);
/// AFN 0A: asks for F1, F3, F8, F33 (`items`; of the tasks F65 to F68 with their number as point), or for
/// meters by their places in the list.
Frame query_parameters(const Address& terminal, const std::vector<std::uint16_t>& items,
                       std::uint8_t sequence);
Frame query_task(const Address& terminal, std::uint16_t item, std::uint16_t number, std::uint8_t sequence);
Frame query_meters(const Address& terminal, const std::vector<std::uint16_t>& places, std::uint8_t sequence);

/// The terminal's side of 0A: the head of each unit, and of F10 the places that are asked for.
struct ParameterQuery {
    std::uint16_t point = 0, item = 0;
    std::vector<std::uint16_t> places;
    friend bool operator==(const ParameterQuery&, const ParameterQuery&) = default;
};
Result<std::vector<ParameterQuery>> decode_parameter_query(const Frame& frame);
/// The answer to 0A.
Frame parameter_answer(const Frame& asked, const std::vector<Parameter>& parameters);

/// What AFN 04 sets (terminal's side) or AFN 0A answers. Faults: unsupported (another item), unexpected,
/// truncated, too_long (more meters than octets), bad_value.
Result<std::vector<Parameter>> decode_parameters(const Frame& frame);

}  // namespace wattmesh::gdw376
