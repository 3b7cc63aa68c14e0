#include "terminal-sim/device/sim_modem.h"

#include <algorithm>
#include <utility>

#include "protocol/modem/at_reader.h"

namespace wattmesh::sim {
namespace {

constexpr Duration boot_time = std::chrono::seconds{1};
constexpr std::size_t push_size_max = 1'500;
constexpr int sockets_max = 12;
constexpr int no_sim = 10, pin_needed = 11, puk_needed = 12, wrong_pin = 16, not_allowed = 3, no_network = 30;

Buffer octets(const std::string& text) { return to_buffer(as_bytes(text)); }

/// Parameters of AT+NAME=...
std::vector<std::string> parameters(const std::string& command) {
    const auto equals = command.find('=');
    if (equals == std::string::npos) return {};
    return modem::at_parameters(":" + command.substr(equals + 1));
}

}  // namespace

std::optional<SimModemAction> SimModem::take_action() {
    if (actions_.empty()) return std::nullopt;
    auto action = std::move(actions_.front());
    actions_.pop_front();
    return action;
}

void SimModem::say(const std::string& line) {
    if (truth_.chatters && counts_.commands % 3 == 0)
        actions_.emplace_back(
            ModemWrite{octets("\r\n+QIND: \"csq\"," + std::to_string(truth_.rssi) + ",99\r\n")});
    if (truth_.chatters && counts_.commands % 4 == 0)
        actions_.emplace_back(ModemWrite{octets("\r\nOK\xfe\x01 noise\r\n")});
    actions_.emplace_back(ModemWrite{octets("\r\n" + line + "\r\n")});
}

void SimModem::receive(Bytes bytes, const Instant& now) {
    if (truth_.hung || boots_until_) return;
    for (const auto octet : bytes) {
        if (sending_) {
            sent_.push_back(octet);
            if (--sending_left_ > 0) continue;
            const bool open = sockets_.contains(*sending_) && sockets_.at(*sending_);
            if (open) actions_.emplace_back(ModemSend{*sending_, std::move(sent_)});
            sent_.clear();
            sending_.reset();
            say(open ? "SEND OK" : "SEND FAIL");
        } else if (octet != '\r') {
            if (octet != '\n') line_.push_back(static_cast<char>(octet));
        } else {
            if (echo_ && !line_.empty()) actions_.emplace_back(ModemWrite{octets(line_ + "\r")});
            const auto command = std::exchange(line_, {});
            if (!command.empty()) execute(command, now);
        }
    }
}

void SimModem::tick(const Instant& now) {
    if (!boots_until_ || now < *boots_until_) return;
    boots_until_.reset();
    if (!truth_.hung) say("RDY");
}

void SimModem::boot(const Instant& now) {
    drop_sockets();
    attached_ = context_ = numeric_ = false;
    echo_ = true;
    locked_ = !truth_.pin.empty();
    line_.clear();
    sending_.reset();
    sent_.clear();
    boots_until_ = now + boot_time;
}

void SimModem::reset(const Instant& now) {
    ++counts_.resets;
    truth_.hung = false;
    boot(now);
}

void SimModem::drop_sockets() {
    for (const auto& [socket, open] : sockets_) actions_.emplace_back(ModemHangUp{socket});
    sockets_.clear();
}

void SimModem::set_network(int stat) {
    truth_.network = stat;
    if (there()) return;
    for (const auto& [socket, open] : sockets_) actions_.emplace_back(ModemHangUp{socket});
    if (!truth_.hung && !boots_until_) say("+CREG: " + std::to_string(stat));
}

void SimModem::end_context() {
    drop_sockets();
    context_ = false;
    say("+QIURC: \"pdpdeact\",1");
}

void SimModem::execute(const std::string& command, const Instant& now) {
    ++counts_.commands;
    if (command == "AT" || command == "ATE0" || command == "AT+CMEE=1") {
        echo_ = echo_ && command != "ATE0";
        numeric_ = numeric_ || command == "AT+CMEE=1";
        return ok();
    }
    if (command == "AT+CFUN=1,1") {
        ++counts_.restarts;
        ok();
        return boot(now);
    }
    if (execute_sim(command) || execute_network(command) || execute_socket(command)) return;
    ++counts_.unknown;
    say("ERROR");
}

bool SimModem::execute_sim(const std::string& command) {
    if (command == "AT+CPIN?") {
        if (!truth_.sim) return fault(no_sim), true;
        say(truth_.tries == 0 ? "+CPIN: SIM PUK" : locked_ ? "+CPIN: SIM PIN" : "+CPIN: READY");
        return ok(), true;
    }
    if (command == "AT+CPINR=\"SIM PIN\"" && truth_.tells_tries) {
        say("+CPINR: SIM PIN," + std::to_string(truth_.tries) + ",3");
        return ok(), true;
    }
    if (!command.starts_with("AT+CPIN=")) return false;
    ++counts_.pins_tried;
    const auto fields = parameters(command);
    if (truth_.tries == 0) return fault(puk_needed), true;
    if (fields.size() != 1 || fields[0] != truth_.pin) {
        --truth_.tries;
        return fault(wrong_pin), true;
    }
    truth_.tries = 3;
    locked_ = false;
    ok();
    say("+CPIN: READY");
    return true;
}

bool SimModem::execute_network(const std::string& command) {
    const bool blocked = !truth_.sim || locked_;
    const int stat = blocked ? 0 : truth_.network;
    if (command == "AT+CREG=1" || (command == "AT+CEREG=1" && truth_.packet)) return ok(), true;
    if (command == "AT+CREG?" || (command == "AT+CEREG?" && truth_.packet)) {
        say((command == "AT+CREG?" ? "+CREG: 1," : "+CEREG: 1,") + std::to_string(stat));
        return ok(), true;
    }
    if (command == "AT+CSQ") {
        say("+CSQ: " + std::to_string(there() ? truth_.rssi : 99) + ",99");
        return ok(), true;
    }
    if (command == "AT+COPS?") {
        say(there() ? "+COPS: 0,0,\"" + truth_.operator_name + "\",7" : "+COPS: 0");
        return ok(), true;
    }
    if (command.starts_with("AT+CGDCONT=") || command.starts_with("AT+QICSGP=")) {
        const auto fields = parameters(command);
        if (fields.size() < 3) return fault(not_allowed), true;
        apn_ = fields[2];
        return ok(), true;
    }
    if (command == "AT+CGATT=1") {
        attached_ = !blocked && there() && truth_.attaches;
        return attached_ ? ok() : fault(blocked ? pin_needed : no_network), true;
    }
    if (command == "AT+QIACT=1") {
        context_ = attached_ && there() && truth_.attaches && (truth_.apn.empty() || apn_ == truth_.apn);
        if (context_) ++counts_.contexts;
        return context_ ? ok() : say("ERROR"), true;
    }
    if (command != "AT+QIDEACT=1") return false;
    drop_sockets();
    context_ = false;
    return ok(), true;
}

bool SimModem::execute_socket(const std::string& command) {
    const auto fields = parameters(command);
    const auto number = [&](std::size_t at) {
        return at < fields.size() ? modem::at_number(fields[at]).value_or(-1) : -1;
    };
    if (command.starts_with("AT+QIOPEN=")) {
        const int socket = number(1), port = number(4);
        const bool fits = fields.size() == 7 && number(0) == 1 && fields[2] == "TCP" && number(6) == 1;
        if (!fits || socket < 0 || socket >= sockets_max || port <= 0 || port > 65'535 || !context_)
            return fault(not_allowed), true;
        if (sockets_.contains(socket)) {  // kept until it is closed, whatever became of it
            ok();
            return say("+QIOPEN: " + std::to_string(socket) + ",563"), true;
        }
        sockets_[socket] = false;
        actions_.emplace_back(ModemConnect{socket, fields[3], static_cast<std::uint16_t>(port)});
        return ok(), true;
    }
    if (command.starts_with("AT+QISEND=")) {
        const auto found = sockets_.find(number(0));
        if (found == sockets_.end() || !found->second || number(1) <= 0 || number(1) > 1'460)
            return say("ERROR"), true;
        sending_ = found->first;
        sending_left_ = static_cast<std::size_t>(number(1));
        actions_.emplace_back(ModemWrite{octets("\r\n> ")});
        return true;
    }
    if (!command.starts_with("AT+QICLOSE=")) return false;
    if (sockets_.erase(number(0)) > 0) actions_.emplace_back(ModemHangUp{number(0)});
    return ok(), true;
}

void SimModem::connected(int socket, bool well) {
    const auto found = sockets_.find(socket);
    if (found == sockets_.end()) return;
    found->second = well;
    say("+QIOPEN: " + std::to_string(socket) + (well ? ",0" : ",566"));
}

void SimModem::from_net(int socket, Bytes bytes) {
    if (!sockets_.contains(socket) || !there() || truth_.hung) return;
    for (std::size_t at = 0; at < bytes.size(); at += push_size_max) {
        const auto piece = bytes.subspan(at, std::min(push_size_max, bytes.size() - at));
        say("+QIURC: \"recv\"," + std::to_string(socket) + "," + std::to_string(piece.size()));
        actions_.emplace_back(ModemWrite{to_buffer(piece)});
    }
}

void SimModem::net_closed(int socket) {
    if (sockets_.contains(socket) && !truth_.hung) say("+QIURC: \"closed\"," + std::to_string(socket));
}

}  // namespace wattmesh::sim
