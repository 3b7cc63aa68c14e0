#include <cassert>

#include "protocol/dlms/security.h"
#include "tests/fuzz/dlms_fakes.h"

namespace {

using namespace wattmesh;
using namespace wattmesh::dlms;

SecuritySettings settings(std::uint8_t bits) {
    SecuritySettings chosen;
    chosen.suite = bits & 1 ? Suite::one : Suite::zero;
    chosen.require = bits & 2   ? security_control::encrypted
                     : bits & 4 ? security_control::authenticated
                                : security_control::authenticated_encrypted;
    chosen.empty_title_allowed = bits & 8;
    chosen.require_signature = bits & 16;
    chosen.mirror = bits & 32;
    chosen.mechanism = static_cast<Mechanism>(2 + bits % 6);
    chosen.secret = Buffer(8, 's');
    chosen.signing_key = std::make_shared<fuzz::OpenPrivateKey>(Curve::p256);
    chosen.agreement_key = chosen.signing_key;
    chosen.peer_signing_key = chosen.signing_key->public_key();
    chosen.peer_agreement_key = chosen.peer_signing_key;
    return chosen;
}

bool inside(Bytes part, Bytes whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace

/// One octet of settings, then a protected APDU: decoded, opened in place and by copy, and taken as a proof.
/// With every tag right, whatever opens is inside the message and no longer protected.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bytes message{data + 1, size - 1};
    if (const auto ciphered = decode_ciphered(message)) {
        assert(ciphered->text_size > 0 && ciphered->text_at + ciphered->text_size <= message.size());
        assert(ciphered->tag.empty() || ciphered->tag.size() == 12);
        assert(inside(ciphered->header_octets, message) || ciphered->header_octets.empty());
    }
    if (const auto is_signed = decode_signed(message)) {
        assert(inside(is_signed->content, message) && !is_signed->content.empty());
        assert(inside(is_signed->signature, message));
    }
    fuzz::OpenCiphers ciphers;
    fuzz::Counting random;
    fuzz::Counter send, receive, broadcast;
    ClientKeys keys;
    keys.broadcast = keys.master = SymmetricKey{};
    SecuritySettings chosen = settings(data[0]);
    chosen.random = &random;
    chosen.broadcast_receive = &broadcast;
    const SystemTitle own{{'W', 'M'}}, peer{{0x4D, 0x4D, 0x4D, 0x00, 0x00, 0xBC, 0x61, 0x4E}};
    SecurityContext context{keys, own, peer, ciphers, send, receive, chosen};
    assert(context.set_dedicated_key(SymmetricKey{}));
    const auto copied = context.open(message);
    Buffer octets = to_buffer(message);
    const auto opened = context.open_in_place(octets);
    if (opened) {
        assert(inside(*opened, octets) && !opened->empty() && !is_protected(opened->front()));
        assert(copied);
        static_cast<void>(context.protect(*opened));
    }
    const Buffer challenge(16, 'c');
    static_cast<void>(context.verify({challenge, message}, message));
    static_cast<void>(context.prove({challenge, message}));
    return 0;
}
