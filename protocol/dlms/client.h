#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/dlms/access.h"
#include "protocol/dlms/object.h"
#include "protocol/dlms/quirks.h"
#include "protocol/dlms/security.h"
#include "protocol/dlms/short_name.h"

namespace wattmesh::dlms {

/// How one client talks to one server (LN referencing). Secrets are wiped with the struct.
struct ClientConfig {
    Mechanism mechanism = Mechanism::none;
    Buffer password;               ///< LLS password, or the secret of HLS 2, 3, 4 and 6; empty otherwise
    bool ciphered = false;         ///< APDUs are protected as `security` says (needs keys or protection)
    bool dedicated_key = false;    ///< a key of its own for each association, made by us
    bool pre_established = false;  ///< no AARQ: associated from the start
    std::optional<ClientKeys> keys;
    /// In place of keys: a protection that somebody else keeps. Its association is this client's.
    std::shared_ptr<Protection> protection;
    /// Suite, framing, policy, curves. Mechanism and secret in it are taken from above.
    SecuritySettings security;
    Quirks quirks;                        ///< of the meter that we talk with
    SystemTitle own_title, server_title;  ///< server's: known in advance (pre-established) or from the AARE
    std::uint16_t pdu_size_max = 0xFFFF;  ///< largest APDU we take
    std::size_t transfer_size_max = 1 << 20;  ///< bound of a block transfer, octets
    bool general_blocks = false;  ///< propose general block transfer; preferred to that of the services then
    std::uint8_t block_window = 8;  ///< general blocks the server may send in one go, 1 to 63
    bool short_names = false;  ///< short-name referencing: read_names and write_names are all there is then
    ~ClientConfig() { wipe(password); }
};

/// Number of a request of ours; matches its outcome.
using RequestId = Id<struct RequestTag, std::uint32_t>;

struct Associated {
    std::uint32_t conformance = 0;
    std::uint16_t server_pdu_size_max = 0;
};
/// `proof_failed`: we refused the server, which did not prove what it must. `short_names`: it accepted, but
/// with short-name referencing (application context 2 or 4, or VAA name FA00).
struct AssociationRefused {
    std::uint8_t result = 0, diagnostic = 0;
    bool proof_failed = false;
    bool short_names = false;
};
struct Released {};
struct ReadCompleted {
    RequestId request;
    ReadOutcome outcome;
};
/// The encoded value that `get_octets` asked for, as it came: nothing of it was looked at.
struct OctetsRead {
    RequestId request;
    Buffer octets;
};
struct WriteCompleted {
    RequestId request;
    AccessResult result;
};
struct ActionCompleted {
    RequestId request;
    ActionOutcome outcome;
};
/// Answers to a list, in the order of the request and as many.
struct ListRead {
    RequestId request;
    std::vector<ReadOutcome> outcomes;
};
struct ListWritten {
    RequestId request;
    std::vector<AccessResult> results;
};
struct ListActed {
    RequestId request;
    std::vector<ActionOutcome> outcomes;
};
struct AccessCompleted {
    RequestId request;
    std::vector<AccessOutcome> outcomes;
};
/// The peer broke the protocol or answered with an exception: the open request is lost, the association too
/// when `association_lost`.
struct RequestFailed {
    std::optional<RequestId> request;
    Error error;
    std::optional<std::array<std::uint8_t, 2>> exception;
    bool association_lost = false;
    /// exception-response 1/6: the counter that the server would have taken.
    std::optional<std::uint32_t> expected_counter{};
};
/// DataNotification that arrived unasked: long invoke-id, date-time (12 octets or empty) and body.
struct Notified {
    std::uint32_t invoke = 0;
    Data body;
    Buffer date_time{};
};
/// EventNotification that arrived unasked.
struct EventNotified {
    EventNotification event;
};
using ClientEvent = std::variant<Associated, AssociationRefused, Released, ReadCompleted, WriteCompleted,
                                 ActionCompleted, RequestFailed, Notified, OctetsRead, ListRead, ListWritten,
                                 ListActed, AccessCompleted, EventNotified>;

/// DLMS client association as sans-IO state: one open request at a time, further requests wait in order.
/// The owner sends what `take_output` gives (one APDU at a time), feeds answers to `receive`, times out with
/// `abort`.
class Client {
public:
    /// `send` and `receive` are used only when ciphered; they must outlive the client.
    Client(ClientConfig config, Ciphers& ciphers, Random& random, CounterStore& send, CounterStore& receive);
    ~Client();
    Client(Client&&) noexcept;

    void associate();  ///< AARQ (and HLS passes 3 and 4); nothing to do when pre-established
    void release();    ///< RLRQ; best effort
    RequestId get(const AttributeId& id, Selection selection = {});
    RequestId set(const AttributeId& id, Data value);
    RequestId act(const MethodId& id, std::optional<Data> argument = {});
    /// Like `get`, but a value comes as OctetsRead and is not decoded.
    RequestId get_octets(const AttributeId& id, Selection selection = {});
    // With-list services: 1 to list_size_max elements; SET and ACTION take one value for each, null-data for
    // none.
    RequestId get_list(std::vector<GetListRequest::Item> items);
    RequestId set_list(const std::vector<AttributeId>& ids, std::vector<Data> values);
    RequestId act_list(std::vector<MethodId> ids, std::vector<Data> arguments);
    /// ACCESS: everything in one request, executed in order; `break_on_error` stops at the first that fails.
    RequestId access(std::vector<AccessSpecification> specifications, std::vector<Data> data,
                     bool break_on_error = false);
    /// Short-name referencing; answered by ListRead and ListWritten.
    RequestId read_names(const std::vector<ShortName>& names);
    RequestId write_names(std::vector<ShortName> names, std::vector<Data> values);

    std::optional<Buffer> take_output();
    void receive(Bytes apdu);
    std::optional<ClientEvent> take_event();
    /// The owner's timer ran out while general blocks are under way: asks for the first one missing, or sends
    /// again what was not acknowledged. False when there is nothing to go on with: then `abort`.
    bool resume();
    /// The owner's timer ran out or the link broke: the open request fails with Fault::truncated, waiting
    /// ones too; association is lost unless pre-established.
    void abort();

    bool associated() const;
    bool busy() const;  ///< a request or an association is open or waiting

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace wattmesh::dlms
