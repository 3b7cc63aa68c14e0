#include "headend/monitor/bus_meter.h"

#include <algorithm>
#include <cmath>

namespace wattmesh::headend::monitor {

namespace {

using Verdict = modbus::MapCheck::Verdict;

constexpr double raw_max = 1e15;  // ingest refuses more

/// In the channel's unit.
std::optional<std::int64_t> raw_of(double value, int scaler) {
    const double raw = std::round(value * std::pow(10.0, -scaler));
    if (!std::isfinite(raw) || std::abs(raw) > raw_max) return std::nullopt;
    return static_cast<std::int64_t>(raw);
}

}  // namespace

Instant quarter_of(Instant asked) {
    return Instant{BusMeter::period * (asked.time_since_epoch() / BusMeter::period)};
}

BusMeter::BusMeter(const database::BusMeter& known) : known_(known), last_(known.last) {
    std::erase_if(known_.polled, [](const auto& channel) {
        return channel.channel < 1 || channel.channel > int{dcu::IntervalRow::channel_count_max};
    });
    if (last_) closed_ = last_->at;
    if (known_.map.empty()) {
        fills_ = known_.polled.size();
        return;
    }
    const auto* map = modbus::find_map(known_.map);
    if (map == nullptr) return;
    map_ = *map;
    if (known_.place.order) map_->order = modbus::word_order_named(*known_.place.order).value_or(map_->order);
    if (known_.place.base) map_->base = static_cast<std::uint16_t>(*known_.place.base);
    for (const auto& channel : known_.polled)
        fills_ += std::ranges::count(map_->points, channel.register_, &modbus::Point::quantity) > 0 ? 1 : 0;
}

bool BusMeter::judge(const modbus::Read& read, std::span<const std::uint16_t> registers) {
    if (verdict_ == Verdict::fits) return false;
    const auto check = modbus::check_map(*map_, read.start, registers);
    if (check.verdict == Verdict::untold || check.verdict == verdict_) return false;
    verdict_ = check.verdict;
    why_ = check.why;
    return true;
}

void BusMeter::take(const ObisCode& quantity, double value, Instant asked) {
    const Instant at = quarter_of(asked);
    if (at <= closed_ || asked - at > late_max) return;
    if (open_ && open_->at != at) close();
    if (!open_) {
        open_ = dcu::IntervalRow{.at = at, .status = 0, .channels = 0};
        for (const auto& channel : known_.polled)
            open_->channels = std::max(open_->channels, static_cast<std::uint8_t>(channel.channel));
    }
    std::size_t filled = 0;
    for (const auto& channel : known_.polled) {
        auto& cell = open_->values[static_cast<std::size_t>(channel.channel - 1)];
        if (channel.register_ == quantity && !cell) cell = raw_of(value, channel.scaler);
        filled += cell ? 1 : 0;
    }
    if (filled == fills_) close();
}

void BusMeter::tick(Instant now) {
    if (open_ && now - open_->at > late_max) close();
}

void BusMeter::close() {
    Rows rows{*std::exchange(open_, std::nullopt), {}, {}};
    closed_ = rows.polled.at;
    rows.interval = rise(rows.polled, rows.fault);
    last_ = rows.polled;
    if (waiting_.size() >= rows_max) {
        ++dropped_;
        waiting_.erase(waiting_.begin() + 1);  // the first may be on its way
    }
    waiting_.push_back(std::move(rows));
}

/// Nothing where there is no neighbour, or a counter has not been read; a fault where one ran backwards.
std::optional<dcu::IntervalRow> BusMeter::rise(const dcu::IntervalRow& row, std::string& fault) const {
    if (!last_ || last_->at != row.at - period) return std::nullopt;
    dcu::IntervalRow out{.at = row.at, .status = 0, .channels = 0};
    for (const auto& wanted : known_.interval) {
        const auto counter =
            std::ranges::find(known_.polled, wanted.register_, &database::BusChannel::register_);
        if (counter == known_.polled.end() || counter->scaler != wanted.scaler || wanted.channel < 1 ||
            wanted.channel > int{dcu::IntervalRow::channel_count_max})
            continue;
        const auto place = static_cast<std::size_t>(counter->channel - 1);
        if (!row.values[place] || !last_->values[place]) continue;
        const std::int64_t amount = *row.values[place] - *last_->values[place];
        if (amount < 0) {
            fault = "counter " + to_string(wanted.register_) + " ran backwards by " + std::to_string(-amount);
            continue;
        }
        out.values[static_cast<std::size_t>(wanted.channel - 1)] = amount;
        out.channels = std::max(out.channels, static_cast<std::uint8_t>(wanted.channel));
    }
    if (out.channels == 0) return std::nullopt;
    return out;
}

}  // namespace wattmesh::headend::monitor
