#pragma once
#include <memory>
#include <vector>

#include "protocol/dlms/server.h"
#include "terminal-sim/meter/access.h"
#include "terminal-sim/meter/key_file.h"

namespace wattmesh::sim {

/// The keys of one meter: what the factory put in, and what came by key transfer since. Tells the meter's
/// servers of every change, and each of them answers what it has in hand under the old keys.
class HeldKeys {
public:
    /// `file` and `ciphers` outlive it. `model` says under which SAPs the servers know the owners.
    HeldKeys(const DeviceNumber& meter, AccessKeys factory, KeyFile& file, Ciphers& ciphers,
             const cosem::MeterModel& model = cosem::models::generic);

    /// In force now, for a server that is made.
    const AccessKeys& keys() const { return keys_; }
    /// From now on it hears of changes, as long as it lives.
    void tell(const std::shared_ptr<dlms::Server>& server);

    /// Argument of key_transfer for the keys of `owner`, wrapped under the meter's master key: all of them
    /// are taken and kept, or none. A key that the meter has already changes nothing: its counters go on.
    bool take(KeyOwner owner, const dlms::Data& argument);
    /// key_agreement of the management client's keys, with the head-end's title: what the meter answers, and
    /// the agreed keys are kept. Nothing without certified signing keys of both ends, or when the argument is
    /// not the client's.
    std::optional<dlms::Data> agree(KeyOwner owner, const dlms::Data& argument);

private:
    std::optional<dlms::ClientKeys>& keys_of(KeyOwner owner);
    bool keep(KeyOwner owner, std::vector<dlms::TransferredKey> given);

    DeviceNumber meter_;
    AccessKeys keys_;
    KeyFile& file_;
    Ciphers& ciphers_;
    const cosem::MeterModel& model_;
    std::vector<std::weak_ptr<dlms::Server>> servers_;
};

}  // namespace wattmesh::sim
