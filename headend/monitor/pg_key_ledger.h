#pragma once
#include "headend/database/key_rotations.h"
#include "headend/database/meters.h"
#include "headend/monitor/rotation_order.h"
#include "protocol/dlms/key_rotation.h"
#include "security/master_key.h"

namespace wattmesh::headend::monitor {

/// Names a key without telling it: three octets of a digest, for people who compare.
std::string check_value(Ciphers& ciphers, const std::optional<SymmetricKey>& key);

/// Keys of one meter's management client in the database, wrapped under the head-end's master key, for one
/// order to replace them. Every change is one transaction, with its line in the audit log: who, why, and the
/// check values before and after. Belongs to the connection's thread.
class PgKeyLedger final : public dlms::KeyLedger {
public:
    struct Tools {
        const security::MasterKey& master;
        Ciphers& ciphers;
        Instant now;
    };
    /// The references outlive this object.
    PgKeyLedger(database::Connection& connection, const Tools& tools, const database::Meter& meter,
                const RotationOrder& order)
        : connection_(connection), tools_(tools), meter_(meter), order_(order) {}

    /// Empty when the keys that a rotation begins with are there; else no_key or no_master_key.
    std::string trouble() const;
    dlms::ClientKeys current() const override;
    std::optional<SymmetricKey> pending(dlms::KeyKind kind) const override;
    void set_pending(dlms::KeyKind kind, const SymmetricKey& key) override;
    void promote(dlms::KeyKind kind) override;
    void drop_pending(dlms::KeyKind kind) override;
    /// The meter refused a key of the order: for the report.
    void refused(dlms::KeyKind kind);

private:
    std::optional<SymmetricKey> find(database::KeyPurpose purpose) const;
    std::optional<SymmetricKey> open(database::KeyPurpose purpose, const std::optional<Buffer>& sealed) const;
    void audit(const std::string& action, const std::string& what);
    void ended(dlms::KeyKind kind, const std::string& line);

    database::Connection& connection_;
    const Tools& tools_;
    const database::Meter& meter_;
    const RotationOrder& order_;
};

}  // namespace wattmesh::headend::monitor
