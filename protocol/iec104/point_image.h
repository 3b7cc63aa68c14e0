#pragma once
#include <set>
#include <vector>

#include "protocol/iec104/asdu.h"

namespace wattmesh::iec104 {

struct PointKey {
    std::uint16_t common_address = 0;
    std::uint32_t address = 0;
    friend auto operator<=>(const PointKey&, const PointKey&) = default;
};

/// What a line of the point table says about one information object.
struct PointDefinition {
    PointKey key{};
    Type type{};              ///< as interrogated, without time; a command's type for what is only commanded
    int group = 0;            ///< interrogation group 1..16, counter group 1..4, 0: none
    double deadband = 0;      ///< a change must be larger, in the value's unit; below 0: never spontaneous
    Duration interval_min{};  ///< between two spontaneous reports; the last value wins
    bool writable = false;    ///< commands
    bool select_required = true;
};
/// Points and measured values: what a general interrogation shows.
bool is_monitored(Type type);
/// C_SC, C_DC, C_SE.
bool is_process_command(Type type);

struct PointState {
    Value value{};
    Quality quality{};
    Time56 time{};  ///< of the sample, not of its arrival
    bool operator==(const PointState&) const = default;
};

/// One report on its way to a master.
struct Event {
    PointKey key{};
    Type type{};  ///< without time
    PointState state{};
    Cause cause{};
};

/// The process image: every point with its last state, in the order of their keys. Until a state is set it is
/// invalid and zero.
class PointImage {
public:
    struct Point {
        PointDefinition definition{};
        PointState state{}, reported{};
        Instant reported_at = never;  ///< never: not yet
        Instant due = never;          ///< of a report that interval_min holds back
    };

    PointImage() = default;
    /// The first definition of a key holds; what comes again is left out.
    explicit PointImage(std::vector<PointDefinition> definitions);

    const std::vector<Point>& points() const { return points_; }
    std::optional<std::size_t> find(PointKey key) const;
    /// Index of the first point of a station, and the one behind its last.
    std::pair<std::size_t, std::size_t> range(std::uint16_t common_address) const;
    const std::vector<std::uint16_t>& stations() const { return stations_; }

    /// Takes over a state; an event when it is worth a report now. `cause` other than spontaneous: always.
    std::optional<Event> set(std::size_t index, const PointState& state, Instant now,
                             Cause cause = Cause::spontaneous);
    /// The reports that were held back and are due.
    std::vector<Event> due(Instant now);
    Instant wake() const { return held_.empty() ? never : held_.begin()->first; }
    /// The states of another image's points with the same key and type, as if they had been set here.
    void inherit(const PointImage& other);

private:
    Event report(std::size_t index, Instant now, Cause cause);
    void hold(std::size_t index, Instant until);
    void release(std::size_t index);

    std::vector<Point> points_;
    std::vector<std::uint16_t> stations_;
    std::set<std::pair<Instant, std::size_t>> held_;
};

}  // namespace wattmesh::iec104
