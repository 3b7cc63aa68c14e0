#include "protocol/modem/modem.h"

#include <algorithm>
#include <utility>

namespace wattmesh::modem {
namespace {

constexpr int redials_max = 2, restarts_max = 2, silences_max = 3;
constexpr Duration registration_look = std::chrono::seconds{3}, deactivate_timeout = std::chrono::seconds{40};

bool starts(std::string_view line, std::string_view with) { return line.substr(0, with.size()) == with; }

}  // namespace

std::string_view to_string(ModemState state) {
    constexpr std::string_view words[]{"starting",    "silent",     "no_sim",      "pin_needed",
                                       "pin_refused", "puk_needed", "registering", "denied",
                                       "attaching",   "ready",      "resting"};
    return words[static_cast<std::size_t>(state)];
}

Network Modem::network() const {
    const auto there = [](Network network) {
        return network == Network::home || network == Network::roaming;
    };
    return there(packet_) || !there(circuit_) ? packet_ : circuit_;
}

void Modem::start(const Instant& now) {
    commands_.clear();
    running_.reset();
    running_until_ = resume_at_ = look_at_ = registered_by_ = never;
    for (SocketId socket = 0; socket < sockets_max; ++socket) end_socket(socket, "the modem starts again");
    reader_.raw(0);
    sim_.clear();
    tries_left_.reset();
    circuit_ = packet_ = Network::unknown;
    signal_dbm_.reset();
    state_ = ModemState::starting;
    silences_ = 0;
    command(Step::hello, "AT");
    command(Step::tell, "ATE0");
    command(Step::tell, "AT+CMEE=1");
    command(Step::sim, "AT+CPIN?");
    write_next(now);
}

void Modem::command(Step step, std::string text, Duration timeout) {
    commands_.push_back({.step = step, .text = std::move(text), .timeout = timeout});
}

void Modem::write_next(const Instant& now) {
    if (running_ || commands_.empty()) return;
    running_ = std::move(commands_.front());
    commands_.pop_front();
    ++counts_.commands;
    running_until_ = now + running_->timeout;
    actions_.emplace_back(WriteSerial{to_buffer(as_bytes(running_->text + "\r"))});
}

std::optional<ModemAction> Modem::take_action() {
    if (actions_.empty()) return std::nullopt;
    auto action = std::move(actions_.front());
    actions_.pop_front();
    return action;
}

Instant Modem::next_deadline() const {
    Instant next = std::min({running_until_, resume_at_, look_at_});
    for (const auto& [id, socket] : sockets_)
        if (!socket.open) next = std::min(next, socket.asked + settings_.open_timeout);
    return next;
}

void Modem::receive(Bytes bytes, const Instant& now) {
    reader_.feed(bytes);
    while (auto item = reader_.next()) {
        if (auto* data = std::get_if<AtData>(&*item)) {
            const auto socket = sockets_.find(raw_socket_);
            if (socket != sockets_.end() && socket->second.open)
                actions_.emplace_back(SocketReceived{raw_socket_, std::move(data->bytes)});
        } else if (const auto* line = std::get_if<AtLine>(&*item)) {
            on_line(line->text, now);
        } else if (running_ && !running_->data.empty()) {
            actions_.emplace_back(WriteSerial{std::exchange(running_->data, {})});
        }
    }
}

void Modem::on_line(const std::string& line, const Instant& now) {
    if (running_ && line == running_->text) return;  // echo
    silences_ = 0;
    if (on_unsolicited(line, now)) return;
    if (!running_) {
        ++counts_.unknown_lines;
        return;
    }
    // A late answer to a command that was given up must not stand for one that sends.
    const bool sends = running_->step == Step::send;
    if (line == (sends ? "SEND OK" : "OK")) return finish(Outcome::ok, now);
    if (starts(line, "+CME ERROR:") || starts(line, "+CMS ERROR:")) {
        if (running_->step == Step::sim) sim_ = line;
        return finish(Outcome::error, now);
    }
    if (line == "ERROR" || line == "SEND FAIL" || line == "NO CARRIER") return finish(Outcome::error, now);
    on_answer_line(line);
}

/// What may come at any time, also in the middle of a command's answer.
bool Modem::on_unsolicited(const std::string& line, const Instant& now) {
    if (starts(line, "+QIURC:") || starts(line, "+QIOPEN:")) return on_socket_line(line, now), true;
    if (starts(line, "+CREG:")) return on_registration(line, circuit_, Step::ask_circuit), true;
    if (starts(line, "+CEREG:")) return on_registration(line, packet_, Step::ask_packet), true;
    if (starts(line, "+CPIN:") && (!running_ || running_->step != Step::sim)) {
        const bool lost = line == "+CPIN: NOT READY" || line == "+CPIN: NOT INSERTED";
        if (lost && state_ == ModemState::ready) fail(ModemState::no_sim, "the SIM is gone", now);
        return true;
    }
    if (line == "RDY" || line == "POWERED DOWN" || line == "NORMAL POWER DOWN") {
        // While we rest that is what we wait for.
        if (resume_at_ == never && state_ != ModemState::starting)
            fail(ModemState::resting, "the modem started anew", now);
        return true;
    }
    return starts(line, "+CFUN:") || starts(line, "+QIND:") || starts(line, "+QUSIM:") || line == "RING" ||
           starts(line, "+CMTI:") || line == "Call Ready" || line == "SMS Ready";
}

void Modem::on_registration(const std::string& line, Network& network, Step asked) {
    const auto fields = at_parameters(line);
    // The answer to a question has <n> in front; what is told unasked has not (TS 27.007, 7.2).
    const bool answer = running_ && running_->step == asked && fields.size() > 1;
    const auto stat = fields.size() > (answer ? 1U : 0U) ? at_number(fields[answer ? 1 : 0]) : std::nullopt;
    if (stat && *stat >= 0 && *stat <= static_cast<int>(Network::roaming))
        network = static_cast<Network>(*stat);
}

void Modem::on_answer_line(const std::string& line) {
    const auto fields = at_parameters(line);
    switch (running_->step) {
        case Step::sim:
            if (starts(line, "+CPIN:")) sim_ = line;
            return;
        case Step::tries:  // +CPINR: SIM PIN,<left>,<at first> (TS 27.007, 8.65)
            if (fields.size() >= 2 && fields[0] == "SIM PIN") tries_left_ = at_number(fields[1]);
            return;
        case Step::operator_name:  // +COPS: <mode>,<format>,<name>,<act>
            if (fields.size() >= 3) operator_ = fields[2];
            return;
        case Step::signal: {  // +CSQ: 0..31 are -113..-51 dBm, 99 not known (TS 27.007, 8.5)
            const auto rssi = fields.empty() ? std::nullopt : at_number(fields[0]);
            signal_dbm_.reset();
            if (rssi && *rssi >= 0 && *rssi <= 31) signal_dbm_ = -113 + 2 * *rssi;
            return;
        }
        default:
            ++counts_.unknown_lines;
    }
}

void Modem::finish(Outcome outcome, const Instant& now) {
    const auto done = *std::exchange(running_, {});
    running_until_ = never;
    if (outcome == Outcome::error) ++counts_.errors;
    if (outcome == Outcome::silent) ++counts_.unanswered;
    advance(done, outcome, now);
    write_next(now);
}

void Modem::advance(const Command& done, Outcome outcome, const Instant& now) {
    const bool ok = outcome == Outcome::ok;
    switch (done.step) {
        case Step::sim:
            return on_sim(outcome, now);
        case Step::tries:
            return on_tries(now);
        case Step::enter_pin:
            if (!ok) refused_pin_ = settings_.pin;
            if (!ok) return fail(ModemState::pin_refused, "the SIM refused the PIN", now);
            return ask_network(now);
        case Step::ask_packet:
            return on_network(now);
        case Step::attach:
            if (!ok) return fail(ModemState::attaching, "the network does not attach us", now);
            return;
        case Step::activate:
            if (!ok) return fail(ModemState::attaching, "no context with this APN", now);
            state_ = ModemState::ready;
            look_at_ = now + settings_.look_every;
            return;
        case Step::open:
            if (!ok) {
                end_socket(done.socket, "the modem opens no connection");
                count_open_failure(now);
            }
            return;
        case Step::send:
            return on_sent(done.socket, ok);
        default:
            return;  // of what only tells or tidies up, a refusal changes nothing
    }
}

void Modem::on_sim(Outcome outcome, const Instant& now) {
    if (outcome == Outcome::ok && starts(sim_, "+CPIN: READY")) return ask_network(now);
    if (outcome == Outcome::ok && starts(sim_, "+CPIN: SIM PIN")) {
        if (settings_.pin.empty()) return fail(ModemState::pin_needed, "the SIM wants a PIN", now);
        if (refused_pin_ == settings_.pin)
            return fail(ModemState::pin_refused, "the SIM has refused this PIN", now);
        return command(Step::tries, "AT+CPINR=\"SIM PIN\"");
    }
    if (starts(sim_, "+CPIN: SIM PUK")) return fail(ModemState::puk_needed, "the SIM wants its PUK", now);
    // +CME ERROR: 14, SIM busy, and whatever is not understood: looked at again.
    const auto fields = at_parameters(sim_);
    const auto error = fields.empty() ? std::nullopt : at_number(fields[0]);
    const bool absent =
        starts(sim_, "+CME ERROR:") && error && (*error == 10 || *error == 13 || *error == 15);
    fail(absent ? ModemState::no_sim : ModemState::resting, absent ? "no SIM" : "the SIM is not ready", now);
}

/// The last try is never used, nor one of an unknown number: a locked SIM is a visit on site.
void Modem::on_tries(const Instant& now) {
    if (!tries_left_ || *tries_left_ < 2)
        return fail(ModemState::pin_refused, "too few tries are left to enter the PIN", now);
    command(Step::enter_pin, "AT+CPIN=\"" + settings_.pin + "\"");
}

void Modem::ask_network(const Instant& now) {
    state_ = ModemState::registering;
    registered_by_ = now + settings_.registration_timeout;
    command(Step::tell, "AT+CREG=1");
    command(Step::tell, "AT+CEREG=1");
    command(Step::ask_circuit, "AT+CREG?");
    command(Step::ask_packet, "AT+CEREG?");
}

void Modem::on_network(const Instant& now) {
    const auto network = this->network();
    const bool there = network == Network::home || network == Network::roaming;
    if (state_ == ModemState::ready) {
        // A fade comes and goes with the connections alive; without a network for long they are dead.
        if (there)
            registered_by_ = never;
        else if (registered_by_ == never)
            registered_by_ = now + settings_.registration_timeout;
        else if (now >= registered_by_)
            fail(ModemState::registering, "the network is gone", now);
        return;
    }
    if (there) return attach();
    state_ = network == Network::denied ? ModemState::denied : ModemState::registering;
    if (now >= registered_by_) return fail(state_, "no network", now);
    look_at_ = now + registration_look;
}

void Modem::attach() {
    state_ = ModemState::attaching;
    registered_by_ = never;
    command(Step::operator_name, "AT+COPS?");
    command(Step::signal, "AT+CSQ");
    command(Step::tell, "AT+CGDCONT=1,\"IP\",\"" + settings_.apn + "\"");
    const bool account = !settings_.user.empty();
    command(Step::tell, "AT+QICSGP=1,1,\"" + settings_.apn + "\",\"" + settings_.user + "\",\"" +
                            settings_.password + "\"," + (account ? "1" : "0"));
    command(Step::attach, "AT+CGATT=1", settings_.attach_timeout);
    command(Step::activate, "AT+QIACT=1", settings_.attach_timeout);
}

/// One rung higher on the ladder each time; `state` is what people see until the next attempt.
void Modem::fail(ModemState state, const std::string& reason, const Instant& now) {
    for (SocketId socket = 0; socket < sockets_max; ++socket) end_socket(socket, reason);
    commands_.clear();
    running_.reset();
    running_until_ = look_at_ = registered_by_ = never;
    state_ = state;
    reason_ = reason;
    const int rung = failures_++;
    Duration rest = std::min(settings_.retry_min * (1 << std::min(rung, 10)), settings_.retry_max);
    const bool of_sim = state == ModemState::pin_needed || state == ModemState::pin_refused ||
                        state == ModemState::puk_needed || state == ModemState::no_sim;
    if (of_sim) {
        rest = settings_.retry_max;  // a person has to do something; nothing of ours helps
    } else if (state == ModemState::silent) {
        rest = climb(redials_max + restarts_max, rest, now);
    } else {
        rest = climb(rung, rest, now);
    }
    resume_at_ = now + rest;
}

Duration Modem::climb(int rung, Duration rest, const Instant& now) {
    if (rung < redials_max) {
        ++counts_.redials;
        command(Step::tidy, "AT+QIDEACT=1", deactivate_timeout);
        write_next(now);
        return rest;
    }
    if (settings_.reset_line && rung >= redials_max + restarts_max) {
        ++counts_.resets;
        actions_.emplace_back(Reset{});
    } else {
        ++counts_.restarts;
        command(Step::tidy, "AT+CFUN=1,1", settings_.boot_time);
        write_next(now);
    }
    return std::max(rest, settings_.boot_time);
}

void Modem::tick(const Instant& now) {
    if (now >= running_until_) {
        const bool tidies = running_->step == Step::tidy;
        if (!tidies && ++silences_ >= silences_max)
            fail(ModemState::silent, "the modem does not answer", now);
        else if (!tidies && running_->step == Step::hello) {
            commands_.push_front(*std::exchange(running_, {}));
            running_until_ = never;
            write_next(now);
        } else {
            finish(Outcome::silent, now);
        }
    }
    if (now >= resume_at_) start(now);
    if (now >= look_at_) look(now);
    for (SocketId id = 0; id < sockets_max; ++id) {
        const auto found = sockets_.find(id);
        if (found == sockets_.end() || found->second.open) continue;
        if (now < found->second.asked + settings_.open_timeout) continue;
        hang_up(id);
        end_socket(id, "no answer from the address");
        count_open_failure(now);
    }
    write_next(now);
}

void Modem::look(const Instant& now) {
    look_at_ = state_ == ModemState::ready ? now + settings_.look_every : never;
    command(Step::signal, "AT+CSQ");
    command(Step::ask_circuit, "AT+CREG?");
    command(Step::ask_packet, "AT+CEREG?");
}

}  // namespace wattmesh::modem
