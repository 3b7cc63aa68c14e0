#include "headend/frontend/caller_session.h"

#include "protocol/gdw376/exchange.h"

/// What a session does that carries something else than DLMS.
namespace wattmesh::headend::frontend {

namespace {

using Verdict = link::HelloMatch::Verdict;

/// Damaged frames of a terminal that has not said who it is.
constexpr std::uint64_t refused_max = 8;

}  // namespace

void CallerSession::receive_modbus(Bytes bytes) {
    modbus_->feed(bytes, profile_);
    if (const auto answer = modbus_->take_answer()) {
        last_frame_ = world_.now;
        ++counters_.frames;
        if (!exchange_.receive(*answer)) ++counters_.unasked;
    }
    if (modbus_->lost()) {
        ++counters_.malformed;
        return end(CallerEnd::malformed, "not a Modbus TCP stream");
    }
    const Buffer noise = modbus_->take_noise();
    buffer_.insert(buffer_.end(), noise.begin(), noise.end());
    consume_noise();
}

/// Registrations and heartbeats. Once it is known who it is, what is neither is passed over: late answers,
/// what a DTU's serial side picks up.
void CallerSession::consume_noise() {
    while (phase() != Phase::closing && !buffer_.empty()) {
        const auto found = link::find_hello(
            profile_ != nullptr ? std::vector<const link::HelloProfile*>{profile_} : port_.profiles, buffer_);
        if (found.match.verdict == Verdict::more) break;
        if (found.match.verdict == Verdict::no && identity_.empty()) {
            ++counters_.malformed;
            return end(CallerEnd::malformed,
                       "its first octets are no registration of this port: " + to_hex(first_octets_));
        }
        const bool is_hello = found.match.verdict == Verdict::yes;
        buffer_.erase(buffer_.begin(),
                      buffer_.begin() + static_cast<std::ptrdiff_t>(is_hello ? found.match.size : 1));
        partial_since_.reset();
        if (is_hello)
            on_hello(found);
        else
            ++counters_.noise;
    }
    if (buffer_.empty())
        partial_since_.reset();
    else if (!partial_since_)
        partial_since_ = world_.now;
}

void CallerSession::receive_terminal(Bytes bytes) {
    terminal_->feed(bytes);
    while (phase() != Phase::closing) {
        const auto frame = terminal_->next();
        if (!frame) break;
        last_frame_ = world_.now;
        ++counters_.frames;
        on_terminal_frame(*frame);
    }
    if (phase() != Phase::closing && identity_.empty() && terminal_->refused() > refused_max) {
        ++counters_.malformed;
        end(CallerEnd::malformed, "no frames of Q/GDW 376.1: " + to_hex(first_octets_));
    }
}

/// Whatever the terminal wants confirmed is confirmed before anything else is done.
void CallerSession::on_terminal_frame(const gdw376::Frame& frame) {
    const std::string identity = gdw376::to_string(frame.address);
    const auto item = gdw376::link_item(frame);
    if (identity_.empty() || identity == identity_) {
        if (const auto answer = TerminalSpeech::receipt(frame)) output_.push_back(*answer);
    }
    if (item) ++(*item == gdw376::LinkItem::heartbeat ? counters_.beats : counters_.logins);
    if (identity_.empty()) identify(identity);
    if (phase() == Phase::closing) return;
    if (identity != identity_)
        return end(CallerEnd::other_identity, "it said " + identity_ + " before, now " + identity);
    if (item == gdw376::LinkItem::logout) return end(CallerEnd::logged_out, "it said good-bye");
    if (item) return;
    if (auto answer = terminal_->take_answer()) {
        if (!exchange_.receive(*answer)) ++counters_.unasked;
    } else if (TerminalSpeech::is_report(frame)) {
        on_push(gdw376::encode(frame));
    } else if (!terminal_->waits()) {
        ++counters_.unasked;
    }
}

}  // namespace wattmesh::headend::frontend
