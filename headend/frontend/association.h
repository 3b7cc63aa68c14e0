#pragma once
#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "protocol/base/cipher.h"
#include "protocol/dlms/client.h"

namespace wattmesh::headend::frontend {

/// The head-end as one DLMS client of a concentrator's logical device: requests in order, each with its own
/// completion. Not ciphered: mutual TLS protects the link. Completions get nothing when the peer broke the
/// protocol or answered with an exception.
class Association {
public:
    using ReadDone = std::function<void(std::optional<dlms::ReadOutcome>)>;
    using WriteDone = std::function<void(std::optional<dlms::AccessResult>)>;
    using ActDone = std::function<void(std::optional<dlms::ActionOutcome>)>;

    Association(Sap own, Ciphers& ciphers, Random& random, const Instant& now);

    void get(const dlms::AttributeId& id, const dlms::Selection& selection, ReadDone done);
    void set(const dlms::AttributeId& id, dlms::Data value, WriteDone done);
    void act(const dlms::MethodId& id, std::optional<dlms::Data> argument, ActDone done);
    void receive(Bytes apdu);
    /// The link ended: everything open fails, nothing more is sent.
    void close();
    /// What is to be sent, APDU by APDU.
    std::optional<Buffer> take_output();
    std::optional<dlms::Data> take_notification();

    Sap own() const { return own_; }
    /// Since when the open request has waited for the next octets of its answer; nothing when none is open.
    std::optional<Instant> waiting_since() const;
    /// The concentrator refused the association: nothing can be asked here.
    bool refused() const { return refused_; }
    std::uint64_t malformed() const { return malformed_; }

private:
    void associate_once();
    void take_events();
    void on(const dlms::ReadCompleted& event);
    void on(const dlms::WriteCompleted& event);
    void on(const dlms::ActionCompleted& event);
    void on(const dlms::RequestFailed& event);
    void fail_all();

    const Instant& now_;
    Sap own_;
    struct NoCounters : CounterStore {
        std::optional<std::uint32_t> next() override { return std::nullopt; }
        bool accept(std::uint32_t) override { return false; }
        void raise(std::uint32_t) override {}
    } no_counters_;
    dlms::Client client_;
    std::map<dlms::RequestId, ReadDone> reads_;
    std::map<dlms::RequestId, WriteDone> writes_;
    std::map<dlms::RequestId, ActDone> acts_;
    std::deque<dlms::Data> notifications_;
    std::optional<Instant> progress_;
    bool associating_ = false, refused_ = false, closed_ = false;
    std::uint64_t malformed_ = 0;
};

}  // namespace wattmesh::headend::frontend
