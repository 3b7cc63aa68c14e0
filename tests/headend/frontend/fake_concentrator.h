#pragma once
#include <deque>
#include <map>
#include <set>

#include "protocol/dcu/journal.h"
#include "protocol/dcu/objects.h"
#include "protocol/dlms/server.h"
#include "protocol/link/tunnel.h"
#include "protocol/link/wrapper.h"
#include "security/ciphers.h"

namespace wattmesh::headend::frontend {

/// Predictable octets.
struct CountingRandom : Random {
    void fill(std::span<std::uint8_t> out) override {
        for (auto& octet : out) octet = next++;
    }
    std::uint8_t next = 1;
};

/// The concentrator's end of an uplink: a real DLMS server whose objects are plain members, hello and wrapper
/// around it, and meters that answer what `meter_answers` says.
class FakeConcentrator : private dlms::ObjectModel {
public:
    explicit FakeConcentrator(const std::string& number);

    struct Journal {
        JournalId id;
        std::vector<dlms::Data> rows;
        Sequence acknowledged;
        std::uint64_t last_claimed = 0;  ///< directory's `last` when not 0
    };
    /// An interval entry: `count` rows of four channels that end at `first`, `first` + 15 min, ...
    dlms::Data interval_entry(std::uint64_t sequence, const std::string& meter, Instant first, int count,
                              std::uint32_t value = 100);
    dlms::Data directory() const;

    Buffer login();
    Buffer heartbeat();
    Buffer notification();
    /// Queued, as of a vending machine that is attached.
    void tunnel(const link::TunnelMessage& message);
    /// Octets from the front-end; answers are queued.
    void receive(Bytes bytes, Instant now);
    /// Octets to the front-end, PDU by PDU.
    std::optional<Buffer> take();

    std::string number;
    std::vector<Journal> journals;
    std::map<ObisCode, dlms::Data> objects;  ///< as GET shows them
    std::vector<std::pair<ObisCode, dlms::Data>> writes;
    std::set<ObisCode> refuses;  ///< SET answers read_write_denied
    Instant clock{};
    bool clock_stands = false;   ///< takes the SET and forgets it
    Buffer request{0x30, 0x00};  ///< certificate request
    int reads_of_journal = 0, hello_acks = 0, beat_acks = 0;
    std::vector<link::GatewayFrame> relayed;
    std::vector<Sap> relayed_clients;              ///< under which each of them came
    std::vector<link::TunnelMessage> tunnelled;    ///< what the front-end said of tunnels
    std::map<DeviceNumber, Buffer> meter_answers;  ///< no entry: silent
    bool silent = false;                           ///< takes everything, says nothing

private:
    void get(const dlms::AttributeId& id, const dlms::Selection& selection, Sap client, Instant now,
             std::function<void(dlms::ReadOutcome)> done) override;
    void set(const dlms::AttributeId& id, const dlms::Data& value, Sap client, Instant now,
             std::function<void(dlms::AccessResult)> done) override;
    void act(const dlms::MethodId& id, const std::optional<dlms::Data>& argument, Sap client, Instant now,
             std::function<void(dlms::ActionOutcome)> done) override;
    void send(Sap from, Sap to, Buffer payload);

    security::OpensslCiphers ciphers_;
    CountingRandom random_;
    dlms::Server server_;
    link::WrapperDecoder decoder_;
    std::deque<Buffer> output_;
};

}  // namespace wattmesh::headend::frontend
