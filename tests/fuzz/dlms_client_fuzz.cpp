#include <cassert>

#include "protocol/dlms/client.h"
#include "tests/fuzz/dlms_fakes.h"

namespace {

using namespace wattmesh;
using namespace wattmesh::dlms;

ClientConfig config(std::uint8_t bits) {
    ClientConfig settings;
    settings.mechanism = bits & 1 ? Mechanism::high_gmac : bits & 2 ? Mechanism::low : Mechanism::none;
    settings.password = Buffer(8, '1');
    settings.ciphered = bits & 4;
    settings.pre_established = bits & 8;
    settings.keys = ClientKeys{};
    settings.server_title = SystemTitle{{'W', 'M', 'T'}};
    settings.transfer_size_max = 200;
    return settings;
}

}  // namespace

/// A script of requests and answers: every request of ours ends in exactly one outcome.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::OpenCiphers ciphers;
    fuzz::Counting random;
    fuzz::Counter counter;
    fuzz::Script script{Bytes{data, size}};
    Client client{config(script.octet()), ciphers, random, counter, counter};
    constexpr AttributeId attribute{8, obis::clock, 2};
    std::size_t asked = 0, outcomes = 0;
    const auto drain = [&] {
        while (client.take_output()) {
        }
        while (const auto event = client.take_event()) {
            const auto* failed = std::get_if<RequestFailed>(&*event);
            outcomes += std::holds_alternative<ReadCompleted>(*event) ||
                        std::holds_alternative<WriteCompleted>(*event) ||
                        std::holds_alternative<ActionCompleted>(*event) || (failed && failed->request);
        }
    };
    while (script.more()) {
        switch (script.octet() & 7) {
            case 0:
                client.associate();
                break;
            case 1:
                client.release();
                break;
            case 2:
                client.abort();
                break;
            case 3:
                client.get(attribute, EntrySelection{}), ++asked;
                break;
            case 4:
                client.set(attribute, OctetString{Buffer(script.octet(), 1)}), ++asked;
                break;
            case 5:
                client.act({70, obis::disconnect_control, 1}), ++asked;
                break;
            default:
                client.receive(script.chunk());
                break;
        }
        drain();
    }
    client.abort();
    drain();
    assert(outcomes == asked);
    assert(!client.busy());
    return 0;
}
