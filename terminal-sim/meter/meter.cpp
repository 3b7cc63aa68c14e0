#include "terminal-sim/meter/meter.h"

#include <algorithm>
#include <cassert>

#include "protocol/dlms/date_time.h"
#include "terminal-sim/meter/audience.h"
#include "terminal-sim/meter/chance.h"

namespace wattmesh::sim {

using namespace dlms;

namespace {

enum Stream : std::uint64_t { start_value = 0x3E7E, voltage, sag, sag_second };
enum Event : std::uint8_t {
    power_up = 2,
    clock_before = 4,
    clock_after = 5,
    breaker_opened = 62,
    breaker_closed = 63,
    voltage_sag = 76
};
constexpr std::chrono::seconds period{interval_s};

std::vector<ProfileColumn> energy_columns(std::initializer_list<ObisCode> registers) {
    std::vector<ProfileColumn> columns{{{8, obis::clock, 2, 0}, CellType::stamp},
                                       {{1, obis::profile_status, 2, 0}, CellType::unsigned8}};
    for (const auto& name : registers) columns.push_back({{3, name, 2, 0}, CellType::unsigned32});
    return columns;
}

constexpr ObisCode import_day{{1, 0, 1, 8, 1, 255}}, import_night{{1, 0, 1, 8, 2, 255}},
    event_code{{0, 0, 96, 11, 0, 255}};

Registers start_values(const MeterSettings& settings) {
    Registers start;
    for (std::uint64_t channel = 0; channel < 4; ++channel) {
        const std::uint64_t number = draw(settings.seed, start_value, settings.number.integer(), channel);
        const std::int64_t most = channel % 2 == 0 ? 20'000'000 : 0;
        start.day.channels[channel] = within(number, 0, most);
        start.night.channels[channel] = within(number >> 32, 0, most / 3);
    }
    return start;
}

Registers operator+(const Registers& a, const Registers& b) { return {a.day + b.day, a.night + b.night}; }

std::uint32_t on_wire(std::int64_t count) {
    return static_cast<std::uint32_t>(count);
}  // a register rolls over at 2^32 Wh

}  // namespace

Meter::Meter(MeterSettings settings, const Load& load, Supply* supply, Truth* truth)
    : settings_(std::move(settings)),
      load_(load),
      supply_(supply),
      truth_(truth),
      start_(start_values(settings_)),
      ledger_(load, settings_.installed_at),
      clock_(settings_.installed_at, settings_.clock_offset, settings_.drift_ppm),
      load_profile_(energy_columns({obis::active_import_total, obis::active_export_total,
                                    obis::reactive_import_total, obis::reactive_export_total}),
                    interval_s, 35 * intervals_per_day, settings_.over_radio),
      daily_(
          energy_columns({obis::active_import_total, obis::active_export_total, obis::reactive_import_total,
                          obis::reactive_export_total, import_day, import_night}),
          86'400, 400, settings_.over_radio),
      events_({{{8, obis::clock, 2, 0}, CellType::stamp}, {{1, event_code, 2, 0}, CellType::unsigned8}}, 0,
              200, false),
      last_stamp_(clock_.shown(settings_.installed_at)),
      last_registers_(registers(settings_.installed_at)) {
    log(last_stamp_, power_up);
    add_identity();
    add_clock();
    add_energy();
    add_electrical();
    add_profiles();
    if (supply_ != nullptr) add_breaker();
}

Registers Meter::registers(Instant at) const { return start_ + ledger_.at(at); }

Instant Meter::next_capture() const {
    const Instant since = std::max(last_stamp_, clock_.settings().back().shown);
    const auto number = epoch_us(since) / Duration{period}.count();
    return clock_.true_time(from_epoch_us((number + 1) * Duration{period}.count()));
}

void Meter::advance(Instant now) {
    for (Instant due = next_capture(); due <= now; due = next_capture()) {
        const auto shown = epoch_us(clock_.shown(due));
        capture(due, from_epoch_us(shown - shown % Duration{period}.count()));
    }
}

void Meter::capture(Instant true_time, Instant stamp) {
    const Registers present = registers(true_time);
    const Energies row = present.total() - last_registers_.total();
    if (truth_ != nullptr) truth_->record(settings_.number, stamp, row);

    if (supply_ != nullptr && !supply_->closed_at(true_time)) status_ |= profile_status_bit::disconnected;
    std::vector<std::uint32_t> cells{status_};
    for (const auto count : row.channels) cells.push_back(on_wire(count));
    load_profile_.append({stamp, std::move(cells)});

    if (epoch_us(stamp) / 86'400'000'000 != epoch_us(last_stamp_) / 86'400'000'000) {
        std::vector<std::uint32_t> snapshot{status_};
        for (const auto count : present.total().channels) snapshot.push_back(on_wire(count));
        snapshot.push_back(on_wire(present.day.channels[0]));
        snapshot.push_back(on_wire(present.night.channels[0]));
        daily_.append({stamp, std::move(snapshot)});
    }
    const auto quarter = static_cast<std::uint64_t>(interval_of(stamp));
    if (draw(settings_.seed, sag, settings_.number.integer(), quarter) % 400 == 0)
        log(stamp - std::chrono::seconds{within(
                        draw(settings_.seed, sag_second, settings_.number.integer(), quarter), 1, 300)},
            voltage_sag);
    last_stamp_ = stamp;
    last_registers_ = present;
    status_ = 0;
}

void Meter::log(Instant stamp, std::uint8_t event) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(stamp);
    events_.append({whole, {event}});
    last_event_ = event;
}

void Meter::perform(const Deed& deed) {
    advance(deed.at);
    switch (deed.kind) {
        case Deed::Kind::clock_set:
            log(clock_.shown(deed.at), clock_before);
            clock_.set(deed.at, deed.shown);
            log(deed.shown, clock_after);
            status_ |= profile_status_bit::clock_was_set;
            break;
        case Deed::Kind::disconnected:
        case Deed::Kind::reconnected: {
            const bool closed = deed.kind == Deed::Kind::reconnected;
            if (!closed) status_ |= profile_status_bit::disconnected;
            supply_->set(closed, deed.at);
            log(clock_.shown(deed.at), closed ? breaker_closed : breaker_opened);
            break;
        }
    }
    deeds_.push_back(deed);
}

void Meter::replay(const std::vector<Deed>& deeds) {
    for (const auto& deed : deeds)
        if (deed.kind == Deed::Kind::clock_set || supply_ != nullptr) perform(deed);
}

Meter::Electrical Meter::electrical(int phase, Instant now) const {
    const bool closed = supply_ == nullptr || supply_->closed_at(now);
    const auto key =
        static_cast<std::uint64_t>(epoch_us(now) / 10'000'000) << 2 | static_cast<unsigned>(phase);
    const Energies flow = closed ? load_.nominal(interval_of(now)) : Energies{};
    constexpr std::array<std::int64_t, 3> share{36, 33, 31};
    const std::int64_t percent = phases() == 1 ? 100 : share[static_cast<std::size_t>(phase)];
    const std::int64_t watts = (flow.channels[0] - flow.channels[1]) * 4 * percent / 100;
    const std::int64_t vars = (flow.channels[2] - flow.channels[3]) * 4 * percent / 100;
    const std::int64_t decivolts =
        within(draw(settings_.seed, voltage, settings_.number.integer(), key), 2'275, 2'335);
    const std::int64_t squared = watts * watts + vars * vars;
    std::int64_t apparent =
        std::abs(watts) + std::abs(vars);  // Newton from above: ends at the integer square root
    while (apparent > 0 && apparent * apparent > squared) apparent = (apparent + squared / apparent) / 2;
    return {decivolts, apparent * 1000 / decivolts, watts};
}

const Meter::Object* Meter::find(const ObisCode& name) const {
    const auto found = std::find_if(objects_.begin(), objects_.end(),
                                    [&](const Object& object) { return object.name == name; });
    return found == objects_.end() ? nullptr : &*found;
}

void Meter::get(const AttributeId& id, const Selection& selection, Sap client, Instant now,
                std::function<void(ReadOutcome)> done) {
    advance(now);
    const Object* object = find(id.object);
    if (object == nullptr) return done(AccessResult::object_undefined);
    if (object->class_id != id.class_id) return done(AccessResult::class_inconsistent);
    const auto attribute = std::find_if(object->attributes.begin(), object->attributes.end(),
                                        [&](const Attribute& a) { return a.id == id.attribute; });
    if (attribute == object->attributes.end()) return done(AccessResult::object_undefined);
    if ((attribute->readers & audience_of(client)) == 0) return done(AccessResult::read_write_denied);
    if (id.attribute == 1) return done(Data{octet_string(id.object)});
    done(object->read(id.attribute, selection, client, now));
}

void Meter::set(const AttributeId& id, const Data& value, Sap client, Instant now,
                std::function<void(AccessResult)> done) {
    advance(now);
    const Object* object = find(id.object);
    if (object == nullptr) return done(AccessResult::object_undefined);
    if (object->class_id != id.class_id) return done(AccessResult::class_inconsistent);
    const auto attribute = std::find_if(object->attributes.begin(), object->attributes.end(),
                                        [&](const Attribute& a) { return a.id == id.attribute; });
    if (attribute == object->attributes.end()) return done(AccessResult::object_undefined);
    if (!attribute->writable || audience_of(client) != for_management)
        return done(AccessResult::read_write_denied);
    const auto time = date_time(value);  // the clock's time is all that can be written
    if (!time) return done(AccessResult::type_unmatched);
    perform({Deed::Kind::clock_set, now, time->at});
    done(AccessResult::success);
}

void Meter::act(const MethodId& id, const std::optional<Data>&, Sap client, Instant now,
                std::function<void(ActionOutcome)> done) {
    advance(now);
    const Object* object = find(id.object);
    if (object == nullptr) return done({AccessResult::object_undefined, {}});
    if (object->class_id != id.class_id) return done({AccessResult::class_inconsistent, {}});
    if (std::find(object->methods.begin(), object->methods.end(), id.method) == object->methods.end())
        return done({AccessResult::object_undefined, {}});
    if (audience_of(client) != for_management) return done({AccessResult::read_write_denied, {}});
    const bool close = id.method == 2;  // the breaker's methods are all that can be called
    if (supply_->closed_at(now) != close)
        perform({close ? Deed::Kind::reconnected : Deed::Kind::disconnected, now, {}});
    done({});
}

}  // namespace wattmesh::sim
