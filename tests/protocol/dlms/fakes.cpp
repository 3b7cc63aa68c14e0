#include "tests/protocol/dlms/fakes.h"

#include <utility>

#include "tests/protocol/dlms/vectors.h"

namespace wattmesh::dlms::test {

ClientKeys vector_keys() {
    return {*Key128::from(octets("000102030405060708090A0B0C0D0E0F")),
            *Key128::from(octets("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"))};
}

ClientKeys vector_keys_256() {
    return {*SymmetricKey::from(octets("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")),
            *SymmetricKey::from(octets("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEF"))};
}

void TableModel::reply(std::function<void()> answer) {
    ++calls;
    if (later)
        held_.push_back(std::move(answer));
    else
        answer();
}

void TableModel::answer() {
    for (const auto& held : std::exchange(held_, {})) held();
}

void TableModel::get(const AttributeId& id, const Selection& chosen, Sap, Instant,
                     std::function<void(ReadOutcome)> done) {
    asked = id;
    selection = chosen;
    const auto found = values_.find(id.object);
    ReadOutcome outcome = AccessResult::object_undefined;
    if (found != values_.end()) outcome = found->second;
    reply([done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
}

void TableModel::set(const AttributeId& id, const Data& value, Sap, Instant,
                     std::function<void(AccessResult)> done) {
    asked = id;
    values_[id.object] = value;
    reply([done = std::move(done)] { done(AccessResult::success); });
}

void TableModel::act(const MethodId& id, const std::optional<Data>& given, Sap, Instant,
                     std::function<void(ActionOutcome)> done) {
    acted = id;
    argument = given;
    reply([done = std::move(done), value = returned] { done({AccessResult::success, value}); });
}

namespace {
ClientAccess wired(ClientAccess access, Pair& pair) {
    access.send = &pair.server_send;
    access.receive = &pair.server_receive;
    return access;
}
}  // namespace

Pair::Pair(ClientConfig config, ClientAccess access)
    : sap(access.client),
      server(server_title, {wired(access, *this)}, model, ciphers, server_random),
      client(std::move(config), ciphers, client_random, client_send, client_receive) {}

int Pair::run() {
    int count = 0;
    for (auto request = client.take_output(); request; request = client.take_output()) {
        ++count;
        requests.push_back(*request);
        server.handle(sap, *request, now, [this](Buffer answer) {
            answers.push_back(answer);
            client.receive(answer);
        });
    }
    return count;
}

std::vector<ClientEvent> Pair::events() {
    std::vector<ClientEvent> all;
    while (auto event = client.take_event()) all.push_back(std::move(*event));
    return all;
}

}  // namespace wattmesh::dlms::test
