#pragma once
#include <deque>
#include <optional>

#include "headend/frontend/relay.h"

namespace wattmesh::headend::frontend {

struct HalfDuplexSettings {
    Duration timeout = std::chrono::seconds{60};  ///< cellular meters take their time
    /// After a timeout nothing is asked for this long, unless the late answer comes: it cannot pass for the
    /// next request's.
    Duration rest = std::chrono::seconds{20};
    std::size_t waiting_max = 64;
};

/// APDUs to the one device at the other end of a link: one request, one answer, the next request.
class HalfDuplex {
public:
    HalfDuplex(const HalfDuplexSettings& settings, const Instant& now) : settings_(settings), now_(now) {}

    void request(Sap client, Buffer apdu, Relay::Done done);
    /// An APDU that came; false when nobody waits for one: a late answer, dropped.
    bool receive(Bytes apdu);
    void tick();
    /// The link ended: what is open or waits ends as offline.
    void close();
    /// What to send now, under which client.
    std::optional<std::pair<Sap, Buffer>> take_output();

    /// When tick() or take_output() has something to do by the passing of time alone.
    Instant due() const;
    bool open() const { return open_.has_value(); }
    /// First octet of the open request: what answers look like depends on it.
    std::uint8_t open_tag() const { return open_ ? open_->tag : std::uint8_t{0}; }
    std::uint64_t late_answers() const { return late_answers_; }
    std::uint64_t timeouts() const { return timeouts_; }

private:
    struct Waiting {
        Sap client;
        Buffer apdu;
        Relay::Done done;
        Instant asked{};
    };
    struct Open {
        Relay::Done done;
        Instant sent{};
        std::uint8_t tag = 0;
    };
    const HalfDuplexSettings& settings_;
    const Instant& now_;
    std::deque<Waiting> waiting_;
    std::optional<Open> open_;
    std::optional<Instant> rests_until_;
    std::uint64_t late_answers_ = 0, timeouts_ = 0;
    bool closed_ = false;
};

}  // namespace wattmesh::headend::frontend
