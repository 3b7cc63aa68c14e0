#pragma once
#include <optional>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/obis.h"

namespace wattmesh::headend::database {

/// One versioned object of a concentrator (dcu/objects.h) as the head-end wants it.
struct DesiredObject {
    ObisCode object;
    std::uint32_t version = 0;
    Buffer content;                       ///< the object encoded with version 0
    std::uint32_t confirmed_version = 0;  ///< what was read back last; 0 = never
    std::optional<Instant> confirmed;
    bool pending() const { return confirmed_version != version; }
};

/// Table desired_object.
class DesiredStates {
public:
    explicit DesiredStates(Connection& connection) : connection_(connection) {}

    /// Wants this content; the version goes up by one only when the content differs from the stored one.
    std::uint32_t desire(ConcentratorId concentrator, const ObisCode& object, Bytes content, Instant now);
    std::optional<DesiredObject> find(ConcentratorId concentrator, const ObisCode& object);
    std::vector<DesiredObject> of(ConcentratorId concentrator);
    /// The concentrator was read back and holds `version`.
    void confirm(ConcentratorId concentrator, const ObisCode& object, std::uint32_t version, Instant now);
    /// The concentrator holds a version above ours (restored database): the next desire() starts above
    /// `version`.
    void overtake(ConcentratorId concentrator, const ObisCode& object, std::uint32_t version);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
