#pragma once
#include <optional>
#include <vector>

#include "headend/database/outage_facts.h"

namespace wattmesh::headend::database {

/// A transformer, or a part of what hangs on it, without power.
struct StoredOutage {
    std::int64_t id = 0;  ///< given by the database
    NodeId transformer;
    std::optional<NodeId> feeder;
    Instant from{};
    std::optional<Instant> to;
    bool whole = true;
    int customers = 0, reported = 0, silent = 0;
};
/// The same with the names that people know.
struct OutageRow {
    StoredOutage outage;
    std::string transformer, transformer_name, feeder;  ///< numbers; feeder empty when it is not the cause
};

/// Table outage, and what it is concluded from.
class Outages {
public:
    explicit Outages(Connection& connection) : connection_(connection) {}

    /// Words since an instant, and of the network what they are about. Of concentrators those that are away
    /// or came back since.
    OutageFacts facts(Instant since, Instant now);
    /// Those that ended after an instant or are not over, by beginning.
    std::vector<StoredOutage> since(Instant since);
    void add(const StoredOutage& outage);
    void change(const StoredOutage& outage);
    /// It turned out that there was none.
    void drop(std::int64_t id);

    /// Not over or ended after `from`, newest first.
    std::vector<OutageRow> list(Instant from, int count_max);
    /// Customers' meters that hang on a transformer now.
    int customers(Instant now);

private:
    void read_places(OutageFacts& facts, Instant since, Instant now);
    void read_absences(OutageFacts& facts, Instant since);

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
