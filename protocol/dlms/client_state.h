#pragma once
#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <variant>

#include "protocol/dlms/acse.h"
#include "protocol/dlms/apdu.h"
#include "protocol/dlms/client.h"
#include "protocol/dlms/general_block.h"
#include "protocol/dlms/initiate.h"

namespace wattmesh::dlms {

/// What a wrapper PDU with a gateway prefix still carries.
inline constexpr std::size_t request_size_max = 65'000;

/// Inside of Client.
///
///   idle --associate/AARQ--> associating --AARE--> associated            (none, LLS)
///                            associating --AARE 14/ACTION--> proving --f(CtoS) right--> associated
///                            (HLS)
///   associated --release/RLRQ--> releasing --RLRE--> idle                any --abort--> idle
/// Pre-established: always associated.
struct Client::State {
    enum class Phase : std::uint8_t { idle, associating, proving, associated, releasing };
    struct ReleaseOrder {};
    struct OctetsRequest {
        GetRequest get;
    };
    using Order =
        std::variant<GetRequest, OctetsRequest, GetListRequest, SetRequest, SetListRequest, ActionRequest,
                     ActionListRequest, AccessRequest, ReadRequest, WriteRequest, ReleaseOrder>;
    struct Operation {
        RequestId id;
        Order what;
    };
    /// Values of a SET or ACTION on their way out in blocks of the service.
    struct Upload {
        Buffer octets;
        std::size_t sent = 0;
        std::uint32_t block = 0;
    };
    /// Answer of a GET or ACTION on its way in.
    struct Download {
        Buffer octets;
        std::uint32_t block = 0;  ///< number of the last block received
    };

    State(const ClientConfig& settings, Ciphers& ciphers, Random& chance, CounterStore& send,
          CounterStore& receive);

    // client_association.cpp
    void start_association();
    void take_aare(Bytes apdu);
    void negotiate(const Aare& aare, const InitiateResponse& response);
    void take_release(Bytes apdu);
    void take_proof(const Response& response);
    std::optional<AssociationRefused> check_server(const Aare& aare);
    std::optional<SymmetricKey> fresh_dedicated_key();
    void answer_challenge(const Aare& aare);
    void refused(const AssociationRefused& refusal);
    void established();

    // client.cpp
    RequestId enqueue(Order what);
    void advance();
    void receive(Bytes apdu);
    void receive_whole(Bytes apdu);
    void receive_block(Bytes apdu, bool inside_ciphering);
    void send_blocks(bool inside_ciphering);
    void take_exception(Bytes apdu);
    void take_notification(Bytes apdu);
    void take_plain(Bytes apdu);
    /// Protects when needed and queues, in general blocks when it does not fit; false when our counter is
    /// used up.
    bool output(Buffer apdu);
    void send(Buffer apdu) {
        if (!output(std::move(apdu))) lose({Fault::refused, 0});
    }
    /// The peer broke the protocol: whatever is open fails.
    void fail(Error error, std::optional<std::array<std::uint8_t, 2>> exception = {}, bool lost = false);
    /// Open and waiting requests fail, the association is gone (unless pre-established).
    void lose(Error error, std::optional<std::array<std::uint8_t, 2>> exception = {});
    void finish(ClientEvent event);
    void released();
    std::uint8_t next_invoke();
    void forget_open();
    /// Octets of the largest APDU the server takes.
    std::size_t pdu_limit() const {
        const std::size_t limit = negotiated.server_pdu_size_max;
        return limit == 0 ? request_size_max : std::min(limit, request_size_max);
    }

    // client_service.cpp
    void start(Operation operation);
    void start(GetRequest& request);
    void start(OctetsRequest& request) { start(request.get); }
    void start(GetListRequest& request);
    void start(SetRequest& request);
    void start(SetListRequest& request);
    void start(ActionRequest& request);
    void start(ActionListRequest& request);
    void start(AccessRequest& request);
    void start(ReadRequest& request);
    void start(WriteRequest& request);
    void start(ReleaseOrder&) {}
    bool fits(std::size_t plain) const;
    void send_or_upload(Buffer whole, std::uint32_t conformance_bit, const std::function<Buffer()>& values);
    void next_upload_block();
    Buffer upload_block(std::size_t size, bool last);
    bool uploading() const { return upload.block > 0; }
    void take(const Response& response);
    void take(const GetResponse& response);
    void take(const GetBlockResponse& response);
    void take(const GetListResponse& response);
    void take(const SetResponse& response);
    void take(const SetBlockResponse& response);
    void take(const SetListResponse& response);
    void take(const ActionResponse& response);
    void take(const ActionBlockResponse& response);
    void take(const ActionListResponse& response);
    void take(const ActionNextResponse& response);
    void take_octets(Bytes apdu);
    void take_access(Bytes apdu);
    void take_read(Bytes apdu);
    void take_written(Bytes apdu);
    void finish_names(std::vector<ReadOutcome> outcomes);
    bool append(Bytes raw, std::uint32_t block, bool last);
    void finish_download();
    void finish_reads(std::vector<ReadOutcome> outcomes);
    void finish_writes(std::vector<AccessResult> results);
    void finish_actions(std::vector<ActionResult> outcomes);

    ClientConfig config;
    Random& random;
    std::shared_ptr<Protection> cipher;
    Phase phase = Phase::idle;
    Buffer client_challenge{}, server_challenge{};
    Associated negotiated{};
    std::optional<Operation> open{};
    std::deque<Operation> waiting{};
    Upload upload{};
    Download download{};
    BlockTransfer blocks{};
    BlockCollector pushes{};
    std::optional<std::uint32_t> expected_counter{};  ///< of the exception in hand
    std::uint8_t invoke = 0;
    std::uint32_t request_last = 0;
    std::deque<Buffer> outputs{};
    std::deque<ClientEvent> events{};
};

inline constexpr std::uint32_t client_conformance =
    conformance::get | conformance::set | conformance::action | conformance::selective_access |
    conformance::block_transfer_with_get | conformance::block_transfer_with_set |
    conformance::block_transfer_with_action | conformance::multiple_references | conformance::access |
    conformance::event_notification | conformance::data_notification;
inline std::uint32_t proposed_conformance(const ClientConfig& config) {
    return client_conformance | (config.general_blocks ? conformance::general_block_transfer : 0);
}
}  // namespace wattmesh::dlms
