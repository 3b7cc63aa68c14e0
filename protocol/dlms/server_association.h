#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/dlms/acse.h"
#include "protocol/dlms/apdu.h"
#include "protocol/dlms/general_block.h"
#include "protocol/dlms/initiate.h"
#include "protocol/dlms/server.h"

namespace wattmesh::dlms {

/// Services this server has; an association gets those of them that its client proposes.
inline constexpr std::uint32_t server_conformance =
    conformance::get | conformance::set | conformance::action | conformance::selective_access |
    conformance::block_transfer_with_get | conformance::block_transfer_with_set |
    conformance::block_transfer_with_action | conformance::general_block_transfer |
    conformance::multiple_references | conformance::access | conformance::data_notification |
    conformance::event_notification;
/// Smallest PDU size a client may propose: a ciphered block with a few octets still fits.
inline constexpr std::size_t pdu_size_min = 48;

/// Server side of one client's association: how it comes, what was negotiated, its ciphering and open
/// transfers.
///
///   none --AARQ accepted--> associated          none --AARQ, HLS--> proving --reply_to_HLS--> associated
///   any --RLRQ, wrong proof, link broken--> none (pre-established: always associated)
class ServerAssociation {
public:
    enum class Phase : std::uint8_t { none, proving, associated };
    /// An answer of GET or ACTION that goes out in blocks of the service.
    struct Download {
        Buffer raw;
        std::size_t sent = 0;
        std::uint32_t block = 0;  ///< number of the last block sent
        std::uint8_t invoke = 0;
    };
    /// Values of a SET or ACTION that come in blocks.
    struct Upload {
        std::vector<SetTarget> targets{};
        std::vector<MethodId> ids{};
        bool list = false;
        Buffer octets{};
        std::uint32_t block = 0;
        std::uint8_t invoke = 0;
    };

    ServerAssociation(const ClientAccess& access, SystemTitle title, Ciphers& ciphers);

    /// Answers an AARQ. A refused one changes nothing, so a forged one cannot end an association.
    Buffer associate(Bytes aarq, Random& random, ServerCounters& counters);
    /// HLS pass 3: f(CtoS) when `proof` is right; else the association is gone. Only while `proving`.
    std::optional<Buffer> prove(Bytes proof, ServerCounters& counters);
    /// Forgets everything that belongs to the link.
    void reset();

    /// The plain request inside; nothing (and counted) when it is forged or replayed.
    Result<Buffer> open(Bytes apdu, ServerCounters& counters);
    /// What to tell a client whose counter was replayed; nothing when this access does not tell.
    std::optional<std::uint32_t> expected_counter() const;
    /// As it goes on the wire; nothing when the counter is used up.
    std::optional<Buffer> protect(Buffer apdu);
    /// After the answer in hand; at once when there is none. False without keys or for another suite's key.
    bool replace_key(KeyKind kind, const SymmetricKey& key);
    /// Whether a plain APDU of `size` fits the client's PDU size once ciphered.
    bool fits(std::size_t size) const;
    /// Octets of a value that one GET block takes.
    std::size_t block_size() const;

    const ClientAccess& access() const { return access_; }
    Phase phase() const { return phase_; }
    bool allows(std::uint32_t conformance_bit) const { return (conformance_ & conformance_bit) != 0; }

    std::size_t pdu_size_max() const { return pdu_size_max_; }
    /// A general block transfer that keeps to the client's PDU size and our limits.
    BlockTransfer new_blocks() const;

    std::optional<Download> get_transfer, action_transfer;
    std::optional<Upload> set_upload, action_upload;
    BlockTransfer blocks;          ///< general blocks of the exchange under way
    bool asked_in_blocks = false;  ///< the request came in general blocks, so the answer does
    std::uint64_t call_open = 0;   ///< number of the call that waits for the model; 0 = none
    std::uint64_t call_last = 0;

private:
    struct Refusal {
        std::uint8_t result, diagnostic;
        std::optional<ServiceError> error;
    };
    struct Opening;
    std::optional<Refusal> check(const Aarq& aarq, Opening& opening, ServerCounters& counters) const;
    std::optional<Refusal> check_mechanism(const Aarq& aarq) const;
    std::optional<Refusal> open_initiate(const Aarq& aarq, Opening& opening, ServerCounters& counters) const;
    Buffer accept(Opening& opening, const Aarq& aarq, Random& random);
    std::unique_ptr<Protection> make_protection(SystemTitle peer) const;
    std::optional<Buffer> open_for_another(Bytes apdu);
    void replace_pending_keys();
    std::size_t on_wire(std::size_t size) const;

    ClientAccess access_;
    SystemTitle title_;
    Ciphers& ciphers_;
    Phase phase_ = Phase::none;
    std::uint32_t conformance_ = server_conformance;
    std::size_t pdu_size_max_ = 0;
    std::unique_ptr<Protection> cipher_;
    SystemTitle peer_;                                        ///< pre-established: whom `cipher_` is for
    std::vector<std::pair<KeyKind, SymmetricKey>> new_keys_;  ///< until the answer in hand has gone
    Buffer client_challenge_, server_challenge_;
};

/// exception-response 1/6 with the counter we expect (Green Book ed. 10, 9.5).
Buffer invocation_counter_error(std::uint32_t expected);

}  // namespace wattmesh::dlms
