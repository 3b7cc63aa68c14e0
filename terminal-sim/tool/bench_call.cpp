#include "terminal-sim/tool/bench_call.h"

#include <fmt/format.h>

namespace wattmesh::sim {
namespace {

std::string reason_of(link::ModeEClient::Failure failure) {
    using enum link::ModeEClient::Failure;
    switch (failure) {
        case not_offered:
            return "does not offer HDLC at its sign-on (mode E)";
        case bad_baud:
            return "offers a baud rate that mode E does not have";
        case refused:
            return "does not accept HDLC at its sign-on";
        case no_answer:
        case none:
            break;
    }
    return "does not answer the sign-on; check --link and --device";
}

}  // namespace

BenchCall::BenchCall(const platform::HostPort& meter, LinkKind kind, Sap server, Duration answer_real_max,
                     BenchLine line)
    : address_(fmt::format("{}:{}", meter.host, meter.port)),
      kind_(kind),
      server_(server),
      client_(public_client),
      answer_real_max_(answer_real_max),
      line_(std::move(line)),
      loop_(std::make_shared<platform::ScaledClock>()),
      timer_(loop_),
      total_(loop_),
      pause_(loop_),
      echo_(line_.echo) {
    kind == LinkKind::udp ? resolve(meter) : connect(meter);
}

BenchCall::~BenchCall() {
    if (connector_) connector_->stop();
}

void BenchCall::connect(const platform::HostPort& meter) {
    connector_ = std::make_unique<platform::Connector>(
        loop_, random_,
        platform::ConnectorSettings{.host = meter.host,
                                    .port = meter.port,
                                    .tls = {},
                                    .certificate_time = {},
                                    .attempt_real_max = answer_real_max_});
    connector_->start({[this](platform::Link&) { loop_.stop(); },
                       [this](Bytes bytes) {
                           feed(echo_.received(bytes));
                           loop_.stop();
                       },
                       [this](const std::string& reason, Duration) {
                           broken_ = reason;
                           loop_.stop();
                       }});
    wait_for([this] { return connector_->link() != nullptr; }, "a connection");
}

void BenchCall::resolve(const platform::HostPort& meter) {
    const bool v6 = meter.host.find(':') != std::string::npos;
    socket_ =
        std::make_unique<platform::UdpSocket>(loop_, platform::UdpSettings{.address = v6 ? "::" : "0.0.0.0"});
    socket_->start(
        {[this](const platform::UdpPeer& from, Bytes datagram) { take_datagram(from, datagram); }, {}});
    socket_->resolve(meter.host, meter.port,
                     [this](const platform::UdpPeer* peer, const std::string& reason) {
                         if (peer == nullptr)
                             broken_ = reason;
                         else
                             peer_ = *peer;
                         loop_.stop();
                     });
    wait_for([this] { return peer_.port != 0; }, "an address");
}

void BenchCall::wait_for(const std::function<bool()>& done, const char* what,
                         const std::function<bool()>& again) {
    constexpr int patience = 20;  // times the wait for an answer: for one that comes in many frames
    bool late = false, over = false;
    unsigned silences = 0;
    const auto arm = [&] {
        late = moved_ = false;
        timer_.after_real(answer_real_max_, [&] {
            late = true;
            loop_.stop();
        });
    };
    total_.after_real(answer_real_max_ * patience, [&] {
        over = true;
        loop_.stop();
    });
    for (arm(); !done();) {
        if (!broken_.empty()) throw std::runtime_error(fmt::format("meter at {}: {}", address_, broken_));
        if (moved_) {
            silences = 0;
            arm();
        }
        if (late || over) {
            if (over || !again || ++silences >= line_.attempts_max || !again())
                throw std::runtime_error(fmt::format(
                    "meter at {}: no {} in time; check --link, --server and --client{}", address_, what,
                    hdlc_ && !line_.echo ? ", and --quirk optical_echo if the head gives back what it hears"
                                         : ""));
            ++repeated_;
            arm();
        }
        loop_.run();
    }
    timer_.cancel();
    total_.cancel();
}

void BenchCall::send(Bytes octets) {
    if (socket_) {
        socket_->send(peer_, octets);
    } else if (connector_->link() != nullptr) {
        echo_.sent(octets);
        connector_->link()->send(octets);
    }
}

void BenchCall::feed(Bytes bytes) {
    if (kind_ == LinkKind::wrapper) {
        wrapper_.feed(bytes);
        while (auto frame = wrapper_.next())
            if (frame->destination == client_) take_answer(frame->payload);
        if (wrapper_.error()) broken_ = "sends something that is not the wrapper; try --link hdlc";
    } else if (sign_on_ && !sign_on_->ready()) {
        sign_on_->feed(bytes);
        perform_sign_on();
    } else {
        feed_hdlc(bytes);
    }
}

void BenchCall::feed_hdlc(Bytes bytes) {
    if (!hdlc_) return;
    hdlc_->feed(bytes);
    while (const auto apdu = hdlc_->take_apdu()) take_answer(*apdu);
    flush();
}

/// What other meters behind the gateway say is not for us.
void BenchCall::take_answer(Bytes payload) {
    if (auto apdu = out_of_answer(line_.gateway, payload)) answers_.push_back(std::move(*apdu));
}

void BenchCall::take_datagram(const platform::UdpPeer& from, Bytes datagram) {
    const auto frame = link::decode_wrapper_datagram(datagram);
    if (from != peer_ || !frame || frame->destination != client_) return;
    loop_.stop();
    const auto apdu = out_of_answer(line_.gateway, frame->payload);
    if (doubles_ > 0 && apdu == last_answer_) {
        --doubles_;
        return;
    }
    take_answer(frame->payload);
}

void BenchCall::flush() {
    while (const auto octets = hdlc_->take_output()) {
        send(*octets);
        moved_ = true;
    }
}

bool BenchCall::repeat_frame() {
    if (!hdlc_->repeat()) return false;
    flush();
    return true;
}

void BenchCall::sign_on() {
    sign_on_ =
        std::make_unique<link::ModeEClient>(link::ModeEClient::Config{.address = line_.device_address,
                                                                      .wake_up = line_.wake_up,
                                                                      .attempts_max = line_.attempts_max,
                                                                      .answer_max = answer_real_max_});
    sign_on_->start();
    perform_sign_on();
    wait_for(
        [this] {
            if (sign_on_->state() == link::ModeEClient::State::failed)
                throw std::runtime_error(
                    fmt::format("meter at {}: {}", address_, reason_of(sign_on_->failure())));
            return sign_on_->ready();
        },
        "sign-on", [] { return true; });
}

void BenchCall::perform_sign_on() {
    while (const auto action = sign_on_->take_action()) {
        moved_ = true;
        if (const auto* octets = std::get_if<Buffer>(&*action)) send(*octets);
        if (const auto* timer = std::get_if<link::StartTimer>(&*action))
            pause_.after_real(timer->after, [this] {
                sign_on_->timed_out();
                perform_sign_on();
                loop_.stop();
            });
        // SwitchBaud: the device server at the head is set to one rate, or switches by itself.
    }
    if (!sign_on_->ready()) return;
    pause_.cancel();
}

void BenchCall::use(Sap client) {
    using State = link::HdlcLink::State;
    client_ = client;
    if (kind_ == LinkKind::wrapper || kind_ == LinkKind::udp) return;
    if (hdlc_) {
        hdlc_->close();
        flush();
        wait_for([this] { return hdlc_->state() == State::closed; }, "end of the data link",
                 [this] { return repeat_frame(); });
    }
    if (kind_ == LinkKind::mode_e) sign_on();
    link::HdlcLink::Config config;
    config.own.upper = client.value;
    config.peer.upper = server_.value;
    config.window_send_max = config.window_receive_max = line_.hdlc_window;
    config.information_send_max = config.information_receive_max = line_.hdlc_information;
    config.repeats_max = line_.attempts_max - 1;
    hdlc_ = std::make_unique<link::HdlcLink>(config);
    if (sign_on_) feed_hdlc(sign_on_->take_rest());
    hdlc_->open();
    flush();
    wait_for([this] { return hdlc_->state() == State::open; }, "data link",
             [this] { return repeat_frame(); });
}

void BenchCall::wait(Duration real) {
    bool over = false;
    timer_.after_real(real, [&] {
        over = true;
        loop_.stop();
    });
    while (!over) {
        if (!broken_.empty()) throw std::runtime_error(fmt::format("meter at {}: {}", address_, broken_));
        loop_.run();
    }
}

Buffer BenchCall::wait_for_answer(const std::function<bool()>& again) {
    wait_for([this] { return !answers_.empty(); }, "answer", again);
    Buffer answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
}

void BenchCall::say(Bytes apdu) {
    const Buffer request = as_request(line_.gateway, to_buffer(apdu));
    if (!hdlc_) return send(link::encode_wrapper({client_, server_, request}));
    if (!hdlc_->send_apdu(request)) throw std::runtime_error("the request is too long for the data link");
}

Buffer BenchCall::exchange(Bytes apdu) {
    if (hdlc_) {
        say(apdu);
        flush();
        return wait_for_answer([this] { return repeat_frame(); });
    }
    const Buffer request =
        link::encode_wrapper({client_, server_, as_request(line_.gateway, to_buffer(apdu))});
    send(request);
    if (!socket_) return wait_for_answer({});
    unsigned again = 0;
    Buffer answer = wait_for_answer([&] {
        ++again;
        send(request);
        return true;
    });
    last_answer_ = answer;
    doubles_ = again;
    return answer;
}

Buffer BenchCall::receive() {
    ++streamed_;
    if (!hdlc_) return wait_for_answer({});
    hdlc_->poll();
    flush();
    return wait_for_answer([this] { return repeat_frame(); });
}

}  // namespace wattmesh::sim
