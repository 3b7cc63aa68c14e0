#include "protocol/dcu/uplink_state.h"

#include "protocol/dcu/fields.h"

namespace wattmesh::dcu {
namespace {

dlms::Data text_data(std::string_view text) {
    return dlms::octet_string(as_bytes(text.substr(0, uplink_text_max)));
}

std::string text_of(Fields& fields) {
    const auto octets = fields.octets(uplink_text_max);
    return {octets.begin(), octets.end()};
}

dlms::Data cellular_data(const CellularState& state) {
    return dlms::structure({text_data(state.state), text_data(state.operator_name),
                            dlms::Enum{static_cast<std::uint8_t>(state.registration)},
                            state.signal_dbm ? dlms::Data{*state.signal_dbm} : dlms::Data{dlms::Null{}},
                            state.redials, state.restarts, state.resets});
}

Result<CellularState> cellular_of(const dlms::Data& data) {
    Fields fields{data};
    CellularState state;
    state.state = text_of(fields);
    state.operator_name = text_of(fields);
    const auto registration = fields.number<std::uint8_t>();
    if (registration > static_cast<std::uint8_t>(Registration::roaming)) fields.fail(Fault::bad_value);
    state.registration = static_cast<Registration>(registration);
    const auto& signal = fields.any();
    if (!fields.ok()) return fields.error();
    if (const auto dbm = signal.integer(); dbm && std::in_range<std::int8_t>(*dbm))
        state.signal_dbm = static_cast<std::int8_t>(*dbm);
    for (auto* count : {&state.redials, &state.restarts, &state.resets})
        *count = fields.number<std::uint32_t>();
    if (!fields.done()) return fields.error();
    return state;
}

dlms::Data way_data(const UplinkWay& way) {
    return dlms::structure({text_data(way.bearer), text_data(way.address), way.available, way.calls,
                            way.sessions, way.failures, way.probes, way.probes_answered,
                            text_data(way.last_failure)});
}

Result<UplinkWay> way_of(const dlms::Data& data) {
    Fields fields{data};
    UplinkWay way;
    way.bearer = text_of(fields);
    way.address = text_of(fields);
    const auto* available = fields.any().as<bool>();
    if (available == nullptr) fields.fail(Fault::bad_tag);
    if (!fields.ok()) return fields.error();
    way.available = *available;
    for (auto* count : {&way.calls, &way.sessions, &way.failures, &way.probes, &way.probes_answered})
        *count = fields.u64();
    way.last_failure = text_of(fields);
    if (!fields.done()) return fields.error();
    return way;
}

}  // namespace

std::string_view to_string(Registration registration) {
    switch (registration) {
        case Registration::idle:
            return "not_registered";
        case Registration::home:
            return "home";
        case Registration::searching:
            return "searching";
        case Registration::denied:
            return "denied";
        case Registration::unknown:
            return "unknown";
        case Registration::roaming:
            return "roaming";
    }
    return "?";
}

dlms::Data to_data(const UplinkState& state) {
    std::vector<dlms::Data> ways;
    for (const auto& way : state.ways) ways.push_back(way_data(way));
    return dlms::structure({state.current, instant_data(state.since), state.moves, state.returns,
                            dlms::array(std::move(ways)),
                            state.cellular ? cellular_data(*state.cellular) : dlms::Data{dlms::Null{}}});
}

Result<UplinkState> uplink_state_from_data(const dlms::Data& data) {
    Fields fields{data};
    UplinkState state;
    state.current = fields.number<std::uint8_t>();
    state.since = fields.instant();
    state.moves = fields.u64();
    state.returns = fields.u64();
    const auto* ways = fields.array(uplink_ways_max);
    const auto& cellular = fields.any();
    if (!fields.done()) return fields.error();
    auto decoded = decode_each<UplinkWay>(*ways, way_of);
    if (!decoded) return decoded.error();
    state.ways = *std::move(decoded);
    if (state.ways.empty() || state.current >= state.ways.size()) return Error{Fault::bad_value, 0};
    if (cellular.as<dlms::Null>() != nullptr) return state;
    auto modem = cellular_of(cellular);
    if (!modem) return modem.error();
    state.cellular = *std::move(modem);
    return state;
}

}  // namespace wattmesh::dcu
