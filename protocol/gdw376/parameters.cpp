#include "protocol/gdw376/parameters.h"

#include <algorithm>
#include <cassert>

#include "protocol/base/bcd.h"

namespace wattmesh::gdw376 {

namespace {

constexpr std::uint16_t item_communication = 1, item_master = 3, item_meters = 10;
constexpr std::size_t meters_max = 100, meter_size = 27, apn_size = 16;
constexpr std::uint32_t bauds[]{0, 600, 1'200, 2'400, 4'800, 7'200, 9'600, 19'200};

UnitHead head_of(std::uint16_t item) { return {.items = {item}}; }

/// Numbers on the line have their low digits first.
void write_number(Writer& out, const DeviceNumber& number) {
    for (auto octet = number.bcd.rbegin(); octet != number.bcd.rend(); ++octet) out.u8(*octet);
}
DeviceNumber read_number(Reader& in) {
    DeviceNumber number;
    const auto at = in.position();
    const auto octets = in.array<6>();
    std::ranges::reverse_copy(octets, number.bcd.begin());
    if (std::ranges::any_of(octets, [](std::uint8_t octet) { return !is_bcd(octet); }))
        in.fail_at(Fault::bad_value, at);
    return number;
}

void write(Writer& out, const CommunicationParameters& p) {
    assert(p.timeout_s < 4'096 && p.resends < 4);
    encode(out, head_of(item_communication));
    out.u8(p.rts_20ms).u8(p.send_delay_min);
    out.u16_le(static_cast<std::uint16_t>(p.resends << 12 | p.timeout_s));
    out.u8(static_cast<std::uint8_t>((p.confirm_class_1 ? 1 : 0) | (p.confirm_class_2 ? 2 : 0) |
                                     (p.confirm_events ? 4 : 0)));
    out.u8(p.heartbeat_min);
}
CommunicationParameters read_communication(Reader& in) {
    CommunicationParameters p;
    p.rts_20ms = in.u8();
    p.send_delay_min = in.u8();
    const auto waits = in.u16_le();
    p.timeout_s = waits & 0x0FFF;
    p.resends = static_cast<std::uint8_t>(waits >> 12 & 3);
    const auto confirms = in.u8();
    p.confirm_class_1 = (confirms & 1) != 0;
    p.confirm_class_2 = (confirms & 2) != 0;
    p.confirm_events = (confirms & 4) != 0;
    p.heartbeat_min = in.u8();
    return p;
}

void write(Writer& out, const MasterAddress& p) {
    assert(p.apn.size() <= apn_size);
    encode(out, head_of(item_master));
    for (const auto& endpoint : {p.main, p.backup}) out.bytes(endpoint.ip).u16_le(endpoint.port);
    Buffer apn = to_buffer(as_bytes(p.apn));
    apn.resize(apn_size);
    out.bytes(apn);
}
MasterAddress read_master(Reader& in) {
    MasterAddress p;
    for (auto* endpoint : {&p.main, &p.backup}) {
        endpoint->ip = in.array<4>();
        endpoint->port = in.u16_le();
    }
    const auto apn = in.array<apn_size>();
    p.apn.assign(apn.begin(), std::ranges::find(apn, 0));
    return p;
}

void write(Writer& out, const MeterList& meters) {
    assert(!meters.empty() && meters.size() <= meters_max);
    encode(out, head_of(item_meters));
    out.u16_le(static_cast<std::uint16_t>(meters.size()));
    for (const ListedMeter& meter : meters) {
        const auto rate = std::ranges::find(bauds, meter.baud) - std::begin(bauds);
        assert(rate < 8 && meter.port >= 1 && meter.port <= 31);
        assert(meter.integer_digits >= 4 && meter.integer_digits <= 7 && meter.decimals >= 1 &&
               meter.decimals <= 4);
        assert(meter.class_large < 16 && meter.class_small < 16);
        out.u16_le(meter.sequence).u16_le(meter.point);
        out.u8(static_cast<std::uint8_t>(rate << 5 | meter.port))
            .u8(static_cast<std::uint8_t>(meter.protocol));
        write_number(out, meter.meter);
        out.bytes(meter.password).u8(meter.tariffs);
        out.u8(static_cast<std::uint8_t>((meter.integer_digits - 4) << 2 | (meter.decimals - 1)));
        write_number(out, meter.collector);
        out.u8(static_cast<std::uint8_t>(meter.class_large << 4 | meter.class_small));
    }
}
MeterList read_meters(Reader& in) {
    const auto at = in.position();
    const std::size_t count = in.u16_le();
    // Bounded by what is there, before anything is allocated.
    if (count * meter_size > in.remaining()) in.fail_at(Fault::too_long, at);
    MeterList meters;
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        ListedMeter meter;
        meter.sequence = in.u16_le();
        meter.point = in.u16_le();
        const auto line = in.u8();
        meter.baud = bauds[line >> 5];
        meter.port = line & 0x1F;
        meter.protocol = static_cast<ListedMeter::Protocol>(in.u8());
        meter.meter = read_number(in);
        meter.password = in.array<6>();
        meter.tariffs = in.u8();
        const auto digits = in.u8();
        meter.integer_digits = static_cast<std::uint8_t>((digits >> 2 & 3) + 4);
        meter.decimals = static_cast<std::uint8_t>((digits & 3) + 1);
        meter.collector = read_number(in);
        const auto user = in.u8();
        meter.class_large = user >> 4;
        meter.class_small = user & 0x0F;
        meters.push_back(meter);
    }
    return meters;
}

/// Tasks have their number as point, all else is about the terminal; nothing for another item.
std::optional<Parameter> read_parameter(Reader& in, std::uint16_t point, std::uint16_t what) {
    switch (what) {
        case item::report_now:
        case item::report_frozen:
            return read_report_task(in, point, what == item::report_frozen);
        case item::switch_now:
        case item::switch_frozen:
            return read_report_switch(in, point, what == item::switch_frozen);
        default:
            break;
    }
    if (point != terminal_point) return std::nullopt;
    switch (what) {
        case item_communication:
            return read_communication(in);
        case item_master:
            return read_master(in);
        case item::uplink_mode:
            return read_uplink_mode(in);
        case item_meters:
            return read_meters(in);
        case item::port_schedules:
            return read_port_schedules(in);
        default:
            return std::nullopt;
    }
}

Frame parameter_frame(const Address& terminal, Afn afn, Buffer units, std::uint8_t sequence) {
    Frame frame;
    frame.function = afn == Afn::set_parameters ? function::request_class_1 : function::request_class_2;
    frame.address = terminal;
    frame.afn = afn;
    frame.confirm = afn == Afn::set_parameters;
    frame.sequence = sequence;
    frame.units = std::move(units);
    return frame;
}

}  // namespace

Frame set_parameters(const Address& terminal, const std::vector<Parameter>& parameters,
                     const Secret<16>& password, std::uint8_t sequence) {
    Writer units;
    for (const Parameter& parameter : parameters)
        std::visit([&](const auto& value) { write(units, value); }, parameter);
    Frame frame = parameter_frame(terminal, Afn::set_parameters, units.take(), sequence);
    frame.password = password;
    return frame;
}

Frame query_parameters(const Address& terminal, const std::vector<std::uint16_t>& items,
                       std::uint8_t sequence) {
    Writer units;
    for (const auto item : items) encode(units, head_of(item));
    return parameter_frame(terminal, Afn::query_parameters, units.take(), sequence);
}

Frame query_task(const Address& terminal, std::uint16_t item, std::uint16_t number, std::uint8_t sequence) {
    Writer units;
    encode(units, UnitHead{.points = {number}, .items = {item}});
    return parameter_frame(terminal, Afn::query_parameters, units.take(), sequence);
}

Frame query_meters(const Address& terminal, const std::vector<std::uint16_t>& places, std::uint8_t sequence) {
    assert(!places.empty() && places.size() <= meters_max);
    Writer units;
    encode(units, head_of(item_meters));
    units.u16_le(static_cast<std::uint16_t>(places.size()));
    for (const auto place : places) units.u16_le(place);
    return parameter_frame(terminal, Afn::query_parameters, units.take(), sequence);
}

Result<std::vector<ParameterQuery>> decode_parameter_query(const Frame& frame) {
    if (frame.afn != Afn::query_parameters || frame.from_terminal) return Error{Fault::unexpected, 0};
    std::vector<ParameterQuery> out;
    Reader in{frame.units};
    while (in.ok() && in.remaining() > 0) {
        const auto unit = in.position();
        const UnitHead head = decode_unit_head(in);
        if (head.all_points) in.fail_at(Fault::unsupported, unit);
        for (const auto point : head.points)
            for (const auto item : head.items) {
                if (!in.ok()) break;
                ParameterQuery query{point, item, {}};
                if (item == item_meters) {
                    const auto at = in.position();
                    const std::size_t count = in.u16_le();
                    if (count > meters_max || count * 2 > in.remaining()) in.fail_at(Fault::too_long, at);
                    for (std::size_t i = 0; i < count && in.ok(); ++i) query.places.push_back(in.u16_le());
                }
                out.push_back(std::move(query));
            }
    }
    if (in.error()) return *in.error();
    return out;
}

Frame parameter_answer(const Frame& asked, const std::vector<Parameter>& parameters) {
    Frame frame = answer_to(asked, Afn::query_parameters);
    Writer units;
    for (const Parameter& parameter : parameters)
        std::visit([&](const auto& value) { write(units, value); }, parameter);
    frame.units = units.take();
    return frame;
}

Result<std::vector<Parameter>> decode_parameters(const Frame& frame) {
    const bool answer = frame.afn == Afn::query_parameters && frame.from_terminal;
    if (!answer && frame.afn != Afn::set_parameters) return Error{Fault::unexpected, 0};
    std::vector<Parameter> out;
    Reader in{frame.units};
    while (in.ok() && in.remaining() > 0) {
        const auto at = in.position();
        const UnitHead head = decode_unit_head(in);
        if (head.all_points) in.fail_at(Fault::unsupported, at);
        for (const auto point : head.points)
            for (const auto item : head.items) {
                if (!in.ok()) break;
                if (auto parameter = read_parameter(in, point, item))
                    out.push_back(*std::move(parameter));
                else
                    in.fail_at(Fault::unsupported, at);
            }
    }
    if (in.error()) return *in.error();
    return out;
}

}  // namespace wattmesh::gdw376
