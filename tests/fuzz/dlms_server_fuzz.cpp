#include <cassert>

#include "protocol/dlms/server.h"
#include "tests/fuzz/dlms_fakes.h"

namespace {

using namespace wattmesh;
using namespace wattmesh::dlms;

constexpr std::uint16_t pdu_size = 64;

/// Shows one long value and takes everything; answers late when told to.
class Model : public ObjectModel {
public:
    void get(const AttributeId& id, const Selection&, Sap, Instant,
             std::function<void(ReadOutcome)> done) override {
        ReadOutcome outcome = AccessResult::object_undefined;
        if (id.class_id != 0) outcome = Data{OctetString{Buffer(id.object.groups[5], 0xAA)}};
        answer([=] { done(outcome); });
    }
    void set(const AttributeId&, const Data&, Sap, Instant, std::function<void(AccessResult)> done) override {
        answer([=] { done(AccessResult::success); });
    }
    void act(const MethodId&, const std::optional<Data>& argument, Sap, Instant,
             std::function<void(ActionOutcome)> done) override {
        answer([=] { done({AccessResult::success, argument}); });
    }
    void answer(std::function<void()> now) {
        if (later)
            held = std::move(now);
        else
            now();
    }
    bool later = false;
    std::function<void()> held;
};

std::vector<ClientAccess> clients(CounterStore& counter) {
    std::vector<ClientAccess> all;
    for (int kind = 0; kind < 5; ++kind) {
        ClientAccess access;
        access.client = Sap{static_cast<std::uint16_t>(kind)};
        access.mechanism = kind == 1 ? Mechanism::low : kind == 2 ? Mechanism::high_gmac : Mechanism::none;
        access.password = Buffer{'1', '2', '3', '4', '5', '6', '7', '8'};
        access.ciphered = kind == 2 || kind == 4;
        access.pre_established = kind == 3 || kind == 4;
        access.keys = ClientKeys{};
        if (kind == 4) access.client_title = SystemTitle{};
        access.pdu_size_max = pdu_size;
        access.send = access.receive = &counter;
        all.push_back(std::move(access));
    }
    return all;
}

}  // namespace

/// A script of requests of five kinds of client: no answer is empty or longer than the PDU size allows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::OpenCiphers ciphers;
    fuzz::Counting random;
    fuzz::Counter counter;
    Model model;
    Server server{SystemTitle{{'W', 'M', 'T'}}, clients(counter), model, ciphers, random};
    fuzz::Script script{Bytes{data, size}};
    while (script.more()) {
        const std::uint8_t operation = script.octet();
        const Sap client{static_cast<std::uint16_t>(operation & 7)};
        model.later = operation & 8;
        if (operation & 16) server.disconnect(client);
        if (operation & 32 && model.held) std::exchange(model.held, nullptr)();
        int answers = 0;
        const Bytes apdu = script.chunk();
        const bool opens = !apdu.empty() && apdu[0] == 0x60;
        server.handle(client, apdu, Instant{}, [=, &answers](Buffer answer) mutable {
            assert(!answer.empty());
            assert(opens || answer.size() <= pdu_size);
            static_cast<void>(answers);
        });
    }
    if (model.held) model.held();
    return 0;
}
