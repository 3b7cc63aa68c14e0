#include "terminal-sim/device/dtu.h"

#include "platform/log.h"

namespace wattmesh::sim {
namespace {

const platform::Log& log() {
    static const platform::Log source{"device.dtu"};
    return source;
}

constexpr std::uint64_t split_every = 3;

}  // namespace

Dtu::Dtu(platform::Loop& loop, Random& random, Settings settings, const link::HelloProfile& profile,
         Units units)
    : loop_(loop),
      settings_(std::move(settings)),
      profile_(profile),
      units_(std::move(units)),
      beat_timer_(loop),
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
                          answer_timer_.cancel();
                      }});
}

void Dtu::open() {
    ++counters_.calls;
    decoder_ = {};
    send(profile_.login.build(settings_.identity).value());
    beat_timer_.after(profile_.beat_every, [this] { beat(); });
}

void Dtu::beat() {
    ++counters_.beats;
    send(profile_.beat.build(settings_.identity).value());
    beat_timer_.after(profile_.beat_every, [this] { beat(); });
}

void Dtu::receive(Bytes octets) {
    connector_.settled();
    decoder_.feed(octets);
    while (const auto frame = decoder_.next()) {
        ++counters_.requests;
        answer(*frame);
    }
}

void Dtu::answer(const modbus::RtuFrame& frame) {
    const auto unit = units_.find(frame.unit);
    if (unit == units_.end()) {
        ++counters_.nobody;
        return;
    }
    const auto request = modbus::decode_request(frame.pdu);
    if (!request) return;  // a real one would say illegal function; nobody asks us for that
    const auto pdu = modbus::encode(unit->second.answer(*request, loop_.now()), *request);
    answer_timer_.after(settings_.turnaround,
                        [this, whole = modbus::encode_rtu(frame.unit, pdu)] { send_answer(whole); });
}

void Dtu::send_answer(const Buffer& frame) {
    ++counters_.answers;
    if (!settings_.beat_within || counters_.answers % split_every != 0 || profile_.beat.empty())
        return send(frame);
    ++counters_.split;
    Buffer all = frame;
    const auto beat = profile_.beat.build(settings_.identity).value();
    all.insert(all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), beat.begin(), beat.end());
    send(all);
}

void Dtu::send(Bytes octets) {
    platform::Link* link = connector_.link();
    if (link != nullptr && !link->send(octets)) connector_.reconnect();
}

}  // namespace wattmesh::sim
