#include "protocol/iec104/master.h"

#include <cassert>

namespace wattmesh::iec104 {

void Master::feed(Bytes octets, Instant now) {
    link_.feed(octets);
    while (const auto raw = link_.next(now)) {
        auto asdu = decode_asdu(*raw);
        if (asdu)
            received_.push_back(std::move(asdu).value());
        else
            ++malformed_;
    }
    pump(now);
}

void Master::tick(Instant now) {
    link_.tick(now);
    pump(now);
}

void Master::pump(Instant now) {
    for (; !waiting_.empty() && link_.ready(); waiting_.pop_front()) link_.send(waiting_.front(), now);
}

Asdu Master::request(Type type, std::uint16_t station, const Object& object, Instant now, Cause cause) {
    Asdu asdu;
    asdu.header.type = type;
    asdu.header.cause = cause;
    asdu.header.originator = originator_;
    asdu.header.common_address = station;
    asdu.objects = {object};
    waiting_.push_back(encode(asdu));
    pump(now);
    return asdu;
}

Asdu Master::interrogate(std::uint16_t station, std::uint8_t qualifier, Instant now) {
    return request(Type::interrogation, station, {0, Interrogation{qualifier}, {}, {}}, now);
}

Asdu Master::interrogate_counters(std::uint16_t station, CounterInterrogation wanted, Instant now) {
    return request(Type::counter_interrogation, station, {0, wanted, {}, {}}, now);
}

Asdu Master::read(std::uint16_t station, std::uint32_t address, Instant now) {
    return request(Type::read, station, {address, ReadRequest{}, {}, {}}, now, Cause::request);
}

Asdu Master::sync_clock(std::uint16_t station, Instant now) {
    return request(Type::clock_sync, station, {0, ClockSync{}, {}, {now, false, false, false}}, now);
}

Asdu Master::test(std::uint16_t station, std::uint16_t pattern, Instant now) {
    return request(Type::test_time, station, {0, TestCommand{pattern}, {}, {now, false, false, false}}, now);
}

Asdu Master::command(std::uint16_t station, std::uint32_t address, const Value& value, Instant now,
                     Cause cause) {
    const auto type = std::holds_alternative<SingleCommand>(value)   ? Type::single_command
                      : std::holds_alternative<DoubleCommand>(value) ? Type::double_command
                                                                     : Type::float_setpoint;
    assert(type != Type::float_setpoint || std::holds_alternative<FloatSetpoint>(value));
    return request(type, station, {address, value, {}, {}}, now, cause);
}

Reply reply_to(const Asdu& request, const Asdu& received) {
    if (received.header.type != request.header.type || received.objects.empty() ||
        (received.header.common_address != request.header.common_address &&
         request.header.common_address != broadcast) ||
        received.objects[0].address != request.objects[0].address)
        return Reply::none;
    switch (received.header.cause) {
        case Cause::activation_confirmation:
        case Cause::deactivation_confirmation:
            return received.header.negative ? Reply::refused : Reply::confirmed;
        case Cause::activation_termination:
            return received.header.negative ? Reply::failed : Reply::terminated;
        case Cause::unknown_type:
        case Cause::unknown_cause:
        case Cause::unknown_common_address:
        case Cause::unknown_object_address:
            return Reply::refused;
        default:
            return Reply::none;
    }
}

}  // namespace wattmesh::iec104
