#pragma once
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "protocol/base/bytes.h"
#include "protocol/base/time.h"

namespace wattmesh::sim {

/// What is true of a simulated modem, its SIM and its network; may be changed at any time.
struct ModemTruth {
    bool sim = true;
    std::string pin;          ///< empty: the SIM wants none
    int tries = 3;            ///< left; at 0 the SIM wants its PUK
    bool tells_tries = true;  ///< knows AT+CPINR
    int network = 1;          ///< <stat> of TS 27.007, 7.2: 1 home, 2 searching, 3 denied, 5 roaming
    bool packet = true;       ///< knows AT+CEREG
    int rssi = 18;            ///< of AT+CSQ
    std::string operator_name = "Simulated Net";
    std::string apn;        ///< the one that is let in; empty: any
    bool attaches = true;   ///< AT+CGATT and AT+QIACT work
    bool hung = false;      ///< answers nothing before its reset line is pulled
    bool chatters = false;  ///< puts unsolicited lines and noise between its answers
};

struct SimModemCounts {
    std::uint64_t commands = 0, unknown = 0, pins_tried = 0, contexts = 0, restarts = 0, resets = 0;
};

/// What the owner of pty and sockets does for it.
struct ModemWrite {
    Buffer bytes;
};
struct ModemConnect {
    int socket = 0;
    std::string host;
    std::uint16_t port = 0;
};
struct ModemSend {
    int socket = 0;
    Buffer bytes;
};
struct ModemHangUp {
    int socket = 0;
};
using SimModemAction = std::variant<ModemWrite, ModemConnect, ModemSend, ModemHangUp>;

/// A modem at the other end of a serial line, sans-IO: the commands of TS 27.007 that a driver needs, and
/// Quectel's TCP in direct push mode. Sockets end when the context or the network does.
class SimModem {
public:
    explicit SimModem(ModemTruth truth) : truth_(std::move(truth)), locked_(!truth_.pin.empty()) {}

    ModemTruth& truth() { return truth_; }
    const SimModemCounts& counts() const { return counts_; }

    void receive(Bytes bytes, const Instant& now);
    void tick(const Instant& now);
    std::optional<SimModemAction> take_action();
    /// The reset line was pulled.
    void reset(const Instant& now);
    /// The network loses us, or has us again; its sockets are gone at once, without a word from them.
    void set_network(int stat);
    /// The network ends the context.
    void end_context();

    void connected(int socket, bool well);
    void from_net(int socket, Bytes bytes);
    void net_closed(int socket);

private:
    bool there() const { return truth_.network == 1 || truth_.network == 5; }
    void say(const std::string& line);
    void ok() { say("OK"); }
    void fault(int code) { say(numeric_ ? "+CME ERROR: " + std::to_string(code) : "ERROR"); }
    void execute(const std::string& command, const Instant& now);
    bool execute_sim(const std::string& command);
    bool execute_network(const std::string& command);
    bool execute_socket(const std::string& command);
    void boot(const Instant& now);
    void drop_sockets();

    ModemTruth truth_;
    SimModemCounts counts_;
    std::deque<SimModemAction> actions_;
    std::string line_;
    bool echo_ = true, numeric_ = false, locked_ = false, attached_ = false, context_ = false;
    std::string apn_;
    std::optional<Instant> boots_until_;
    std::map<int, bool> sockets_;  ///< true: open
    std::optional<int> sending_;
    std::size_t sending_left_ = 0;
    Buffer sent_;
};

}  // namespace wattmesh::sim
