#pragma once
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "protocol/base/cipher.h"
#include "protocol/dlms/client.h"
#include "protocol/dlms/server.h"
#include "security/ciphers.h"

/// Ports for tests: counters in memory, predictable chance, objects from a table.
namespace wattmesh::dlms::test {

inline constexpr SystemTitle server_title{{0x4D, 0x4D, 0x4D, 0x00, 0x00, 0xBC, 0x61, 0x4E}};
inline constexpr SystemTitle client_title{{0x4D, 0x4D, 0x4D, 0x00, 0x00, 0x00, 0x00, 0x01}};
/// Keys of the published vectors (tests/vectors/README.md).
ClientKeys vector_keys();
/// Those of suite 2.
ClientKeys vector_keys_256();

class MemoryCounter : public CounterStore {
public:
    explicit MemoryCounter(std::optional<std::uint32_t> first = 1) : next_(first) {}
    std::optional<std::uint32_t> next() override {
        const auto value = next_;
        if (next_) next_ = *next_ == UINT32_MAX ? std::nullopt : std::optional{*next_ + 1};
        return value;
    }
    bool accept(std::uint32_t received) override {
        if (accepted_ && received <= *accepted_) return false;
        accepted_ = received;
        return true;
    }
    void raise(std::uint32_t next) override {
        if (next_ && next > *next_) next_ = next;
    }
    void restart() override {
        next_ = 1;
        accepted_.reset();
    }
    std::optional<std::uint32_t> expected() const override { return accepted_ ? *accepted_ + 1 : 0; }

private:
    std::optional<std::uint32_t> next_, accepted_;
};

/// A stream of octets from a seed; the same seed gives the same octets.
class SeededRandom : public Random {
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

/// Attributes in a table; remembers what it was asked. `later` holds answers back until `answer()`.
class TableModel : public ObjectModel {
public:
    void get(const AttributeId& id, const Selection& selection, Sap client, Instant now,
             std::function<void(ReadOutcome)> done) override;
    void set(const AttributeId& id, const Data& value, Sap client, Instant now,
             std::function<void(AccessResult)> done) override;
    void act(const MethodId& id, const std::optional<Data>& argument, Sap client, Instant now,
             std::function<void(ActionOutcome)> done) override;

    void put(const AttributeId& id, Data value) { values_[id.object] = std::move(value); }
    const Data& at(const AttributeId& id) const { return values_.at(id.object); }
    void answer();

    bool later = false;
    Data returned = std::uint8_t{42};  ///< by every method
    int calls = 0;
    std::optional<AttributeId> asked;
    Selection selection;
    std::optional<MethodId> acted;
    std::optional<Data> argument;

private:
    void reply(std::function<void()> answer);
    std::map<ObisCode, Data> values_;
    std::vector<std::function<void()>> held_;
};

/// One client and one server with nothing but a table between them.
struct Pair {
    Pair(ClientConfig config, ClientAccess access);
    /// Carries APDUs both ways until nothing moves; returns how many the client sent.
    int run();
    std::vector<ClientEvent> events();

    security::OpensslCiphers ciphers;
    SeededRandom client_random{1}, server_random{2};
    MemoryCounter client_send, client_receive, server_send, server_receive;
    TableModel model;
    Sap sap;
    Server server;
    Client client;
    std::vector<Buffer> requests, answers;  ///< as on the wire
};

inline constexpr Instant now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};
inline constexpr AttributeId clock_time{8, obis::clock, 2};
inline constexpr AttributeId import_total{3, obis::active_import_total, 2};
inline constexpr AttributeId profile_buffer{7, obis::load_profile, 2};

}  // namespace wattmesh::dlms::test
