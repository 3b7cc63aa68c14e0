#include "terminal-sim/meter/held_keys.h"

#include <algorithm>
#include <utility>

#include "protocol/dlms/key_exchange.h"

namespace wattmesh::sim {

using namespace dlms;

HeldKeys::HeldKeys(const DeviceNumber& meter, AccessKeys factory, KeyFile& file, Ciphers& ciphers,
                   const cosem::MeterModel& model)
    : meter_(meter), keys_(std::move(factory)), file_(file), ciphers_(ciphers), model_(model) {
    for (const auto owner : {KeyOwner::management, KeyOwner::reading}) {
        auto& keys = keys_of(owner);
        if (!keys) continue;
        for (const auto& key : file_.of(meter_, owner)) keys->set(key.kind, key.key);
    }
}

std::optional<ClientKeys>& HeldKeys::keys_of(KeyOwner owner) {
    return owner == KeyOwner::management ? keys_.management : keys_.reading;
}

void HeldKeys::tell(const std::shared_ptr<Server>& server) {
    std::erase_if(servers_, [](const auto& known) { return known.expired(); });
    servers_.push_back(server);
}

bool HeldKeys::take(KeyOwner owner, const Data& argument) {
    auto& keys = keys_of(owner);
    if (!keys || !keys_.management || !keys_.management->master) return false;
    const auto master = ciphers_.key_wrap(*keys_.management->master);
    auto given = decode_key_transfer(argument, *master, keys_.suite);
    return given && keep(owner, std::move(*given));
}

std::optional<Data> HeldKeys::agree(KeyOwner owner, const Data& argument) {
    SecuritySettings how;
    if (owner != KeyOwner::management || !keys_of(owner) || keys_.suite == Suite::zero || !keys_.certify(how))
        return std::nullopt;
    const auto client = keys_.certificates->find(true, security::CertificateUse::signature);
    auto agreed = answer_key_agreement(ciphers_, argument, *how.signing_key, how.peer_signing_key,
                                       client->title, system_title(meter_));
    if (!agreed || !keep(owner, std::move(agreed->keys))) return std::nullopt;
    return std::move(agreed->answer);
}

bool HeldKeys::keep(KeyOwner owner, std::vector<TransferredKey> given) {
    auto& keys = keys_of(owner);
    // The meter has one master key, which its first security setup is about.
    const bool foreign = owner != KeyOwner::management && std::ranges::any_of(given, [](const auto& key) {
                             return key.kind == KeyKind::master;
                         });
    if (foreign) return false;
    std::erase_if(given, [&](const auto& key) { return holds(*keys, key.kind, key.key); });
    if (given.empty()) return true;
    file_.put(meter_, owner, given);
    const Sap client =
        owner == KeyOwner::management ? model_.management_client.client : model_.reading_client.client;
    for (const auto& key : given) {
        keys->set(key.kind, key.key);
        for (const auto& known : servers_)
            if (const auto server = known.lock()) server->replace_keys(client, key.kind, key.key);
    }
    return true;
}

}  // namespace wattmesh::sim
