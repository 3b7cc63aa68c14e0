#include "terminal-sim/meter/access.h"

#include <cassert>

namespace wattmesh::sim {

using namespace dlms;

namespace {

ClientAccess management_access(const AccessKeys& keys, CounterFile& counters, std::size_t meter) {
    ClientAccess access;
    access.client = management_client;
    access.mechanism = Mechanism::high_gmac;
    access.ciphered = true;
    access.keys = keys.management;
    access.security.suite = keys.suite;
    if (!keys.form.needs_certificates() || keys.certify(access.security)) {
        keys.form.apply(access.security);
        access.mechanism = keys.form.mechanism;
    }
    access.password = keys.hls_secret;
    access.send = &counters.send(management_slot(meter));
    access.receive = &counters.receive(management_slot(meter));
    return access;
}

}  // namespace

bool AccessKeys::certify(SecuritySettings& settings) const {
    using security::CertificateUse;
    if (certificates == nullptr) return false;
    auto signing = certificates->own_key(CertificateUse::signature);
    auto peer_signing = certificates->peer_key(CertificateUse::signature);
    if (!signing || peer_signing.empty()) return false;
    if (form.framing >= Framing::one_pass_dh) {
        auto agreement = certificates->own_key(CertificateUse::agreement);
        auto peer_agreement = certificates->peer_key(CertificateUse::agreement);
        if (!agreement || peer_agreement.empty()) return false;
        settings.agreement_key = std::move(agreement);
        settings.peer_agreement_key = std::move(peer_agreement);
    }
    settings.signing_key = std::move(signing);
    settings.peer_signing_key = std::move(peer_signing);
    return true;
}

std::vector<ClientAccess> radio_access(const AccessKeys& keys, SystemTitle concentrator,
                                       CounterFile& counters, std::size_t meter) {
    assert(keys.management && keys.reading);
    ClientAccess management = management_access(keys, counters, meter);
    management.pdu_size_max = radio_pdu_size_max;
    ClientAccess reading;
    reading.client = reading_client;
    reading.ciphered = reading.pre_established = true;
    reading.keys = keys.reading;
    reading.client_title = concentrator;
    reading.named_titles = true;  // it may roam to a neighbour of that one
    reading.pdu_size_max = radio_pdu_size_max;
    reading.send = &counters.send(reading_slot(meter));
    reading.receive = &counters.receive(reading_slot(meter));
    ClientAccess open;
    open.client = public_client;
    open.pdu_size_max = radio_pdu_size_max;
    return {management, reading, open};
}

std::vector<ClientAccess> bench_access(const AccessKeys& keys, CounterFile& counters, std::size_t meter,
                                       const cosem::MeterModel& model) {
    ClientAccess open, reading;
    open.client = model.public_client.client;
    std::vector<ClientAccess> clients{open};
    reading.client = model.reading_client.client;
    reading.mechanism = Mechanism::low;
    reading.password = keys.lls_password;
    if (!keys.lls_password.empty()) clients.push_back(reading);
    if (keys.management) {
        clients.push_back(management_access(keys, counters, meter));
        clients.back().client = model.management_client.client;
    }
    return clients;
}

std::optional<Buffer> protected_push(const PushOrder& order, const AccessKeys& keys, SystemTitle own,
                                     Ciphers& ciphers, CounterFile& counters, std::size_t meter) {
    if (order.protection == 0) return order.apdu;
    if (!keys.management) return std::nullopt;
    SecuritySettings how;
    how.send = order.protection;
    how.framing = Framing::general;
    how.suite = keys.suite;
    const std::size_t slot = management_slot(meter);
    SecurityContext context{keys.management,        own, {}, ciphers, counters.send(slot),
                            counters.receive(slot), how};
    return context.protect(order.apdu);
}

}  // namespace wattmesh::sim
