#pragma once
#include <map>
#include <optional>
#include <vector>

#include "protocol/dlms/client.h"
#include "protocol/dlms/server.h"
#include "security/ciphers.h"
#include "tests/conformance/layer.h"

namespace wattmesh::conformance {

/// How a client and a server trust each other.
struct Mode {
    const char* name;
    std::function<void(dlms::ClientConfig&, dlms::ClientAccess&)> set;
    bool ciphered = false;
    /// The least PDU, octets, in which the association opens: signatures and public keys are long.
    std::uint16_t pdu_size_min = 0;
};
const std::vector<Mode>& modes();

class Counter final : public CounterStore {
public:
    std::optional<std::uint32_t> next() override { return ++last_; }
    bool accept(std::uint32_t received) override {
        if (received <= accepted_) return false;
        accepted_ = received;
        return true;
    }
    void raise(std::uint32_t next) override { last_ = std::max(last_, next - 1); }
    void restart() override { last_ = accepted_ = 0; }

private:
    std::uint32_t last_ = 0, accepted_ = 0;
};

class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
    void fill(std::span<std::uint8_t> out) override {
        for (auto& octet : out) {
            state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
            octet = static_cast<std::uint8_t>(state_ >> 56);
        }
    }

private:
    std::uint64_t state_;
};

/// Attributes in a table, one of them a profile of 40 rows; remembers what was called.
class Objects final : public dlms::ObjectModel {
public:
    Objects();
    void get(const dlms::AttributeId& id, const dlms::Selection& selection, Sap client, Instant now,
             std::function<void(dlms::ReadOutcome)> done) override;
    void set(const dlms::AttributeId& id, const dlms::Data& value, Sap client, Instant now,
             std::function<void(dlms::AccessResult)> done) override;
    void act(const dlms::MethodId& id, const std::optional<dlms::Data>& argument, Sap client, Instant now,
             std::function<void(dlms::ActionOutcome)> done) override;

    std::map<ObisCode, dlms::Data> values;
    std::vector<dlms::CaptureObject> columns;
    std::vector<dlms::Data> rows;
    std::vector<std::pair<dlms::MethodId, std::optional<dlms::Data>>> called;
    int changes = 0;
};

struct BenchSettings {
    std::uint16_t pdu_size = 200;
    bool general_blocks = false;
};

/// A client and a server with one lower layer between them.
class Bench {
public:
    Bench(const Mode& mode, const LayerKind& layer, BenchSettings settings);
    /// Carries APDUs both ways until nothing moves.
    void run();
    /// The only event; another kind fails the test.
    template <class Event>
    Event only() {
        std::vector<dlms::ClientEvent> events;
        while (auto event = client.take_event()) events.push_back(std::move(*event));
        if (events.size() == 1 && std::holds_alternative<Event>(events[0])) return std::get<Event>(events[0]);
        fail(events);
        return {};
    }

    security::OpensslCiphers ciphers;
    SeededRandom client_random{1}, server_random{2};
    Counter client_send, client_receive, server_send, server_receive;
    Objects objects;
    std::unique_ptr<Layer> layer;
    std::optional<dlms::Server> server;
    std::optional<dlms::Client> client_made;
    dlms::Client& client;
    static constexpr Sap sap = management_client;

private:
    static void fail(const std::vector<dlms::ClientEvent>& events);
};

}  // namespace wattmesh::conformance
