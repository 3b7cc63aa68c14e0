#pragma once
#include <deque>
#include <memory>

#include "concentrator/journal/journal_store.h"
#include "concentrator/reading/trusted_clock.h"
#include "concentrator/uplink/machines.h"
#include "concentrator/uplink/relay.h"
#include "concentrator/uplink/ways.h"
#include "protocol/dlms/server.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::concentrator {

struct UplinkSettings {
    DeviceNumber number;
    WaysSettings ways;
    Duration open_timeout = std::chrono::seconds{120}, login_timeout = std::chrono::seconds{60};
    Duration partial_timeout = std::chrono::seconds{60};
    Duration notify_interval = std::chrono::seconds{1};
    int beats_unanswered_max = 3;
    /// Where there is another way to go to, an unanswered heartbeat is repeated so soon.
    Duration beat_retry = std::chrono::seconds{6};
};

struct UplinkCounts {
    std::uint64_t opened = 0, logged_in = 0, malformed = 0, requests = 0, relayed = 0, notified = 0,
                  bad_checksums = 0;
};

/// The link to the head-end, sans-IO: calls in again and again with back-off, over whichever way works, logs
/// in, beats, serves logical device 1 to the head-end's two clients, relays to meters, tells when the journal
/// grew. Frames are wrapper PDUs (IEC 62056-47).
class Uplink {
public:
    Uplink(UplinkSettings settings, dlms::ObjectModel& device, Ciphers& ciphers, Random& random);
    ~Uplink();

    void opened(const Now& now);
    void closed(const std::string& reason, const Now& now);
    void receive(Bytes bytes, const Now& now);
    void tick(const Now& now);
    /// What became of a ProbeUplink.
    void probed(std::size_t way, bool answered, const Now& now) { ways_.probed(way, answered, now); }
    /// A bearer can carry us or not; all can at the beginning.
    void set_bearer(const std::string& bearer, bool available, const Now& now);
    std::optional<Action> take_action();
    Instant next_deadline() const;  ///< steady

    void set_heartbeat(Duration heartbeat) { heartbeat_ = heartbeat; }
    /// The journal grew; told to the head-end at most once a second.
    void notify(const Directory& directory) { directory_ = directory; }
    Relay& relay() { return relay_; }
    Machines& machines() { return machines_; }
    /// Answers of the relay go out here, and behind them what machines have to say.
    void flush_relay();
    bool logged_in() const { return state_ == State::ready; }
    const Ways& ways() const { return ways_; }
    Instant since() const { return since_; }  ///< steady; of being logged in, while it is
    const UplinkCounts& counts() const { return counts_; }

private:
    enum class State : std::uint8_t { waiting, opening, greeting, ready };
    void on_frame(const link::WrapperFrame& frame, const Now& now);
    void on_hello(const link::WrapperFrame& frame, const Now& now);
    void send(Sap destination, Buffer payload);
    void send_hello(link::Hello::Kind kind, std::uint8_t type);
    enum class Loss : std::uint8_t { closed, silent };
    void drop(const std::string& reason, Loss loss, const Now& now);
    void wait(const std::string& reason, Loss loss, const Now& now);
    void end_session(const Now& now);
    void tell_way(const std::string& what);
    void beat(const Now& now);
    void look_at_ways(const Now& now);
    void note(std::string text) { actions_.push_back(Note{std::move(text)}); }

    UplinkSettings settings_;
    Ways ways_;
    dlms::Server server_;
    Relay relay_;
    Machines machines_;
    State state_ = State::waiting;
    Instant since_{};    ///< steady; of the state
    Instant open_at_{};  ///< waiting: when to call in
    Instant beat_at_{}, beaten_{}, notify_at_{};
    std::optional<Instant> partial_since_;
    Duration heartbeat_ = std::chrono::seconds{60};
    int beats_unanswered_ = 0;
    std::uint32_t notification_ = 0;
    std::uint64_t generation_ = 0;  ///< of the connection: answers of an older one are dropped
    std::unique_ptr<link::WrapperDecoder> decoder_;
    std::optional<Directory> directory_;
    std::deque<Action> actions_;
    UplinkCounts counts_;
};

}  // namespace wattmesh::concentrator
