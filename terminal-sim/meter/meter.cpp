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
constexpr std::chrono::seconds period{interval_s};
constexpr std::uint32_t rows_per_hour = 3600 / interval_s;

/// Columns as the model delivers them; all but clock and status are counters.
std::vector<ProfileColumn> columns_of(const cosem::MeterModel& model, cosem::Quantity quantity) {
    const auto* profile = model.profile(quantity);
    if (profile == nullptr) profile = cosem::models::generic.profile(quantity);
    std::vector<ProfileColumn> columns;
    for (const auto& object : profile->columns)
        columns.push_back({object, object.class_id == 8   ? CellType::stamp
                                   : object.class_id == 1 ? CellType::unsigned8
                                                          : CellType::unsigned32});
    return columns;
}

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
      load_profile_(columns_of(*settings_.model, cosem::Quantity::load_profile), interval_s,
                    35 * intervals_per_day, settings_.over_radio, settings_.quirks),
      daily_(columns_of(*settings_.model, cosem::Quantity::daily_profile), 86'400, 400, settings_.over_radio,
             settings_.quirks),
      events_(columns_of(*settings_.model, cosem::Quantity::event_log), 0, 200, false, settings_.quirks),
      objects_(&objects_of({phases(), supply != nullptr, settings_.over_radio, settings_.prepaid.has_value(),
                            settings_.model})),
      last_stamp_(clock_.shown(settings_.installed_at)),
      last_registers_(registers(settings_.installed_at)) {
    log(last_stamp_, event::power_up);
    if (settings_.image_memory != nullptr)
        if (auto image = settings_.image_memory->restore()) rare().image = std::move(image);
    if (settings_.prepaid) install_prepaid();
}

Registers Meter::registers(Instant at) const { return start_ + ledger_.at(at); }

Instant Meter::next_capture() const {
    const Instant since = std::max(last_stamp_, clock_.settings().back().shown);
    const auto number = epoch_us(since) / Duration{period}.count();
    return clock_.true_time(from_epoch_us((number + 1) * Duration{period}.count()));
}

void Meter::advance(Instant now) {
    while (true) {
        const Instant row = next_capture();
        const auto due = rare_ ? next_due() : std::nullopt;
        if (std::min(row, due ? due->at : never) > now) return;
        if (due && due->at < row) {
            carry_out(*due);
            continue;
        }
        const auto shown = epoch_us(clock_.shown(row));
        capture(row, from_epoch_us(shown - shown % Duration{period}.count()));
        latest_ = std::max(latest_, row);
        if (rare_) watch_limit(row);
    }
}

std::uint32_t Meter::cell(const ProfileColumn& column, const Energies& row, const Registers& present,
                          bool snapshot, Instant true_time) const {
    if (column.type == CellType::unsigned8) return status_;
    const auto& groups = column.object.object.groups;
    if (groups[3] == 27)
        return static_cast<std::uint32_t>(groups[2] == 12 ? electrical(0, true_time).decivolts
                                                          : electrical(0, true_time).centiamperes);
    if (!snapshot) return on_wire(counted(row, groups[2]));
    return on_wire(counted(groups[4] == 1   ? present.day
                           : groups[4] == 2 ? present.night
                                            : present.total(),
                           groups[2]));
}

void Meter::capture(Instant true_time, Instant stamp) {
    const Registers present = registers(true_time);
    const Energies row = present.total() - last_registers_.total();
    if (truth_ != nullptr) truth_->record(settings_.number, stamp, row);

    if (!closed(true_time)) status_ |= profile_status_bit::disconnected;
    const auto cells = [&](const Profile& profile, bool snapshot) {
        std::vector<std::uint32_t> values;
        for (std::size_t i = 1; i < profile.columns().size(); ++i)
            values.push_back(cell(profile.columns()[i], row, present, snapshot, true_time));
        return values;
    };
    load_profile_.append({stamp, cells(load_profile_, false)});
    last_import_ = on_wire(row.channels[0]);

    if (epoch_us(stamp) / 86'400'000'000 != epoch_us(last_stamp_) / 86'400'000'000)
        daily_.append({stamp, cells(daily_, true)});
    const auto quarter = static_cast<std::uint64_t>(interval_of(stamp));
    if (draw(settings_.seed, sag, settings_.number.integer(), quarter) % 400 == 0)
        log(stamp - std::chrono::seconds{within(
                        draw(settings_.seed, sag_second, settings_.number.integer(), quarter), 1, 300)},
            event::voltage_sag);
    last_stamp_ = stamp;
    last_registers_ = present;
    status_ = 0;
}

void Meter::log(Instant stamp, std::uint8_t event) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(stamp);
    events_.append({whole, {event}});
    last_event_ = event;
}

Meter::Electrical Meter::electrical(int phase, Instant now) const {
    const auto key =
        static_cast<std::uint64_t>(epoch_us(now) / 10'000'000) << 2 | static_cast<unsigned>(phase);
    const Energies flow = closed(now) ? load_.nominal(interval_of(now)) : Energies{};
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

std::int64_t Meter::watts(Instant now) const {
    std::int64_t sum = 0;
    for (int phase = 0; phase < phases(); ++phase) sum += electrical(phase, now).watts;
    return sum;
}

std::int64_t Meter::watt_hours_since_capture(Instant now) const {
    return registers(now).total().channels[0] - last_registers_.total().channels[0];
}

std::uint32_t Meter::last_average_watts() const { return last_import_ * rows_per_hour; }

Meter::Demand Meter::maximum_demand(Instant now) const {
    const auto month_of = [](Instant at) {
        const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(at)};
        return date.year() / date.month();
    };
    const auto& columns = load_profile_.columns();
    const auto import = std::find_if(columns.begin() + 1, columns.end(), [](const ProfileColumn& column) {
        return column.object.class_id == 3 && column.object.object.groups[2] == 1;
    });
    Demand greatest;
    if (import == columns.end()) return greatest;
    const auto index = static_cast<std::size_t>(import - columns.begin()) - 1;
    const auto month = month_of(clock_.shown(now));
    for (const auto& row : load_profile_.rows()) {
        if (month_of(row.stamp) != month) continue;
        const std::uint32_t average = row.cells[index] * rows_per_hour;
        if (average > greatest.watts || greatest.at == Instant{}) greatest = {average, row.stamp};
    }
    return greatest;
}

}  // namespace wattmesh::sim
