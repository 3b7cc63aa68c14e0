#pragma once
#include <deque>
#include <optional>
#include <variant>

#include "protocol/base/time.h"
#include "protocol/link/iec62056_21.h"

/// The sign-on itself, both ends, as sans-IO state: octets and timers in, actions out. When a side is
/// `ready`, the line is HDLC's (IEC 62056-21:2002, annex E).
///
///   reader: request ---> identification ---> pause ---> select, new rate ---> confirmation, 8N1 ---> ready
///   meter:  request ---> pause, identification ---> select, new rate ---> pause, confirmation, 8N1 --->
///   ready
namespace wattmesh::link {

/// How a character looks on the line.
enum class Framing : std::uint8_t { seven_even, eight_none };
/// From the next octet on, when what was sent before has left. Through a device server without RFC 2217 there
/// is nothing to switch: it only tells.
struct SwitchBaud {
    unsigned baud = 300;
    Framing framing = Framing::seven_even;
    friend bool operator==(const SwitchBaud&, const SwitchBaud&) = default;
};
/// Call `timed_out` after this real time, unless another StartTimer comes before.
struct StartTimer {
    Duration after{};
    friend bool operator==(const StartTimer&, const StartTimer&) = default;
};
/// What the owner of the line does, in this order; octets are sent.
using SignOnAction = std::variant<Buffer, SwitchBaud, StartTimer>;

/// Cuts the characters into messages. Parity bits of a line that is left at eight bits are taken off.
class SignOnDecoder {
public:
    void feed(Bytes bytes);
    /// The next message with its CR LF, or a single NAK.
    std::optional<Buffer> next();
    /// What is left, as it came: it belongs to the protocol behind the sign-on.
    Buffer take_rest();
    void reset() { raw_.clear(); }
    std::uint64_t refused() const { return refused_; }

    static constexpr std::size_t waiting_max = 4'096;  ///< octets while a pause lasts; more are dropped

private:
    Buffer raw_;
    std::uint64_t refused_ = 0;
};

/// The reader's end.
class ModeEClient {
public:
    enum class State : std::uint8_t { idle, waking, asking, pausing, selecting, settling, ready, failed };
    enum class Failure : std::uint8_t { none, no_answer, not_offered, bad_baud, refused };
    struct Config {
        std::string address{};       ///< of the meter; empty: whoever is at the head
        bool wake_up = false;        ///< for meters on battery: zeros for 2.2 s first (annex B)
        unsigned baud_max = 19'200;  ///< a meter that offers more is kept at 300
        unsigned attempts_max = 3;   ///< requests
        /// For a whole message: 1.5 s by the standard, and its characters, and the way to a device server.
        Duration answer_max = std::chrono::seconds{3};
        bool confirmation_required =
            true;  ///< false: a meter that is silent after the select is in HDLC, too
    };
    explicit ModeEClient(Config config) : config_(std::move(config)) {}

    void start();
    void feed(Bytes bytes);
    void timed_out();
    std::optional<SignOnAction> take_action();
    State state() const { return state_; }
    bool ready() const { return state_ == State::ready; }
    Failure failure() const { return failure_; }
    /// What the meter said of itself; valid from `pausing` on.
    const SignOnIdentification& meter() const { return meter_; }
    /// Octets behind the sign-on.
    Buffer take_rest() { return decoder_.take_rest(); }
    std::uint64_t refused() const { return decoder_.refused() + refused_; }

private:
    void ask();
    void on_identification(Bytes message);
    void on_confirmation(Bytes message);
    void fail(Failure failure);
    Duration reaction() const;

    Config config_;
    State state_ = State::idle;
    Failure failure_ = Failure::none;
    unsigned attempts_ = 0;
    SignOnIdentification meter_;
    SignOnSelect select_;
    SignOnDecoder decoder_;
    std::deque<SignOnAction> actions_;
    std::uint64_t refused_ = 0;
};

/// The meter's end: answers any number of requests; only a select of HDLC leads on.
class ModeEServer {
public:
    enum class State : std::uint8_t { idle, answering, selecting, confirming, ready };
    struct Config {
        SignOnIdentification identification{};  ///< with what it offers; `enhanced` "2"
        std::string address{};                  ///< device address
        Duration reaction = std::chrono::milliseconds{200};
        Duration select_max = std::chrono::seconds{3};  ///< as answer_max
        unsigned repeats_max = 3;                       ///< for NAK
    };
    explicit ModeEServer(Config config) : config_(std::move(config)) {}

    /// At rest; after HDLC has ended, too: 300 baud again.
    void start();
    void feed(Bytes bytes);
    void timed_out();
    std::optional<SignOnAction> take_action();
    State state() const { return state_; }
    bool ready() const { return state_ == State::ready; }
    Buffer take_rest() { return decoder_.take_rest(); }
    /// Messages that were not for us, of another mode, or nonsense.
    std::uint64_t refused() const { return decoder_.refused() + refused_; }

private:
    void on_message(Bytes message);
    void answer();

    Config config_;
    State state_ = State::idle;
    unsigned repeats_ = 0;
    SignOnSelect select_;
    SignOnDecoder decoder_;
    std::deque<SignOnAction> actions_;
    std::uint64_t refused_ = 0;
};

}  // namespace wattmesh::link
