#pragma once
#include <deque>

#include "headend/frontend/guard.h"
#include "headend/monitor/bus_meter.h"

namespace wattmesh::headend::monitor {

struct BusRowCounters {
    std::uint64_t rows = 0, batches = 0, failures = 0, lost_races = 0;
};

/// The rows of one polled meter, and what is to be told of it, on their way into the store: one batch at a
/// time, what is to be told first. The bus is the concentrator, each of its meters a journal whose sequence
/// is the number of the quarter hour, rows and cursor one transaction.
class BusRows {
public:
    /// Whose meters they are; outlives them.
    struct Owner {
        DeviceNumber number;
        OwnerEpoch epoch;
        frontend::Store& store;
        std::function<Instant()> now;
        /// The store knows a newer session; `stopped` is set then.
        std::function<void()> superseded;
        BusRowCounters& counters;
        bool stopped = false;
    };
    BusRows(const database::BusMeter& known, Owner& owner, Duration retry_first, Duration retry_longest);

    BusMeter meter;
    /// Dropped when four wait. The sequence is put in here.
    void tell(frontend::RejectedEntry rejected);
    void tell(dcu::Entry event);
    void store_next();

    /// The journal of such a meter's rows, and that of what is to be told about it.
    static JournalId journal_of(DeviceNumber meter);
    static JournalId reports_of(DeviceNumber meter);

private:
    /// One of the two.
    struct Report {
        std::optional<frontend::RejectedEntry> rejected;
        std::optional<dcu::Entry> event;
    };
    void store(Sequence cursor);
    void on_stored(frontend::StoreOutcome outcome, std::size_t rows);

    Owner& owner_;
    std::deque<Report> reports_;
    bool storing_ = false, storing_report_ = false;
    Instant store_at_{};
    frontend::Backoff backoff_;
    frontend::Guard guard_;
};

}  // namespace wattmesh::headend::monitor
