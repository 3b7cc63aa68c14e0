#pragma once
#include <catch2/catch.hpp>

#include "protocol/dlms/acse.h"
#include "protocol/dlms/initiate.h"
#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

/// What the tests of associations share.
namespace wattmesh::dlms::test {

inline const Buffer secret = to_buffer(as_bytes("a secret of HLS"));

/// Both sides of an association, with curves where the suite has them.
struct Sides {
    Sides(Mechanism mechanism, bool ciphered, Suite suite = Suite::zero) {
        client.mechanism = server.mechanism = mechanism;
        client.ciphered = server.ciphered = ciphered;
        client.keys = server.keys = suite == Suite::two ? vector_keys_256() : vector_keys();
        client.own_title = client_title;
        server.client = management_client;
        client.security.suite = server.security.suite = suite;
        if (is_high(mechanism)) client.password = server.password = secret;
        if (suite == Suite::zero) return;
        const Curve curve = suite == Suite::one ? Curve::p256 : Curve::p384;
        security::OpensslCiphers ciphers;
        client.security.signing_key = ciphers.generate(curve);
        server.security.signing_key = ciphers.generate(curve);
        client.security.peer_signing_key = server.security.signing_key->public_key();
        server.security.peer_signing_key = client.security.signing_key->public_key();
        client.security.agreement_key = ciphers.generate(curve);
        server.security.agreement_key = ciphers.generate(curve);
        client.security.peer_agreement_key = server.security.agreement_key->public_key();
        server.security.peer_agreement_key = client.security.agreement_key->public_key();
    }
    ClientConfig client;
    ClientAccess server;
};

template <class T>
std::optional<T> only(const std::vector<ClientEvent>& events) {
    std::optional<T> found;
    for (const auto& event : events)
        if (const auto* match = std::get_if<T>(&event)) {
            REQUIRE_FALSE(found);
            found = *match;
        }
    return found;
}

inline void check_read(Pair& pair) {
    pair.model.put(import_total, std::uint32_t{5009});
    pair.client.get(import_total);
    pair.run();
    const auto read = only<ReadCompleted>(pair.events());
    REQUIRE(read);
    CHECK(read->outcome == ReadOutcome{Data{std::uint32_t{5009}}});
}

/// An AARE of ours with another part of the InitiateResponse or the challenge.
inline Buffer plain_aare(const InitiateResponse& response) {
    Aare aare;
    aare.user_information = encode(response);
    return encode(aare);
}

}  // namespace wattmesh::dlms::test
