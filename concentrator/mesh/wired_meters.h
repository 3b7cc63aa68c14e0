#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "protocol/collector/message.h"

namespace wattmesh::concentrator {

/// Where a wired meter is reached.
struct WiredPlace {
    DeviceNumber collector;
    std::uint8_t sub = 0;
    Instant heard{};    ///< on the wire, as the collector says, or by an answer that came over it
    int failures = 0;   ///< requests in a row that brought nothing
    bool lost = false;  ///< the head-end knows that it does not answer any more
};

/// Which meters hang on which collectors, by the collectors' tables. A collector's word alone counts for
/// little: it names only meters it has heard later than whoever has them now, a claim over which two requests
/// fail loses against a way over radio, and a meter that two collectors claim in turn stays where it answers.
class WiredMeters {
public:
    /// What a table changed.
    struct Change {
        enum class Kind : std::uint8_t {
            arrived,   ///< place() of `meter` is new
            left,      ///< it has no place on any wire any more
            unknown,   ///< not on our list
            contested  ///< two claim it in turn; it stays where it is
        } kind{};
        DeviceNumber meter;
    };
    /// What the concentrator knows of a meter besides.
    struct Radio {
        bool listed = false;
        bool joined = false;  ///< there may be a way over radio
        Instant proved{};     ///< last join or answered read over radio
    };

    void set_collectors(std::vector<DeviceNumber> collectors);
    bool is_collector(DeviceNumber number) const { return collectors_.contains(number); }

    /// One page that collector sent in answer to a request from `first` on. Changes come with the last page.
    template <class RadioOf>
    std::vector<Change> page(DeviceNumber collector, std::uint8_t first, const collector::TablePage& page,
                             const RadioOf& radio_of, Instant now) {
        if (!store(collector, first, page, now)) return {};
        return judge(radio_of, now);
    }
    /// Looks at all tables again: after a change of the list.
    template <class RadioOf>
    std::vector<Change> judge(const RadioOf& radio_of, Instant now) {
        std::vector<Change> changes;
        drop_missing(changes);
        for (const auto& claim : claims()) judge(claim, radio_of(claim.meter), now, changes);
        std::erase_if(changes, [&](const Change& change) {  // it only went from wire to wire
            return change.kind == Change::Kind::left && places_.contains(change.meter);
        });
        return changes;
    }

    WiredPlace* place(DeviceNumber meter);
    const WiredPlace* place(DeviceNumber meter) const { return const_cast<WiredMeters*>(this)->place(meter); }
    const std::map<DeviceNumber, WiredPlace>& places() const { return places_; }
    /// The meter was heard by radio, in a way that only its own key or a restart of its node explains.
    /// True: it had a place on a wire, and has none any more.
    bool seen_on_radio(DeviceNumber meter, Instant now);
    /// A request over the wire brought an answer, or nothing. True: the place was given up for another way;
    /// judge() then.
    void answered(DeviceNumber meter, Instant now);
    bool failed(DeviceNumber meter, const Radio& radio, Instant now);

    /// The way over radio is no better: claims that were distrusted count again. True: there are any.
    bool forgive(DeviceNumber meter);

    // When which table is asked for.
    /// The collector has told a generation; fetch when it is not the one we have.
    void generation_told(DeviceNumber collector, std::uint16_t generation, Instant now);
    /// It is in the mesh: fetch, if we have no table of it.
    void collector_heard(DeviceNumber collector, Instant now);
    void fetch_now(DeviceNumber collector, Instant now);
    void fetch_failed(DeviceNumber collector, Instant now);
    struct Fetch {
        DeviceNumber collector;
        std::uint8_t first = 1;
    };
    /// A table that is due and not being fetched; it counts as being fetched then.
    std::optional<Fetch> take_fetch(Instant now);
    Instant next_fetch() const;
    std::uint8_t refused(DeviceNumber collector) const;

private:
    struct Row {
        std::uint8_t sub = 0;
        Instant heard{};  ///< epoch: not since the collector started
    };
    struct Table {
        bool known = false;
        std::uint16_t generation = 0;
        std::map<DeviceNumber, Row> rows, incoming;
        std::uint16_t incoming_generation = 0;
        std::uint8_t next = 1;  ///< page to fetch
        std::uint8_t refused = 0;
        Instant fetch_at = never, fetched{};
        bool fetching = false;
        int restarts = 0;
    };
    struct Claim {
        DeviceNumber meter, collector;
        Row row;
    };
    struct Dispute {
        int moves = 0;
        Instant since{}, frozen_until{};
        std::map<DeviceNumber, Instant> distrusted;  ///< collectors, until
    };

    bool store(DeviceNumber collector, std::uint8_t first, const collector::TablePage& page, Instant now);
    void drop_missing(std::vector<Change>& changes);
    std::vector<Claim> claims() const;
    void judge(const Claim& claim, const Radio& radio, Instant now, std::vector<Change>& changes);

    std::map<DeviceNumber, Table> collectors_;
    std::map<DeviceNumber, WiredPlace> places_;
    std::map<DeviceNumber, Dispute> disputes_;  ///< of meters that have a place or had one
};

}  // namespace wattmesh::concentrator
