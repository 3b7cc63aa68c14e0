#pragma once
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/dlms/object.h"
#include "protocol/dlms/security.h"

namespace wattmesh::dlms {

/// What one client SAP may do at a server.
struct ClientAccess {
    Sap client;
    Mechanism mechanism = Mechanism::none;
    Buffer password;        ///< LLS password, or the secret of HLS 2, 3, 4 and 6
    bool ciphered = false;  ///< only protected APDUs are taken, as `security` says
    bool pre_established = false;
    std::optional<ClientKeys> keys;
    /// In place of keys: makes the protection of each association. Keys and counters are its own business.
    ProtectionFactory protection;
    /// Suite, framing, policy, curves. Mechanism and secret in it are taken from above; answers go out as the
    /// question came.
    SecuritySettings security;
    /// A replayed counter is answered with exception-response 1/6 and the counter we expect. Never a forged
    /// one.
    bool tells_expected_counter = false;
    std::optional<SystemTitle>
        client_title;  ///< needed when pre-established and ciphered; else from the AARQ
    /// Pre-established: whoever holds the keys may come under a title of its own when it names it
    /// (general-glo-ciphering). `client_title` is who does not name any.
    bool named_titles = false;
    std::uint16_t pdu_size_max = 0xFFFF;  ///< largest APDU we send to this client (block transfer above)
    std::size_t transfer_size_max = 256 * 1024;  ///< bound of what comes in blocks, octets
    std::uint8_t block_window = 8;               ///< general blocks this client may send in one go, 1 to 63
    CounterStore* send = nullptr;                ///< needed when ciphered or HLS; outlive the server
    CounterStore* receive = nullptr;
    ~ClientAccess() { wipe(password); }
};

struct ServerCounters {
    std::uint64_t requests = 0, refused_associations = 0, not_authentic = 0, replayed = 0, malformed = 0;
    std::uint64_t dropped = 0;  ///< came while another request of the same client was open
};

/// DLMS server (one logical device, several client associations) as sans-IO state.
class Server {
public:
    Server(SystemTitle title, std::vector<ClientAccess> clients, ObjectModel& model, Ciphers& ciphers,
           Random& random);
    ~Server();
    /// One request APDU in; `reply` is called at once or later with the answer APDU, or never when there is
    /// nothing to say (unknown SAP, forged frame), or several times for a window of general blocks. A request
    /// that comes while another of the same client is open is dropped and counted.
    void handle(Sap client, Bytes apdu, Instant now, std::function<void(Buffer)> reply);
    /// The link of this client broke: its association and open transfer are forgotten.
    void disconnect(Sap client);
    bool associated(Sap client) const;
    /// A key that came by key transfer: in force as soon as the answer in hand has gone out under the old
    /// ones, or at once when none is. A new encryption key restarts the counters. False for a client that is
    /// unknown or has no keys here, or a key of another suite.
    bool replace_keys(Sap client, KeyKind kind, const SymmetricKey& key);
    const ServerCounters& counters() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// DataNotification, plain (tag 0F; Green Book 9.5).
Buffer encode_data_notification(std::uint32_t invoke, const Data& body);

}  // namespace wattmesh::dlms
