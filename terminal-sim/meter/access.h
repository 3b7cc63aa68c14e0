#pragma once
#include "protocol/cosem/models/models.h"
#include "protocol/dlms/association_form.h"
#include "protocol/dlms/server.h"
#include "security/certificate_folder.h"
#include "terminal-sim/meter/counter_file.h"
#include "terminal-sim/meter/push_order.h"

namespace wattmesh::sim {

/// Largest APDU a meter sends over radio; longer answers use block transfer.
inline constexpr std::uint16_t radio_pdu_size_max = 200;

/// A meter has two slots in a counter file: management, then reading.
constexpr std::size_t management_slot(std::size_t meter) { return meter * 2; }
constexpr std::size_t reading_slot(std::size_t meter) { return meter * 2 + 1; }

/// Keys and password live here and in the server; wiped with them.
struct AccessKeys {
    std::optional<dlms::ClientKeys> management;  ///< needed over radio; its master key wraps new keys of both
    std::optional<dlms::ClientKeys> reading;     ///< needed over radio
    Buffer lls_password;                         ///< of the reading client at the bench
    Buffer hls_secret{};                         ///< of the management client: HLS 3, 4 and 6
    dlms::Suite suite = dlms::Suite::zero;       ///< of the management client
    /// Of the management client at the bench. As long as its certificates are not all there and valid:
    /// HLS-GMAC without any, so that they can be brought in.
    dlms::AssociationForm form{};
    const security::CertificateFolder* certificates = nullptr;  ///< outlives the servers

    /// Adds both ends' certified keys. False when one that `form` needs is missing.
    bool certify(dlms::SecuritySettings& settings) const;
    ~AccessKeys() {
        dlms::wipe(lls_password);
        dlms::wipe(hls_secret);
    }
};

/// Over radio: reading client pre-established and ciphered, bound to its concentrator's title; management
/// client HLS-GMAC; public client without security.
std::vector<dlms::ClientAccess> radio_access(const AccessKeys& keys, SystemTitle concentrator,
                                             CounterFile& counters, std::size_t meter);
/// At the bench (TCP): public client without security, reading client LLS, management client HLS-GMAC. A
/// client without key or password is left out. SAPs are the model's.
std::vector<dlms::ClientAccess> bench_access(const AccessKeys& keys, CounterFile& counters, std::size_t meter,
                                             const cosem::MeterModel& model = cosem::models::generic);

/// What a meter pushes as it goes on the wire: plain, or as general-glo-ciphering under the management
/// client's keys and counters. Nothing without keys, or when the counter is used up.
std::optional<Buffer> protected_push(const PushOrder& order, const AccessKeys& keys, SystemTitle own,
                                     Ciphers& ciphers, CounterFile& counters, std::size_t meter);

}  // namespace wattmesh::sim
