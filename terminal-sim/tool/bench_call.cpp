#include "terminal-sim/tool/bench_call.h"

#include <fmt/format.h>

namespace wattmesh::sim {

BenchCall::BenchCall(const platform::HostPort& meter, LinkKind kind, Sap server, Duration answer_real_max)
    : address_(fmt::format("{}:{}", meter.host, meter.port)),
      kind_(kind),
      server_(server),
      client_(public_client),
      answer_real_max_(answer_real_max),
      loop_(std::make_shared<platform::ScaledClock>()),
      timer_(loop_),
      connector_(loop_, random_,
                 {.host = meter.host,
                  .port = meter.port,
                  .tls = {},
                  .certificate_time = {},
                  .attempt_real_max = answer_real_max}) {
    connector_.start({[this](platform::Link&) { loop_.stop(); },
                      [this](Bytes bytes) {
                          feed(bytes);
                          loop_.stop();
                      },
                      [this](const std::string& reason, Duration) {
                          broken_ = reason;
                          loop_.stop();
                      }});
    wait_for([this] { return connector_.link() != nullptr; }, "a connection");
}

BenchCall::~BenchCall() { connector_.stop(); }

void BenchCall::wait_for(const std::function<bool()>& done, const char* what) {
    bool late = false;
    timer_.after_real(answer_real_max_, [&] {
        late = true;
        loop_.stop();
    });
    while (!done()) {
        if (!broken_.empty()) throw std::runtime_error(fmt::format("meter at {}: {}", address_, broken_));
        if (late)
            throw std::runtime_error(fmt::format(
                "meter at {}: no {} in time; check --link, --server and --client", address_, what));
        loop_.run();
    }
    timer_.cancel();
}

void BenchCall::feed(Bytes bytes) {
    if (kind_ == LinkKind::wrapper) {
        wrapper_.feed(bytes);
        while (auto frame = wrapper_.next())
            if (frame->destination == client_) answers_.push_back(std::move(frame->payload));
        if (wrapper_.error()) broken_ = "sends something that is not the wrapper; try --link hdlc";
        return;
    }
    if (!hdlc_) return;
    hdlc_->feed(bytes);
    while (auto apdu = hdlc_->take_apdu()) answers_.push_back(std::move(*apdu));
    flush();
}

void BenchCall::flush() {
    while (const auto octets = hdlc_->take_output())
        if (connector_.link() != nullptr) connector_.link()->send(*octets);
}

void BenchCall::use(Sap client) {
    using State = link::HdlcLink::State;
    client_ = client;
    if (kind_ == LinkKind::wrapper) return;
    if (hdlc_) {
        hdlc_->close();
        flush();
        wait_for([this] { return hdlc_->state() == State::closed; }, "end of the data link");
    }
    link::HdlcLink::Config config;
    config.own.upper = client.value;
    config.peer.upper = server_.value;
    hdlc_ = std::make_unique<link::HdlcLink>(config);
    hdlc_->open();
    flush();
    wait_for([this] { return hdlc_->state() == State::open; }, "data link");
}

Buffer BenchCall::exchange(Bytes apdu) {
    if (kind_ == LinkKind::wrapper) {
        if (connector_.link() != nullptr)
            connector_.link()->send(link::encode_wrapper({client_, server_, to_buffer(apdu)}));
    } else {
        hdlc_->send_apdu(apdu);
        flush();
    }
    wait_for([this] { return !answers_.empty(); }, "answer");
    Buffer answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
}

}  // namespace wattmesh::sim
