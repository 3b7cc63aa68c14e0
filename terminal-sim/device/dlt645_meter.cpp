#include "terminal-sim/device/dlt645_meter.h"

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::sim {

namespace {

constexpr std::int64_t shown_step_wh = 10;
constexpr double hertz = 50;

}  // namespace

std::optional<double> Dlt645Meter::shown(const ObisCode& quantity, Instant at) const {
    const std::uint8_t what = quantity.groups[2];
    if (quantity.groups[3] == 8) {
        if (what < 1 || what > 2 || quantity.groups[4] != 0) return std::nullopt;
        const auto wh = meter_.registers(at).total().channels[what - 1U];
        return static_cast<double>(wh / shown_step_wh * shown_step_wh);
    }
    if (what == 14) return hertz;
    if (what == 16) {
        double watts = 0;
        for (int phase = 0; phase < 3; ++phase)
            watts += static_cast<double>(meter_.electrical(phase, at).watts);
        return watts;
    }
    const int phase = what / 20 - 1, kind = what % 20;  // 31, 51, 71: A; 32...: V; 36...: W
    if (phase < 0 || phase > 2) return std::nullopt;
    const auto one = meter_.electrical(phase, at);
    if (kind == 11) return static_cast<double>(one.centiamperes) / 100;
    if (kind == 12) return static_cast<double>(one.decivolts) / 10;
    if (kind == 16) return static_cast<double>(one.watts);
    return std::nullopt;
}

std::optional<dlt645::Frame> Dlt645Meter::answer(const dlt645::Frame& asked, Instant now) const {
    if (asked.from_meter || asked.address == dlt645::broadcast_address ||
        !dlt645::is_for(asked.address, number()))
        return std::nullopt;
    dlt645::Frame answer;
    answer.address = number().bcd;
    answer.function = asked.function;
    answer.from_meter = true;
    Reader in{asked.data};
    const auto refused = [&](std::uint8_t why) {
        answer.error = true;
        answer.data = {why};
        return answer;
    };
    if (asked.function == dlt645::Function::read_address) {
        Writer out;
        for (auto octet = number().bcd.rbegin(); octet != number().bcd.rend(); ++octet) out.u8(*octet);
        answer.data = out.take();
        return answer;
    }
    if (asked.function != dlt645::Function::read) return refused(dlt645::error_bit::other);
    const auto low = in.u16_le(), high = in.u16_le();
    const auto id = static_cast<dlt645::DataId>(high) << 16 | low;
    const auto* item = in.ok() ? dlt645::find_item(id) : nullptr;
    if (item == nullptr) return refused(dlt645::error_bit::no_such_data);
    std::vector<std::optional<double>> values;
    for (const auto& quantity : item->quantities) values.push_back(shown(quantity, now));
    Writer out;
    out.u16_le(low).u16_le(high).bytes(dlt645::encode_values(*item, values));
    answer.data = out.take();
    return answer;
}

}  // namespace wattmesh::sim
