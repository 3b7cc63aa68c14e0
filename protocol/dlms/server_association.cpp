#include "protocol/dlms/server_association.h"

#include <algorithm>
#include <cassert>

#include "protocol/dlms/apdu.h"
#include "protocol/dlms/key_rotation.h"

namespace wattmesh::dlms {

namespace {

// A wrapper PDU carries 65 535 octets, of which a gateway prefix may take some.
constexpr std::size_t answer_size_max = 65'000;

}  // namespace

/// An AARQ that passed so far.
struct ServerAssociation::Opening {
    InitiateRequest initiate;
    std::unique_ptr<Protection> cipher;
    std::optional<std::uint32_t> expected_counter;  ///< of a replayed AARQ that we answer
    ~Opening() {
        if (initiate.dedicated_key) wipe(*initiate.dedicated_key);
    }
};

ServerAssociation::ServerAssociation(const ClientAccess& access, SystemTitle title, Ciphers& ciphers)
    : access_(access), title_(title), ciphers_(ciphers) {
    const bool keyed = access_.ciphered || access_.mechanism == Mechanism::high_gmac;
    const bool protects = access_.ciphered || is_high(access_.mechanism);
    assert(!keyed || access_.protection || access_.keys);
    assert(!protects || access_.protection || (access_.send && access_.receive));
    static_cast<void>(keyed);
    static_cast<void>(protects);
    access_.security.mechanism = access_.mechanism;
    access_.security.mirror = true;
    if (is_high(access_.mechanism)) access_.security.secret = access_.password;
    assert(!(access_.pre_established && access_.ciphered) || access_.client_title);
    assert(access_.pdu_size_max >= pdu_size_min);
    reset();
}

void ServerAssociation::reset() {
    get_transfer.reset();
    action_transfer.reset();
    set_upload.reset();
    action_upload.reset();
    blocks = BlockTransfer{};
    asked_in_blocks = false;
    call_open = 0;
    client_challenge_.clear();
    server_challenge_.clear();
    cipher_.reset();
    phase_ = access_.pre_established ? Phase::associated : Phase::none;
    // What a pre-established client knows beyond the services is not known: it gets blocks of the services.
    conformance_ = server_conformance & ~conformance::general_block_transfer;
    pdu_size_max_ = std::min<std::size_t>(access_.pdu_size_max, answer_size_max);
    if (!access_.pre_established || !access_.ciphered) return;
    peer_ = *access_.client_title;
    cipher_ = make_protection(peer_);
}

std::unique_ptr<Protection> ServerAssociation::make_protection(SystemTitle peer) const {
    if (access_.protection) return access_.protection(peer);
    return std::make_unique<SecurityContext>(access_.keys, title_, peer, ciphers_, *access_.send,
                                             *access_.receive, access_.security);
}

Buffer ServerAssociation::associate(Bytes bytes, Random& random, ServerCounters& counters) {
    const auto aarq = decode_aarq(bytes);
    if (!aarq) {
        ++counters.malformed;
        return encode(ExceptionResponse{exception::service_not_allowed, exception::other_reason, {}});
    }
    Opening opening;
    if (const auto refusal = check(*aarq, opening, counters)) {
        ++counters.refused_associations;
        if (opening.expected_counter) return invocation_counter_error(*opening.expected_counter);
        Aare aare{.context = aarq->context, .result = refusal->result, .diagnostic = refusal->diagnostic};
        if (refusal->error) aare.user_information = encode(*refusal->error);
        return encode(aare);
    }
    return accept(opening, *aarq, random);
}

std::optional<ServerAssociation::Refusal> ServerAssociation::check(const Aarq& aarq, Opening& opening,
                                                                   ServerCounters& counters) const {
    const auto permanent = [](std::uint8_t diagnostic, std::optional<ServiceError> error = {}) {
        return Refusal{association_result::rejected_permanent, diagnostic, error};
    };
    const auto context = access_.ciphered ? ContextName::logical_ciphered : ContextName::logical;
    if (aarq.context != context) return permanent(diagnostic::context_not_supported);
    if (const auto refusal = check_mechanism(aarq)) return refusal;
    if (const auto refusal = open_initiate(aarq, opening, counters)) return refusal;

    const auto service_error = [&](std::uint8_t value) {
        return permanent(diagnostic::no_reason_given, ServiceError{.value = value});
    };
    const InitiateRequest& initiate = opening.initiate;
    if (initiate.version < dlms_version) return service_error(initiate_error::version_too_low);
    if ((initiate.conformance & server_conformance) == 0)
        return service_error(initiate_error::incompatible_conformance);
    if (initiate.pdu_size_max != 0 && initiate.pdu_size_max < pdu_size_min)
        return service_error(initiate_error::pdu_size_too_short);
    if (initiate.dedicated_key) {
        // In plain it would be no secret.
        const auto key = SymmetricKey::from(*initiate.dedicated_key);
        if (!access_.ciphered || !key || !opening.cipher->set_dedicated_key(key))
            return permanent(diagnostic::no_reason_given);
    }
    return std::nullopt;
}

std::optional<ServerAssociation::Refusal> ServerAssociation::check_mechanism(const Aarq& aarq) const {
    const auto permanent = [](std::uint8_t diagnostic) {
        return Refusal{association_result::rejected_permanent, diagnostic, {}};
    };
    const Mechanism mechanism = aarq.mechanism.value_or(Mechanism::none);
    if (mechanism != access_.mechanism)
        return permanent(mechanism == Mechanism::none ? diagnostic::mechanism_required
                                                      : diagnostic::mechanism_not_recognised);
    if (mechanism == Mechanism::none) return std::nullopt;
    const Bytes value = aarq.authentication ? Bytes{*aarq.authentication} : Bytes{};
    const bool acceptable = mechanism == Mechanism::low
                                ? !access_.password.empty() && equal_constant_time(value, access_.password)
                                : challenge_size_valid(mechanism, value.size());
    if (!acceptable) return permanent(diagnostic::authentication_failure);
    return std::nullopt;
}

std::optional<ServerAssociation::Refusal> ServerAssociation::open_initiate(const Aarq& aarq, Opening& opening,
                                                                           ServerCounters& counters) const {
    const auto refused = [](std::uint8_t result, std::uint8_t diagnostic) {
        return Refusal{result, diagnostic, {}};
    };
    if (access_.ciphered || is_high(access_.mechanism)) {
        const bool needed = access_.ciphered || needs_titles(access_.mechanism);
        auto title = aarq.calling_title ? aarq.calling_title : access_.client_title;
        if (!title && !needed) title = SystemTitle{};
        if (!title || (access_.client_title && *title != *access_.client_title))
            return refused(association_result::rejected_permanent, diagnostic::authentication_failure);
        opening.cipher = make_protection(*title);
    }
    Buffer plain = aarq.user_information;
    if (access_.ciphered) {
        auto opened = opening.cipher->open(plain);
        if (!opened) {
            const Fault fault = opened.error().fault;
            if (fault == Fault::not_authentic) ++counters.not_authentic;
            if (fault == Fault::replayed) ++counters.replayed;
            if (fault == Fault::replayed && access_.tells_expected_counter)
                opening.expected_counter = opening.cipher->expected_counter();
            // A used counter may be an honest client that restarted: it can try again with a higher one.
            return refused(fault == Fault::replayed ? association_result::rejected_transient
                                                    : association_result::rejected_permanent,
                           diagnostic::authentication_failure);
        }
        plain = std::move(*opened);
    }
    const auto initiate = decode_initiate_request(plain);
    if (!initiate) {
        ++counters.malformed;
        return refused(association_result::rejected_permanent, diagnostic::no_reason_given);
    }
    opening.initiate = *initiate;
    wipe(plain);
    return std::nullopt;
}

Buffer ServerAssociation::accept(Opening& opening, const Aarq& aarq, Random& random) {
    reset();
    if (opening.cipher) cipher_ = std::move(opening.cipher);
    const std::uint32_t general = access_.ciphered ? conformance::general_protection : 0;
    conformance_ = opening.initiate.conformance & (server_conformance | general);
    if (opening.initiate.pdu_size_max != 0)
        pdu_size_max_ = std::min<std::size_t>(pdu_size_max_, opening.initiate.pdu_size_max);

    Aare aare{.context = aarq.context};
    if (cipher_) aare.responding_title = title_;
    if (is_high(access_.mechanism)) {
        client_challenge_ = *aarq.authentication;
        server_challenge_.resize(challenge_size(access_.mechanism));
        random.fill(server_challenge_);
        if (std::ranges::equal(client_challenge_, server_challenge_)) server_challenge_.back() ^= 1;
        aare.diagnostic = diagnostic::authentication_required;
        aare.mechanism = access_.mechanism;
        aare.authentication = server_challenge_;
        phase_ = Phase::proving;
    } else {
        phase_ = Phase::associated;
    }
    Buffer response = encode(InitiateResponse{
        .quality_of_service = {}, .conformance = conformance_, .pdu_size_max = access_.pdu_size_max});
    auto user_information = protect(std::move(response));
    if (!user_information) {  // our counter is used up: nothing of this association could be answered
        reset();
        return encode(Aare{.context = aarq.context,
                           .result = association_result::rejected_permanent,
                           .diagnostic = diagnostic::no_reason_given});
    }
    aare.user_information = std::move(*user_information);
    return encode(aare);
}

std::optional<Buffer> ServerAssociation::prove(Bytes proof, ServerCounters& counters) {
    assert(phase_ == Phase::proving && cipher_);
    if (cipher_->verify({server_challenge_, client_challenge_}, proof)) {
        if (auto own = cipher_->prove({server_challenge_, client_challenge_})) {
            phase_ = Phase::associated;
            return own;
        }
    } else {
        ++counters.not_authentic;
    }
    ++counters.refused_associations;
    reset();
    return std::nullopt;
}

/// From a client of another title than the last one. Only the keys prove it, and then what was open with the
/// last one is over.
std::optional<Buffer> ServerAssociation::open_for_another(Bytes apdu) {
    if (!access_.named_titles || !access_.pre_established) return std::nullopt;
    const auto ciphered = decode_ciphered(apdu);
    if (!ciphered) return std::nullopt;
    SystemTitle title = *access_.client_title;
    if (ciphered->framing == Framing::general && ciphered->title.size() == title.octets.size())
        std::copy(ciphered->title.begin(), ciphered->title.end(), title.octets.begin());
    if (title == peer_) return std::nullopt;
    auto cipher = make_protection(title);
    auto plain = cipher->open(apdu);
    if (!plain) return std::nullopt;
    reset();
    cipher_ = std::move(cipher);
    peer_ = title;
    return *std::move(plain);
}

Result<Buffer> ServerAssociation::open(Bytes apdu, ServerCounters& counters) {
    if (!access_.ciphered) return to_buffer(apdu);
    auto plain = cipher_->open(apdu);
    if (!plain) {
        if (auto other = open_for_another(apdu)) return *std::move(other);
        switch (plain.error().fault) {
            case Fault::not_authentic:
                ++counters.not_authentic;
                break;
            case Fault::replayed:
                ++counters.replayed;
                break;
            default:
                ++counters.malformed;
                break;
        }
    }
    return plain;
}

std::optional<std::uint32_t> ServerAssociation::expected_counter() const {
    if (!access_.tells_expected_counter || !cipher_) return std::nullopt;
    return cipher_->expected_counter();
}

Buffer invocation_counter_error(std::uint32_t expected) {
    return encode(
        ExceptionResponse{exception::service_not_allowed, exception::invocation_counter_error, expected});
}

std::optional<Buffer> ServerAssociation::protect(Buffer apdu) {
    auto out = access_.ciphered ? cipher_->protect(apdu) : std::move(apdu);
    replace_pending_keys();
    return out;
}

bool ServerAssociation::replace_key(KeyKind kind, const SymmetricKey& key) {
    if (!access_.keys || access_.protection || key.size() != key_size(access_.security.suite)) return false;
    new_keys_.emplace_back(kind, key);
    if (call_open == 0) replace_pending_keys();
    return true;
}

void ServerAssociation::replace_pending_keys() {
    for (const auto& [kind, key] : std::exchange(new_keys_, {})) {
        // A client that lost our answer sends the key again. Counters that began anew under a key in use
        // would repeat nonces, and take replayed messages.
        if (holds(*access_.keys, kind, key)) continue;
        access_.keys->set(kind, key);
        if (cipher_) {
            cipher_->replace_key(kind, key);
        } else if (kind == KeyKind::unicast_encryption) {
            access_.send->restart();
            access_.receive->restart();
        }
    }
}

std::size_t ServerAssociation::on_wire(std::size_t size) const {
    return access_.ciphered ? cipher_->protected_size(size) : size;
}

bool ServerAssociation::fits(std::size_t size) const { return on_wire(size) <= pdu_size_max_; }

std::size_t ServerAssociation::block_size() const {
    std::size_t raw = pdu_size_max_;
    while (raw > 1 && !fits(block_response_size(raw))) --raw;
    return raw;
}

BlockTransfer ServerAssociation::new_blocks() const {
    std::size_t payload = pdu_size_max_;
    while (payload > 1 && general_block_size(payload) > pdu_size_max_) --payload;
    return BlockTransfer{{access_.block_window, payload, access_.transfer_size_max}};
}

}  // namespace wattmesh::dlms
