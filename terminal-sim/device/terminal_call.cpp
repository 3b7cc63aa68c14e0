#include "terminal-sim/device/terminal_call.h"

#include "platform/log.h"

namespace wattmesh::sim {
namespace {

const platform::Log& log() {
    static const platform::Log source{"device.gdw376"};
    return source;
}

constexpr int unanswered_max = 3;
constexpr std::uint8_t power_event = 14;  // ERC 14: the terminal's power failed or came back

}  // namespace

TerminalCall::TerminalCall(platform::Loop& loop, Random& random, Settings settings, Terminal& terminal)
    : loop_(loop),
      settings_(std::move(settings)),
      terminal_(terminal),
      beat_timer_(loop),
      event_timer_(loop),
      answer_timer_(loop),
      connector_(loop, random,
                 {.host = settings_.host,
                  .port = settings_.port,
                  .tls = {},
                  .certificate_time = {},
                  .wait_min = std::chrono::seconds{2},
                  .wait_max = std::chrono::seconds{60}}) {
    connector_.start({[this](platform::Link&) { open(); }, [this](Bytes octets) { receive(octets); },
                      [this](const std::string& reason, Duration) {
                          log().information("lost the head-end reason={}", platform::quoted(reason));
                          beat_timer_.cancel();
                          event_timer_.cancel();
                          answer_timer_.cancel();
                          waiting_.clear();
                      }});
}

void TerminalCall::open() {
    ++counters_.calls;
    decoder_ = gdw376::Decoder{};
    unanswered_ = 0;
    send(terminal_.login(next_sequence()));
    beat_timer_.after(settings_.beat_every, [this] { beat(); });
    if (settings_.event_every != Duration{}) event_timer_.after(settings_.event_every, [this] { report(); });
}

void TerminalCall::beat() {
    if (++unanswered_ > unanswered_max) {
        log().warning("hung up reason=\"{} heartbeats without an answer\"", unanswered_max);
        return connector_.reconnect();
    }
    ++counters_.beats;
    send(terminal_.heartbeat(next_sequence()));
    beat_timer_.after(settings_.beat_every, [this] { beat(); });
}

void TerminalCall::report() {
    ++counters_.reports;
    send(terminal_.happen(power_event, loop_.now(), next_sequence()));
    event_timer_.after(settings_.event_every, [this] { report(); });
}

void TerminalCall::receive(Bytes octets) {
    decoder_.feed(octets);
    while (const auto frame = decoder_.next()) {
        if (frame->from_terminal) continue;
        if (frame->afn == gdw376::Afn::confirm) {
            connector_.settled();
            unanswered_ = 0;
            ++(gdw376::is_denial(*frame) ? counters_.denied : counters_.confirmed);
            continue;
        }
        ++counters_.requests;
        for (auto& answer : terminal_.answer(*frame, loop_.now())) waiting_.push_back(std::move(answer));
        answer_timer_.after(settings_.turnaround, [this] {
            for (const auto& answer : std::exchange(waiting_, {})) {
                ++counters_.answers;
                send(answer);
            }
        });
    }
}

void TerminalCall::send(const gdw376::Frame& frame) {
    platform::Link* link = connector_.link();
    if (link != nullptr && !link->send(gdw376::encode(frame))) connector_.reconnect();
}

}  // namespace wattmesh::sim
