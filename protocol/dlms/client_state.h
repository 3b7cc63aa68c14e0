#pragma once
#include <deque>
#include <optional>
#include <variant>

#include "protocol/dlms/acse.h"
#include "protocol/dlms/apdu.h"
#include "protocol/dlms/client.h"
#include "protocol/dlms/initiate.h"

namespace wattmesh::dlms {

/// Inside of Client.
///
///   idle --associate/AARQ--> associating --AARE--> associated            (none, LLS)
///                            associating --AARE 14/ACTION--> proving --f(CtoS) right--> associated
///                            (HLS-GMAC)
///   associated --release/RLRQ--> releasing --RLRE--> idle                any --abort--> idle
/// Pre-established: always associated.
struct Client::State {
    enum class Phase : std::uint8_t { idle, associating, proving, associated, releasing };
    struct ReleaseOrder {};
    struct Operation {
        RequestId id;
        std::variant<GetRequest, SetRequest, ActionRequest, ReleaseOrder> what;
    };
    /// A SET value on its way out in blocks.
    struct Upload {
        Buffer octets;
        std::size_t sent = 0;
        std::uint32_t block = 0;
    };
    /// A GET answer on its way in.
    struct Download {
        Buffer octets;
        std::uint32_t block = 0;  ///< number of the last block received
    };

    State(const ClientConfig& settings, Ciphers& ciphers, Random& chance, CounterStore& send,
          CounterStore& receive);

    // client_association.cpp
    void start_association();
    void take_aare(Bytes apdu);
    void take_proof(const Response& response);
    std::optional<AssociationRefused> check_server(const Aare& aare);
    void answer_challenge(const Aare& aare);
    void refused(const AssociationRefused& refusal);
    void established();

    // client.cpp
    RequestId enqueue(std::variant<GetRequest, SetRequest, ActionRequest, ReleaseOrder> what);
    void advance();
    void start(Operation operation);
    void start(const SetRequest& request);
    void next_upload_block();
    void receive(Bytes apdu);
    void take_exception(Bytes apdu);
    void take_notification(Bytes apdu);
    void take_plain(Bytes apdu);
    void take(const Response& response);
    void take(const GetResponse& response);
    void take(const GetBlockResponse& response);
    void take(const SetResponse& response);
    void take(const SetBlockResponse& response);
    void take(const ActionResponse& response);
    /// Protects when needed and queues; false when our counter is used up.
    bool output(Buffer apdu);
    /// The peer broke the protocol: whatever is open fails.
    void fail(Error error, std::optional<std::array<std::uint8_t, 2>> exception = {}, bool lost = false);
    /// Open and waiting requests fail, the association is gone (unless pre-established).
    void lose(Error error, std::optional<std::array<std::uint8_t, 2>> exception = {});
    void finish(ClientEvent event);
    void released();
    std::uint8_t next_invoke();
    void forget_open();

    ClientConfig config;
    Random& random;
    std::optional<GlobalCipher> cipher;
    Phase phase = Phase::idle;
    Buffer client_challenge{}, server_challenge{};
    Associated negotiated{};
    std::optional<Operation> open{};
    std::deque<Operation> waiting{};
    Upload upload{};
    Download download{};
    std::uint8_t invoke = 0;
    std::uint32_t request_last = 0;
    std::deque<Buffer> outputs{};
    std::deque<ClientEvent> events{};
};

inline constexpr std::uint32_t client_conformance =
    conformance::get | conformance::set | conformance::action | conformance::selective_access |
    conformance::block_transfer_with_get | conformance::block_transfer_with_set |
    conformance::data_notification;
/// What a wrapper PDU with a gateway prefix still carries.
inline constexpr std::size_t request_size_max = 65'000;

}  // namespace wattmesh::dlms
