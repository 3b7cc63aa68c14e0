#include "headend/monitor/pg_key_ledger.h"

#include <algorithm>
#include <stdexcept>

#include "headend/database/audit_log.h"
#include "headend/database/key_counters.h"
#include "headend/monitor/sealed_keys.h"

namespace wattmesh::headend::monitor {
namespace {

using database::KeyPurpose;
using dlms::KeyKind;

constexpr std::size_t check_size = 3;

KeyPurpose purpose_of(KeyKind kind) {
    switch (kind) {
        case KeyKind::unicast_encryption:
            return KeyPurpose::management_ek;
        case KeyKind::authentication:
            return KeyPurpose::management_ak;
        case KeyKind::broadcast_encryption:
            return KeyPurpose::management_broadcast;
        case KeyKind::master:
            return KeyPurpose::master;
    }
    throw std::logic_error("a key kind that does not exist");
}

}  // namespace

std::string check_value(Ciphers& ciphers, const std::optional<SymmetricKey>& key) {
    if (!key) return "none";
    Buffer named = to_buffer(as_bytes("wattmesh key check value"));
    named.insert(named.end(), key->reveal().begin(), key->reveal().end());
    const auto digest = ciphers.digest(Digest::sha256, named);
    security::wipe(named);
    return to_hex(Bytes{digest}.first(check_size));
}

std::optional<SymmetricKey> PgKeyLedger::open(KeyPurpose purpose, const std::optional<Buffer>& sealed) const {
    const auto plain =
        sealed ? tools_.master.unwrap(monitor::purpose_of(meter_.number, purpose), *sealed) : std::nullopt;
    const auto key = plain ? SymmetricKey::from(plain->reveal()) : std::nullopt;
    const bool fits = key && key->size() == dlms::key_size(static_cast<dlms::Suite>(meter_.suite));
    return fits ? key : std::nullopt;
}

std::optional<SymmetricKey> PgKeyLedger::find(KeyPurpose purpose) const {
    return open(purpose, database::Keys{connection_}.find(meter_.id, purpose));
}

std::string PgKeyLedger::trouble() const {
    if (!find(KeyPurpose::management_ek) || !find(KeyPurpose::management_ak)) return "no_key";
    return find(KeyPurpose::master) ? "" : "no_master_key";
}

dlms::ClientKeys PgKeyLedger::current() const {
    const auto encryption = find(KeyPurpose::management_ek), authentication = find(KeyPurpose::management_ak);
    if (!encryption || !authentication) throw std::runtime_error("a meter's keys went during their rotation");
    return {*encryption, *authentication, find(KeyPurpose::management_broadcast), find(KeyPurpose::master)};
}

std::optional<SymmetricKey> PgKeyLedger::pending(KeyKind kind) const {
    const auto purpose = purpose_of(kind);
    return open(purpose, database::PendingKeys{connection_}.find(meter_.id, purpose));
}

void PgKeyLedger::set_pending(KeyKind kind, const SymmetricKey& key) {
    const auto purpose = purpose_of(kind);
    const auto sealed = tools_.master.wrap(monitor::purpose_of(meter_.number, purpose), key.reveal());
    const auto before = check_value(tools_.ciphers, find(purpose)), after = check_value(tools_.ciphers, key);
    database::Transaction transaction{connection_};
    database::PendingKeys{connection_}.put(meter_.id, purpose, sealed, tools_.now);
    audit("key rotation", std::string{to_string(kind)} + " " + before + " is to become " + after);
    transaction.commit();
}

void PgKeyLedger::promote(KeyKind kind) {
    const auto purpose = purpose_of(kind);
    const auto what =
        check_value(tools_.ciphers, find(purpose)) + " -> " + check_value(tools_.ciphers, pending(kind));
    database::Transaction transaction{connection_};
    if (!database::PendingKeys{connection_}.promote(meter_.id, purpose, tools_.now))
        throw std::runtime_error("a pending key went during its rotation");
    // Under the new key the meter may count from the start; our own counters go on.
    if (kind == KeyKind::unicast_encryption) database::KeyCounters{connection_}.forget_received(meter_.id);
    audit("key replaced", std::string{to_string(kind)} + " " + what);
    ended(kind, std::string{to_string(kind)} + " replaced " + what);
    transaction.commit();
}

void PgKeyLedger::drop_pending(KeyKind kind) {
    const auto gone = check_value(tools_.ciphers, pending(kind));
    database::Transaction transaction{connection_};
    database::PendingKeys{connection_}.drop(meter_.id, purpose_of(kind));
    audit("key kept", std::string{to_string(kind)} + " " +
                          check_value(tools_.ciphers, find(purpose_of(kind))) + "; " + gone + " is dropped");
    transaction.commit();
}

void PgKeyLedger::refused(KeyKind kind) {
    database::Transaction transaction{connection_};
    ended(kind, std::string{to_string(kind)} + " refused by the meter, kept " +
                    check_value(tools_.ciphers, find(purpose_of(kind))));
    transaction.commit();
}

void PgKeyLedger::audit(const std::string& action, const std::string& what) {
    database::AuditLog{connection_}.append(
        {tools_.now, order_.actor, action, to_string(meter_.number), what + ": " + order_.reason});
}

void PgKeyLedger::ended(KeyKind kind, const std::string& line) {
    auto left = order_.kinds;
    std::erase(left, kind);
    database::KeyRotations{connection_}.ended(database::KeyRotationId{order_.id}, to_string(left),
                                              line + "\n");
}

}  // namespace wattmesh::headend::monitor
