#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/network.h"
#include "headend/database/read_completeness.h"

namespace wattmesh::headend::database {

/// A node as a list shows it, with what hangs under it now.
struct NodeLine {
    NetworkNode node;
    int below = 0;                               ///< nodes right under it
    int usage_points = 0, meters = 0;            ///< all the way down; meters: customers' that are installed
    std::optional<DeviceNumber> meter{};         ///< at this very place
    std::optional<DeviceNumber> concentrator{};  ///< of a transformer
    std::string customer{};                      ///< name, of a usage point; empty: nobody
};
/// A meter's time at a place. What its energy register stood at when it was put in or taken out, where noted.
struct MeterAt {
    MeterId id;
    DeviceNumber meter;
    Instant from{};
    std::optional<Instant> to;  ///< nothing: it is there
    std::optional<std::int64_t> start_wh, final_wh;
};
struct SuppliedAt {
    Customer customer;
    Instant from{};
    std::optional<Instant> to;
};
/// Where a meter is, and whom it supplies.
struct MeterSite {
    std::vector<NetworkNode> path;  ///< from the substation down to the place itself
    std::optional<Customer> customer;
    Instant since{};
};
/// A transformer's local day: what its summary meter measured against its customers' meters, by connection.
struct TransformerDay {
    NetworkNode transformer;
    std::optional<std::int64_t> supplied_wh;  ///< nothing: no summary meter, or it was not read all day
    std::int64_t consumed_wh = 0;             ///< of the meters that were read
    int meters = 0, meters_complete = 0;      ///< customers' meters that hung there all day; read completely
    bool complete() const { return supplied_wh && meters > 0 && meters == meters_complete; }
};

/// What the pages show of the network. Read only; everything at `now` unless it is a history.
class NetworkReader {
public:
    explicit NetworkReader(Connection& connection) : connection_(connection) {}

    /// What hangs right under `parent`, by number; without one, what hangs on nothing.
    std::vector<NodeLine> below(std::optional<NodeId> parent);
    /// From the substation down to the node itself.
    std::vector<NetworkNode> path(NodeId node);
    /// Newest first.
    std::vector<MeterAt> meters(NodeId node);
    std::vector<SuppliedAt> supplies(NodeId usage_point);
    std::optional<MeterSite> site(MeterId meter);
    std::optional<NetworkNode> transformer_of(ConcentratorId concentrator);
    std::optional<DeviceNumber> concentrator_at(NodeId transformer);
    /// The utility's local day that begins on this date, worst loss first. From aggregates, so it lags by
    /// their worker.
    std::vector<TransformerDay> losses(TenantId tenant, UtcDay local_day);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
