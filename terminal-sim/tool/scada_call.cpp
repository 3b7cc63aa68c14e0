#include "terminal-sim/tool/scada_call.h"

#include <fmt/format.h>

namespace wattmesh::sim {

ScadaCall::ScadaCall(ScadaLine line)
    : line_(std::move(line)),
      loop_(std::make_shared<platform::ScaledClock>()),
      timer_(loop_),
      link_timer_(loop_),
      master_(line_.link, line_.originator, loop_.now()),
      connector_(loop_, random_,
                 {.host = line_.outstation.host,
                  .port = line_.outstation.port,
                  .tls = line_.tls,
                  .certificate_time = {},
                  .attempt_real_max = line_.answer_real_max}) {
    connector_.start({[this](platform::Link&) { loop_.stop(); },
                      [this](Bytes octets) {
                          master_.feed(octets, loop_.now());
                          if (const auto fault = master_.link().fault())
                              broken_ =
                                  fmt::format("the outstation broke the protocol: {}", to_string(*fault));
                          flush();
                          loop_.stop();
                      },
                      [this](const std::string& reason, Duration) {
                          broken_ = reason;
                          loop_.stop();
                      }});
    const auto late = [this](const char* what) {
        throw std::runtime_error(fmt::format("outstation at {}:{}: no {} in time", line_.outstation.host,
                                             line_.outstation.port, what));
    };
    if (!wait([this] { return connector_.link() != nullptr; }, line_.answer_real_max)) late("connection");
    master_.link().start(loop_.now());
    if (!wait([this] { return master_.link().started(); }, line_.answer_real_max)) late("STARTDT con");
}

ScadaCall::~ScadaCall() { connector_.stop(); }

void ScadaCall::flush() {
    const auto octets = master_.link().take();
    if (!octets.empty() && connector_.link() != nullptr && !connector_.link()->send(octets))
        broken_ = "it does not take what we send";
    arm();
}

void ScadaCall::arm() {
    link_timer_.at(master_.link().wake(), [this] {
        master_.tick(loop_.now());
        if (const auto fault = master_.link().fault()) broken_ = to_string(*fault);
        flush();
        loop_.stop();
    });
}

bool ScadaCall::wait(const std::function<bool()>& done, Duration real_max) {
    bool late = false;
    timer_.after_real(real_max, [&] {
        late = true;
        loop_.stop();
    });
    for (flush(); !done() && !late;) {
        if (!broken_.empty())
            throw std::runtime_error(fmt::format("outstation at {}:{}: {}", line_.outstation.host,
                                                 line_.outstation.port, broken_));
        loop_.run();
    }
    timer_.cancel();
    return !late;
}

bool ScadaCall::hear(const std::function<bool(const iec104::Asdu&)>& done, Duration real_max) {
    bool over = false;
    return wait(
        [&] {
            for (const auto& asdu : master_.take_received()) over = done(asdu) || over;
            return over;
        },
        real_max);
}

bool ScadaCall::stop() {
    master_.link().stop(loop_.now());
    return wait([this] { return master_.link().stopped(); }, line_.answer_real_max);
}

}  // namespace wattmesh::sim
