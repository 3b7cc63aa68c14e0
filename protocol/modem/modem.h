#pragma once
#include <deque>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/modem/at_reader.h"

namespace wattmesh::modem {

struct ModemSettings {
    std::string pin;  ///< four to eight digits; empty: the SIM wants none
    std::string apn, user, password;
    bool reset_line = false;  ///< somebody performs Reset
    Duration answer_timeout = std::chrono::seconds{5};
    Duration attach_timeout = std::chrono::seconds{150};  ///< of AT+CGATT and AT+QIACT
    Duration registration_timeout = std::chrono::minutes{3};
    Duration open_timeout = std::chrono::seconds{60};
    Duration look_every = std::chrono::seconds{30};  ///< at signal and registration
    Duration boot_time = std::chrono::seconds{20};   ///< after a restart, at most
    Duration retry_min = std::chrono::seconds{5}, retry_max = std::chrono::minutes{10};
};

enum class ModemState : std::uint8_t {
    starting,
    silent,  ///< answers nothing
    no_sim,
    pin_needed,   ///< and none is configured
    pin_refused,  ///< it is wrong, or so few tries are left that it is not tried
    puk_needed,
    registering,
    denied,  ///< by the network
    attaching,
    ready,
    resting  ///< between two attempts
};
std::string_view to_string(ModemState state);

/// 3GPP TS 27.007, 7.2, <stat>.
enum class Network : std::uint8_t { idle = 0, home = 1, searching = 2, denied = 3, unknown = 4, roaming = 5 };

struct ModemCounts {
    std::uint32_t redials = 0, restarts = 0, resets = 0;
    std::uint64_t commands = 0, unanswered = 0, errors = 0, unknown_lines = 0;
};

using SocketId = std::uint8_t;
/// What the owner of the serial port does and learns.
struct WriteSerial {
    Buffer bytes;
};
struct Reset {};  ///< pulse the reset line
struct SocketOpened {
    SocketId socket = 0;
};
struct SocketReceived {
    SocketId socket = 0;
    Buffer bytes;
};
struct SocketClosed {
    SocketId socket = 0;
    std::string reason;
};
using ModemAction = std::variant<WriteSerial, Reset, SocketOpened, SocketReceived, SocketClosed>;

/// A cellular modem on a serial line, sans-IO: SIM and PIN, registration, APN, attachment, TCP connections of
/// the modem's own stack, and recovery when it goes wrong. Instants are real and steady. Standard commands as
/// in 3GPP TS 27.007; TCP in the dialect of Quectel's EC2x/EG9x (TCP/IP application note, direct push mode),
/// of which there is no standard.
///
///   AT, ATE0 -> SIM, PIN -> registered -> attached, context active -> ready -> sockets
///
/// What fails is tried again, ever harder: twice a new context (redial), twice AT+CFUN=1,1 (restart), then
/// the reset line, with rests in between that double.
class Modem {
public:
    static constexpr SocketId sockets_max = 2;

    explicit Modem(ModemSettings settings) : settings_(std::move(settings)) {}

    void start(const Instant& now);
    void receive(Bytes bytes, const Instant& now);
    void tick(const Instant& now);
    Instant next_deadline() const;
    std::optional<ModemAction> take_action();

    /// A TCP connection; nothing while not ready, all are taken, or not all of
    /// take_action() was taken yet. SocketOpened or SocketClosed follows.
    std::optional<SocketId> open(const std::string& host, std::uint16_t port, const Instant& now);
    /// Queued; what lies in the queue of a socket is bounded by its owner (queued()).
    void send(SocketId socket, Bytes bytes, const Instant& now);
    /// Not zero before the modem has taken the last of it.
    std::size_t queued(SocketId socket) const;
    /// Cut; no SocketClosed follows.
    void close(SocketId socket, const Instant& now);

    ModemState state() const { return state_; }
    /// Why it is not ready, or was not the last time.
    const std::string& reason() const { return reason_; }
    /// Of the packet domain where it knows one, else of the circuit-switched one.
    Network network() const;
    const std::string& operator_name() const { return operator_; }
    std::optional<int> signal_dbm() const { return signal_dbm_; }
    const ModemCounts& counts() const { return counts_; }
    std::uint64_t garbled_lines() const { return reader_.dropped(); }

private:
    /// tell: what is sent and changes nothing when it is refused; tidy: what need not even be answered.
    enum class Step : std::uint8_t {
        hello,
        sim,
        tries,
        enter_pin,
        tell,
        ask_circuit,
        ask_packet,
        operator_name,
        signal,
        attach,
        activate,
        tidy,
        open,
        send
    };
    enum class Outcome : std::uint8_t { ok, error, silent };
    struct Command {
        Step step{};
        std::string text;
        Duration timeout{};
        SocketId socket = 0;
        Buffer data{};  ///< goes out after the prompt
    };
    struct Socket {
        Buffer waiting;
        bool open = false, sending = false;
        Instant asked{};
    };
    void command(Step step, std::string text, Duration timeout);
    void command(Step step, std::string text) { command(step, std::move(text), settings_.answer_timeout); }
    void write_next(const Instant& now);
    void on_line(const std::string& line, const Instant& now);
    bool on_unsolicited(const std::string& line, const Instant& now);
    void on_registration(const std::string& line, Network& network, Step asked);
    void on_answer_line(const std::string& line);
    void finish(Outcome outcome, const Instant& now);
    void advance(const Command& done, Outcome outcome, const Instant& now);
    void on_sim(Outcome outcome, const Instant& now);
    void on_tries(const Instant& now);
    void ask_network(const Instant& now);
    void on_network(const Instant& now);
    void attach();
    void look(const Instant& now);
    void fail(ModemState state, const std::string& reason, const Instant& now);
    Duration climb(int rung, Duration rest, const Instant& now);
    void on_socket_line(const std::string& line, const Instant& now);
    void on_opened(SocketId socket, int error, const Instant& now);
    void on_sent(SocketId socket, bool sent);
    bool told_of(SocketId socket) const;
    void flush(SocketId socket);
    void hang_up(SocketId socket);
    void end_socket(SocketId socket, const std::string& reason);
    void count_open_failure(const Instant& now);

    ModemSettings settings_;
    AtReader reader_;
    std::deque<ModemAction> actions_;
    std::deque<Command> commands_;
    std::optional<Command> running_;
    Instant running_until_ = never, resume_at_ = never, look_at_ = never, registered_by_ = never;
    ModemState state_ = ModemState::starting;
    std::string reason_, sim_;
    std::optional<std::string> refused_pin_;
    std::optional<int> tries_left_;
    Network circuit_ = Network::unknown, packet_ = Network::unknown;
    std::string operator_;
    std::optional<int> signal_dbm_;
    std::map<SocketId, Socket> sockets_;
    SocketId raw_socket_ = 0;
    int failures_ = 0, opens_failed_ = 0, silences_ = 0;
    ModemCounts counts_;
};

}  // namespace wattmesh::modem
