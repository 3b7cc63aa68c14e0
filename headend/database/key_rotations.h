#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/keys.h"

namespace wattmesh::headend::database {

using KeyRotationId = Id<struct KeyRotationTag, std::int64_t>;

struct KeyRotationOrder {
    KeyRotationId id;
    DeviceNumber meter;
    std::string kinds;  ///< what is left to do, with commas
    std::string actor, reason;
    int attempts = 0;
    std::optional<Instant> finished;
    std::string trouble;  ///< why the last attempt stopped; of a finished order: empty when it did all
    std::string report;   ///< a line for each kind that ended; never a key
};

/// Table key_rotation: orders to replace keys of meters, done by the monitor role, at most one open for each
/// meter.
class KeyRotations {
public:
    explicit KeyRotations(Connection& connection) : connection_(connection) {}

    /// Nothing when one is open for this meter.
    std::optional<KeyRotationId> order(MeterId meter, const std::string& kinds, const std::string& actor,
                                       const std::string& reason, Instant now);
    std::optional<KeyRotationOrder> find(KeyRotationId id);
    /// Open ones whose time has come, oldest first: for the caller alone until `until`, or until he postpones
    /// them. Two rotations of one meter at once could lose its key.
    std::vector<KeyRotationOrder> claim(Instant now, Instant until, int count);
    /// One kind ended, in the caller's transaction.
    void ended(KeyRotationId id, const std::string& kinds_left, const std::string& line);
    /// One attempt more, and the next not before `next`.
    void postpone(KeyRotationId id, Instant next, const std::string& trouble);
    void finish(KeyRotationId id, Instant now, const std::string& trouble);

private:
    Connection& connection_;
};

/// Table meter_key_pending: keys on their way to a meter, sealed as for their place in meter_key.
class PendingKeys {
public:
    explicit PendingKeys(Connection& connection) : connection_(connection) {}

    std::optional<Buffer> find(MeterId meter, KeyPurpose purpose);
    void put(MeterId meter, KeyPurpose purpose, Bytes sealed, Instant now);
    /// Takes the place of the current key, in the caller's transaction. False when there is none.
    bool promote(MeterId meter, KeyPurpose purpose, Instant now);
    void drop(MeterId meter, KeyPurpose purpose);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
