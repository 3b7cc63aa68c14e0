#pragma once
#include <deque>
#include <optional>
#include <string>

#include "headend/database/bus_units.h"
#include "headend/frontend/store.h"
#include "protocol/modbus/map_check.h"

namespace wattmesh::headend::monitor {

/// One polled meter, on a Modbus bus or behind a terminal: whether its register map is believed (a meter
/// behind a terminal has none), and the rows that its answers make. Each quarter
/// hour's end there is one row of polled registers: of each the first value that was asked for at or after
/// that instant, within a minute. A counter's rise between two neighbouring rows is the row of the load
/// profile; where a row is missing there is none, nothing is estimated.
class BusMeter {
public:
    static constexpr Duration period = std::chrono::minutes{15};
    static constexpr Duration late_max = std::chrono::minutes{1};
    static constexpr std::size_t rows_max = 96;  ///< that wait for the store

    explicit BusMeter(const database::BusMeter& known);

    const DeviceNumber& number() const { return known_.number; }
    std::uint8_t unit() const { return static_cast<std::uint8_t>(known_.place.unit); }
    /// Null where the model names a map that this program does not have.
    const modbus::RegisterMap* map() const { return map_ ? &*map_ : nullptr; }

    /// The registers of one answer, before anything of it is believed. True when this one decided.
    bool judge(const modbus::Read& read, std::span<const std::uint16_t> registers);
    modbus::MapCheck::Verdict verdict() const { return verdict_; }
    const std::string& why() const { return why_; }
    /// A value of a meter whose map fits. `asked`: when its request was sent, or when the terminal read it.
    void take(const ObisCode& quantity, double value, Instant asked);
    /// More does not come for the open row.
    void finish() {
        if (open_) close();
    }
    /// Closes a row that is whole or waits too long.
    void tick(Instant now);

    /// The rows of a quarter hour that wait for the store, oldest first.
    struct Rows {
        dcu::IntervalRow polled;
        std::optional<dcu::IntervalRow> interval;
        std::string fault;  ///< why there is no interval although there should be one
    };
    std::deque<Rows>& waiting() { return waiting_; }
    std::uint64_t dropped() const { return dropped_; }

private:
    void close();
    std::optional<dcu::IntervalRow> rise(const dcu::IntervalRow& row, std::string& fault) const;

    database::BusMeter known_;
    std::optional<modbus::RegisterMap> map_;
    modbus::MapCheck::Verdict verdict_{};
    std::string why_;
    std::optional<dcu::IntervalRow> open_;  ///< the row that is being filled
    std::optional<dcu::IntervalRow> last_;
    Instant closed_{};       ///< rows up to here are made
    std::size_t fills_ = 0;  ///< channels that the map has
    std::deque<Rows> waiting_;
    std::uint64_t dropped_ = 0;
};

/// The instant whose row a value belongs to that was asked for at `asked`.
Instant quarter_of(Instant asked);

}  // namespace wattmesh::headend::monitor
