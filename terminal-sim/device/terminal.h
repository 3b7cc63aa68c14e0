#pragma once
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <vector>

#include "protocol/gdw376/answer.h"
#include "protocol/gdw376/event.h"
#include "protocol/gdw376/exchange.h"
#include "protocol/gdw376/measurement.h"
#include "protocol/gdw376/parameters.h"
#include "terminal-sim/device/dlt645_meter.h"
#include "terminal-sim/device/polled_truth.h"

namespace wattmesh::sim {

/// A concentrator that speaks Q/GDW 376.1, with DL/T 645-2007 meters behind it: what it answers, without
/// sockets. It knows the meters of its own list (F10) only, which the master writes; it denies AFN 03 and 06
/// and what it has not, and answers in several frames where one is too small.
class Terminal {
public:
    struct Settings {
        gdw376::Address address;
        Duration utc_offset = std::chrono::hours{8};  ///< of the wall clock that it keeps
        Duration clock_off{};                         ///< at first
        /// Denies all setting (04, 05) and wants the proof of a security chip (06) instead.
        bool demands_chip = false;
        std::set<std::uint16_t> relay_only;  ///< points that it does not answer for by itself
        std::size_t user_max = 256;          ///< octets of data units in one frame
    };
    /// `meters` by point; null is a dead one, and all outlive it. `polled` hears what is answered of now,
    /// before any encoding; may be null.
    Terminal(Settings settings, std::map<std::uint16_t, const Dlt645Meter*> meters, PolledTruth* polled);
    /// Appends what it said of frozen days (bank 2) and curves (bank 4):
    /// "bank,meter,at_epoch_s,channel,value". Throws std::runtime_error naming the file.
    void tell_frozen(const std::filesystem::path& file);

    /// Frames to send for one that came; none for confirmations.
    std::vector<gdw376::Frame> answer(const gdw376::Frame& asked, Instant now);
    gdw376::Frame login(std::uint8_t sequence) const;
    gdw376::Frame heartbeat(std::uint8_t sequence) const;
    /// Notes an event; the frame reports it.
    gdw376::Frame happen(std::uint8_t code, Instant now, std::uint8_t sequence);
    Instant shown_time(Instant now) const { return now + clock_off_; }
    const gdw376::MeterList& list() const { return list_; }
    std::size_t events() const { return events_.size(); }

private:
    using Frames = std::vector<gdw376::Frame>;
    std::optional<std::vector<Buffer>> values(const gdw376::Frame& asked, Instant now);
    std::optional<gdw376::Measurement> measure(gdw376::Afn afn, const gdw376::Query& query, Instant now);
    gdw376::Measurement now_reading(const gdw376::Query& query, const Dlt645Meter* meter, Instant now);
    gdw376::Measurement frozen_reading(const gdw376::Query& query, const Dlt645Meter* meter, Instant now);
    gdw376::Measurement curve(const gdw376::Query& query, const Dlt645Meter* meter, Instant now);
    bool set(const gdw376::Frame& asked, Instant now);
    Frames parameters(const gdw376::Frame& asked) const;
    Frames relay(const gdw376::Frame& asked, Instant now);
    Frames in_frames(const gdw376::Frame& asked, const std::vector<Buffer>& units) const;
    gdw376::EventCounters counters() const;
    void tell(int bank, const Dlt645Meter& meter, Instant at, int channel, double value);
    const Dlt645Meter* meter_at(std::uint16_t point) const;
    gdw376::WallTime wall(Instant at) const;
    Instant instant(const gdw376::WallTime& wall) const;

    Settings settings_;
    std::map<std::uint16_t, const Dlt645Meter*> meters_;
    PolledTruth* polled_;
    std::ofstream frozen_;
    Duration clock_off_;
    gdw376::MeterList list_;
    std::map<std::pair<std::uint16_t, std::uint16_t>, gdw376::Parameter> parameters_;  ///< by item and point
    std::vector<gdw376::Event> events_;
    bool wants_proof_ = false;
};

}  // namespace wattmesh::sim
