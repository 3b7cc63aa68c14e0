#include <algorithm>

#include "protocol/dlms/client_state.h"

namespace wattmesh::dlms {

namespace {

constexpr std::size_t challenge_size = 16;
constexpr std::size_t challenge_size_min = 8, challenge_size_max = 64;  // Green Book ed. 10, 9.2.7.4
constexpr MethodId reply_to_hls{15, obis::current_association, 1};

}  // namespace

void Client::State::start_association() {
    phase = Phase::associating;
    Aarq aarq;
    aarq.context = config.ciphered ? ContextName::logical_ciphered : ContextName::logical;
    if (cipher) aarq.calling_title = config.own_title;
    if (config.mechanism != Mechanism::none) aarq.mechanism = config.mechanism;
    if (config.mechanism == Mechanism::low) aarq.authentication = config.password;
    if (config.mechanism == Mechanism::high_gmac) {
        client_challenge.resize(challenge_size);
        random.fill(client_challenge);
        aarq.authentication = client_challenge;
    }
    Buffer initiate = encode(
        InitiateRequest{.conformance = proposed_conformance(config), .pdu_size_max = config.pdu_size_max});
    if (config.ciphered) {
        auto sealed = cipher->protect(initiate);
        if (!sealed) return fail({Fault::refused, 0});
        initiate = std::move(*sealed);
    }
    aarq.user_information = std::move(initiate);
    outputs.push_back(encode(aarq));
}

void Client::State::refused(const AssociationRefused& refusal) {
    events.emplace_back(refusal);
    lose({Fault::refused, 0});
}

void Client::State::established() {
    phase = Phase::associated;
    events.emplace_back(negotiated);
    advance();
}

/// Who answered, and whether it keeps to the mechanism we asked for: a server that waives HLS is not ours.
std::optional<AssociationRefused> Client::State::check_server(const Aare& aare) {
    const AssociationRefused doubt{aare.result, aare.diagnostic, true};
    if (config.mechanism == Mechanism::high_gmac) {
        const auto size = aare.authentication ? aare.authentication->size() : 0;
        const bool challenged = aare.diagnostic == diagnostic::authentication_required &&
                                aare.mechanism == Mechanism::high_gmac && size >= challenge_size_min &&
                                size <= challenge_size_max;
        // Our own challenge back would make us compute the proof for an impostor.
        if (!challenged || std::ranges::equal(*aare.authentication, client_challenge)) return doubt;
    }
    if (!cipher) return std::nullopt;
    const bool known = config.server_title != SystemTitle{};
    const SystemTitle title = aare.responding_title.value_or(config.server_title);
    if (title == SystemTitle{} || (known && title != config.server_title)) return doubt;
    // The same title on both ends would let our own messages come back as the server's.
    if (title == config.own_title) return doubt;
    cipher->set_peer(title);
    return std::nullopt;
}

void Client::State::take_aare(Bytes apdu) {
    const auto aare = decode_aare(apdu);
    if (!aare) return fail(aare.error());
    if (aare->result != association_result::accepted) return refused({aare->result, aare->diagnostic});
    const auto context = config.ciphered ? ContextName::logical_ciphered : ContextName::logical;
    if (aare->context != context) return fail({Fault::unexpected, 0});
    if (const auto doubt = check_server(*aare)) return refused(*doubt);

    Buffer plain = aare->user_information;
    if (config.ciphered) {
        auto opened = cipher->open(plain);
        if (!opened) return fail(opened.error());
        plain = std::move(*opened);
    }
    const auto initiate = decode_initiate_response(plain);
    if (!initiate) return fail(initiate.error());
    if (initiate->vaa_name != vaa_name_logical) return fail({Fault::unsupported, 0});
    negotiated = {initiate->conformance & proposed_conformance(config), initiate->pdu_size_max};
    if (config.mechanism == Mechanism::high_gmac)
        answer_challenge(*aare);
    else
        established();
}

void Client::State::answer_challenge(const Aare& aare) {
    server_challenge = *aare.authentication;
    auto proof = cipher->prove({client_challenge, server_challenge});
    const ActionRequest request{.invoke = next_invoke(),
                                .id = reply_to_hls,
                                .argument = proof ? Data{OctetString{std::move(*proof)}} : Data{}};
    if (!proof || !output(encode(request))) return fail({Fault::refused, 0});
    phase = Phase::proving;
}

void Client::State::take_proof(const Response& response) {
    const auto* action = std::get_if<ActionResponse>(&response);
    if (!action || action->invoke != invoke) return fail({Fault::unexpected, 0});
    if (action->outcome.result != AccessResult::success)
        return refused({association_result::rejected_permanent, diagnostic::authentication_failure});
    const auto* value = action->outcome.value ? std::get_if<Data>(&*action->outcome.value) : nullptr;
    if (!value || !cipher->verify({client_challenge, server_challenge}, value->octets()))
        return refused({association_result::accepted, diagnostic::authentication_required, true});
    established();
}

}  // namespace wattmesh::dlms
