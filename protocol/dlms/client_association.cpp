#include <algorithm>

#include "protocol/dlms/client_state.h"

namespace wattmesh::dlms {

namespace {

constexpr std::uint32_t short_name_conformance = conformance::read | conformance::write |
                                                 conformance::block_transfer_with_get |
                                                 conformance::multiple_references;

std::uint32_t proposal(const ClientConfig& config) {
    const std::uint32_t services = config.short_names ? short_name_conformance : proposed_conformance(config);
    const bool general = config.security.framing != Framing::service || config.security.sign;
    return services | (general ? conformance::general_protection : 0);
}

ContextName context_of(const ClientConfig& config) {
    if (config.short_names)
        return config.ciphered ? ContextName::short_name_ciphered : ContextName::short_name;
    return config.ciphered ? ContextName::logical_ciphered : ContextName::logical;
}

constexpr MethodId reply_to_hls{15, obis::current_association, 1};

}  // namespace

void Client::State::start_association() {
    phase = Phase::associating;
    // Passes 3 and 4 go by method here; with short names they would go by name.
    if (config.short_names && is_high(config.mechanism)) return fail({Fault::unsupported, 0});
    const bool known = config.security.manufacturer_aes || config.protection;
    if (config.mechanism == Mechanism::high_manufacturer && !known) return fail({Fault::unsupported, 0});
    Aarq aarq;
    aarq.context = context_of(config);
    if (cipher) aarq.calling_title = config.own_title;
    if (config.mechanism != Mechanism::none) aarq.mechanism = config.mechanism;
    if (config.mechanism == Mechanism::low) aarq.authentication = config.password;
    if (is_high(config.mechanism)) {
        client_challenge.resize(challenge_size(config.mechanism));
        random.fill(client_challenge);
        aarq.authentication = client_challenge;
    }
    InitiateRequest request{.conformance = proposal(config), .pdu_size_max = config.pdu_size_max};
    const auto dedicated = fresh_dedicated_key();
    if (dedicated) request.dedicated_key = to_buffer(dedicated->reveal());
    Buffer initiate = encode(request);
    if (request.dedicated_key) wipe(*request.dedicated_key);
    if (config.ciphered) {
        cipher->set_dedicated_key(std::nullopt);
        auto sealed = cipher->protect(initiate);
        wipe(initiate);
        if (!sealed) return fail({Fault::refused, 0});
        if (dedicated && !cipher->set_dedicated_key(dedicated)) return fail({Fault::unsupported, 0});
        initiate = std::move(*sealed);
    }
    aarq.user_information = std::move(initiate);
    outputs.push_back(encode(aarq));
}

std::optional<SymmetricKey> Client::State::fresh_dedicated_key() {
    if (!config.ciphered || !config.dedicated_key) return std::nullopt;
    std::array<std::uint8_t, 32> octets{};
    random.fill(octets);
    const auto key = SymmetricKey::from(Bytes{octets}.first(key_size(config.security.suite)));
    wipe(octets);
    return key;
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
    if (is_high(config.mechanism)) {
        const auto size = aare.authentication ? aare.authentication->size() : 0;
        const bool challenged = aare.diagnostic == diagnostic::authentication_required &&
                                aare.mechanism == config.mechanism &&
                                challenge_size_valid(config.mechanism, size);
        // Our own challenge back would make us compute the proof for an impostor.
        if (!challenged) return doubt;
        if (!config.quirks.equal_challenges && std::ranges::equal(*aare.authentication, client_challenge))
            return doubt;
    }
    if (!config.ciphered && !needs_titles(config.mechanism)) return std::nullopt;
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
    const bool short_names =
        aare->context == ContextName::short_name || aare->context == ContextName::short_name_ciphered;
    if (short_names && !config.short_names) return refused({aare->result, aare->diagnostic, false, true});
    if (aare->context != context_of(config)) return fail({Fault::unexpected, 0});
    if (const auto doubt = check_server(*aare)) return refused(*doubt);

    Buffer plain = aare->user_information;
    if (plain.empty() && config.quirks.missing_user_information) {
        // What we proposed counts as agreed; the size that the server takes stays unknown.
        return negotiate(*aare, {.conformance = proposal(config), .pdu_size_max = 0});
    }
    if (config.ciphered) {
        auto opened = cipher->open(plain);
        if (!opened) return fail(opened.error());
        plain = std::move(*opened);
    }
    const auto initiate = decode_initiate_response(plain);
    if (!initiate) return fail(initiate.error());
    if (initiate->vaa_name == vaa_name_short && !config.short_names)
        return refused({aare->result, aare->diagnostic, false, true});
    if (initiate->vaa_name != (config.short_names ? vaa_name_short : vaa_name_logical))
        return fail({Fault::unsupported, 0});
    negotiate(*aare, *initiate);
}

void Client::State::negotiate(const Aare& aare, const InitiateResponse& response) {
    negotiated = {response.conformance & proposal(config), response.pdu_size_max};
    if (is_high(config.mechanism))
        answer_challenge(aare);
    else
        established();
}

/// Best effort: whatever the server means by its answer, the association is over for us.
void Client::State::take_release(Bytes apdu) {
    const auto release = decode_release(apdu, config.quirks.wrong_release_length);
    if (!release) return fail(release.error());
    released();
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
