#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

using NodeId = Id<struct NetworkNodeTag, std::int64_t>;
using CustomerId = Id<struct CustomerTag, std::int64_t>;

/// Each hangs on one of the kind before it (IEC 61970-301 and 61968-9 words).
enum class NodeKind : std::uint8_t { substation = 1, feeder, transformer, usage_point };
std::string_view to_string(NodeKind kind);
std::optional<NodeKind> parse_node_kind(std::string_view word);

/// WGS 84, degrees x 10^7.
struct Position {
    std::int32_t latitude_e7 = 0, longitude_e7 = 0;
    bool operator==(const Position&) const = default;
};
std::string to_string(const Position& position);

/// A piece of the network as it is wired.
struct NetworkNode {
    NodeId id;
    AreaId area;
    NodeKind kind{};
    std::string number;  ///< the utility's own
    std::string name;
    std::optional<Position> position{};
};

struct Customer {
    CustomerId id;
    AreaId area;
    std::string number, name, address, phone;
};

/// Which two things are tied for a time.
enum class TieKind : std::uint8_t {
    link,          ///< a node to the one that it hangs on
    installation,  ///< a meter to a usage point or a transformer, alone there
    site,          ///< a concentrator to a transformer, alone there
    supply,        ///< a usage point to a customer
};
/// A tie that holds: the row ids of both ends, and since when.
struct Tie {
    std::int64_t child = 0, parent = 0;
    Instant from{};
};

/// The tables of the network. On a connection of the console they show what it is limited to.
class Network {
public:
    Network(Connection& connection, TenantId tenant) : connection_(connection), tenant_(tenant) {}

    std::optional<NetworkNode> find(NodeKind kind, const std::string& number);
    std::optional<NetworkNode> find(NodeId id);
    NodeId add(const NetworkNode& node);
    void change(NodeId id, const std::string& name, const std::optional<Position>& position);

    std::optional<Customer> customer(const std::string& number);
    std::optional<Customer> customer(CustomerId id);
    CustomerId add(const Customer& customer);
    void change(const Customer& customer);

    std::optional<AreaId> area(const std::string& name);
    /// The tenant's only area; nothing when there are several.
    std::optional<AreaId> only_area();
    /// Midnight or the minute of "YYYY-MM-DD" or "YYYY-MM-DDTHH:MM" on the utility's clocks; nothing when the
    /// text is no such time.
    std::optional<Instant> local_instant(const std::string& text);

    /// The tie that holds.
    std::optional<Tie> of_child(TieKind kind, std::int64_t child);
    std::optional<Tie> of_parent(TieKind kind, std::int64_t parent);  ///< of installation and site
    /// A new tie may begin then or later: an older one of the child, or of a parent that has only one, lasted
    /// until then. What holds now does not count.
    Instant free_from(TieKind kind, const Tie& tie);
    void tie(TieKind kind, const Tie& tie, AreaId area, NodeKind parent_or_child = {});
    void end(TieKind kind, const Tie& tie, Instant at);

    /// What a meter's energy register (1.0.1.8.0.255) stood at when it was put in or taken out, in Wh.
    void note_register(MeterId meter, Instant at, std::int64_t wh, AreaId area);

private:
    Connection& connection_;
    TenantId tenant_;
};

}  // namespace wattmesh::headend::database
