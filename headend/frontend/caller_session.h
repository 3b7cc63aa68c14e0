#pragma once
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "headend/frontend/caller_end.h"
#include "headend/frontend/caller_ports.h"
#include "headend/frontend/guard.h"
#include "headend/frontend/half_duplex.h"
#include "headend/frontend/modbus_speech.h"
#include "headend/frontend/session_life.h"
#include "headend/frontend/terminal_speech.h"
#include "protocol/base/cipher.h"
#include "protocol/dlms/client.h"
#include "protocol/dlms/general_block.h"
#include "protocol/link/hello_profile.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::headend::frontend {

/// What a port is for. Profiles outlive it.
struct CallerPort {
    std::string name;
    std::vector<const link::HelloProfile*> profiles;
    bool sniff = false;  ///< also who says no hello that a profile knows, if he speaks DLMS in a wrapper
    link::Carried carries = link::Carried::wrapper;  ///< all its profiles do
    /// How often devices without a profile say that they are there; nothing: as CallerSettings has it.
    std::optional<Duration> beat_every{};
};

struct CallerSettings {
    Duration identity_deadline = std::chrono::seconds{60};
    /// A device that said nothing is asked who it is: logical device name, as public client.
    Duration ask_identity_after = std::chrono::seconds{10};
    Duration partial_deadline = std::chrono::seconds{10};
    Duration standing_retry = std::chrono::seconds{60};  ///< a quarantined number is looked up again
    Duration beat_default = std::chrono::seconds{60};    ///< of a device without a profile
    std::size_t payload_size_max = 8 * 1'024;
    std::size_t octets_per_minute_max = 1 << 20;
    std::size_t early_pushes_max = 4;  ///< pushes kept until the store knows the device
    HalfDuplexSettings exchange;
    /// Modbus: a request is a Modbus PDU, its SAP the unit.
    HalfDuplexSettings bus_exchange{
        .timeout = std::chrono::seconds{5}, .rest = std::chrono::seconds{1}, .waiting_max = 8};
    /// Q/GDW 376.1: a request is a whole frame, an answer all its frames. Late ones are told by their number.
    HalfDuplexSettings terminal_exchange{
        .timeout = std::chrono::seconds{90}, .rest = std::chrono::seconds{0}, .waiting_max = 16};
};

struct CallerCounters {
    std::uint64_t frames = 0, octets = 0, logins = 0, beats = 0, bad_checksums = 0, pushes = 0, early = 0,
                  dropped_pushes = 0, unasked = 0, malformed = 0, noise = 0;
};

/// Everything a session borrows; outlives it.
struct CallerWorld {
    CallerDirectory& directory;
    CallerWork& work;
    Ciphers& ciphers;
    Random& random;
    const CallerSettings& settings;
    const Instant& now;
    /// Sessions that something else than their link moved: a completion, a request, an order to end.
    std::set<LinkId>& moved;
};

/// One link of a device of another make, from accept to close, as sans-IO state: who it is (hello, or a
/// read), heartbeats answered before any database work, APDUs one at a time, pushes handed on.
///
///   accepted --hello or logical device name--> identified --store knows it--> ready
///                                              identified --it does not--> quarantined (looked up again)
class CallerSession : private life::Actions {
public:
    CallerSession(const CallerWorld& world, LinkId link, const CallerPort& port);
    ~CallerSession() override;

    void receive(Bytes bytes);
    /// Who it is, when we called it: nothing is asked.
    void known_as(const std::string& identity) { identify(identity); }
    void tick();
    /// When tick() has something to do by the passing of time alone.
    Instant due() const;
    void end(CallerEnd end, const std::string& detail = {});
    /// Octets to send, in order.
    std::vector<Buffer> take_output();
    /// One request; nothing is sent before the session is ready. A bus: SAP and APDU are unit and PDU; a
    /// terminal: the APDU is a frame, whose sequence number is put in here.
    void request(Sap client, Buffer apdu, Relay::Done done);

    Phase phase() const { return life_.phase; }
    /// As the device says it; known as soon as it said it.
    const std::string& identity() const { return identity_; }
    /// Nothing for a device without a number that we could have: all zeros, letters.
    const std::optional<DeviceNumber>& number() const { return number_; }
    OwnerEpoch epoch() const { return epoch_; }
    const link::HelloProfile* profile() const { return profile_; }
    CallerEnd ended() const { return ended_; }
    const std::string& end_detail() const { return end_detail_; }
    Instant since() const { return since_; }
    Instant last_frame() const { return last_frame_; }
    Duration silence_max() const;
    const CallerCounters& counters() const { return counters_; }
    const HalfDuplex& exchange() const { return exchange_; }
    /// First octets that came, for quarantine.
    const Buffer& first_octets() const { return first_octets_; }

private:
    void ask_standing() override;
    void start_work(OwnerEpoch epoch) override;
    void stop(const std::string& reason) override;

    void receive_modbus(Bytes bytes);
    void receive_terminal(Bytes bytes);
    void on_terminal_frame(const gdw376::Frame& frame);
    void consume_noise();
    void consume();
    bool consume_one();
    bool consume_frame(const link::HelloFound& hello);
    void on_hello(const link::HelloFound& found);
    void on_frame(const link::WrapperFrame& frame);
    void on_push(Buffer apdu);
    bool is_push(Bytes apdu) const;
    void identify(const std::string& identity);
    void on_standing(const std::optional<SessionOpened>& opened);
    void ask_identity();
    void on_identity_apdu(Bytes apdu);
    void send(Sap client, Bytes apdu);
    void watch_deadlines();

    const CallerWorld& world_;
    const LinkId link_;
    const CallerPort& port_;
    life::Life life_;
    Buffer buffer_, first_octets_;
    std::vector<Buffer> output_;
    const link::HelloProfile* profile_ = nullptr;
    bool speaks_wrapper_ = false;
    std::string identity_;
    std::optional<DeviceNumber> number_;
    OwnerEpoch epoch_;
    CallerEnd ended_{};
    std::string end_detail_;
    Instant since_, last_frame_, minute_began_;
    std::uint64_t octets_this_minute_ = 0;
    std::optional<Instant> partial_since_, ask_at_;
    Guard standing_guard_;
    Backoff standing_backoff_;
    HalfDuplex exchange_;
    std::optional<ModbusSpeech> modbus_;
    std::optional<TerminalSpeech> terminal_;
    std::vector<Buffer> early_pushes_;
    dlms::BlockCollector push_blocks_;  ///< of a push that comes in several (general block transfer)
    std::unique_ptr<CounterStore> no_counters_;
    std::unique_ptr<dlms::Client> asker_;  ///< while we ask who it is
    CallerCounters counters_;
};

/// The number in an identity of up to twelve decimal digits, zeros put before; nothing for all zeros and for
/// anything else. Of a logical device name the last twelve characters count.
std::optional<DeviceNumber> number_of_identity(std::string_view identity);

}  // namespace wattmesh::headend::frontend
