#include "terminal-sim/meter/bench_connection.h"

#include "platform/log.h"

namespace wattmesh::sim {
namespace {

const platform::Log& log() {
    static const platform::Log source{"meter.port"};
    return source;
}

link::HdlcLink::Config secondary(const BenchLimits& limits) {
    link::HdlcLink::Config config;
    config.role = link::HdlcLink::Role::server;
    config.own.upper = management_logical_device.value;
    config.window_send_max = config.window_receive_max = limits.hdlc_window;
    config.information_send_max = config.information_receive_max = limits.hdlc_information;
    config.apdu_size_max = limits.apdu_size_max;
    return config;
}

link::ModeEServer::Config sign_on(const BenchLimits& limits) {
    constexpr char baud_9600 = '5';
    return {.identification = {.manufacturer = "WMt",  // small: 20 ms of pause are enough
                               .baud = baud_9600,
                               .enhanced = "2",
                               .identification = "WATTMESH"},
            .address = limits.device_address,
            .reaction = std::chrono::milliseconds{20}};
}

}  // namespace

BenchConnection::BenchConnection(platform::Loop& loop, LinkKind kind, std::unique_ptr<platform::Link> link,
                                 std::shared_ptr<dlms::Server> server, const BenchLimits& limits,
                                 std::function<void()> on_over)
    : loop_(loop),
      kind_(kind),
      limits_(limits),
      server_(std::move(server)),
      on_over_(std::move(on_over)),
      wrapper_(limits.apdu_size_max),
      hdlc_(secondary(limits)),
      sign_on_(sign_on(limits)),
      idle_(loop),
      partial_(loop),
      inactive_(loop),
      pause_(loop),
      link_(std::move(link)) {
    sign_on_.start();
    link_->start(
        {[this](Bytes bytes) { receive(bytes); }, [this](const std::string& reason) { over(reason); }});
    watch();
}

void BenchConnection::receive(Bytes bytes) {
    if (limits_.echo || limits_.quirks.optical_echo) send(bytes);
    if (kind_ == LinkKind::wrapper)
        receive_wrapper(bytes);
    else if (kind_ == LinkKind::mode_e && !sign_on_.ready())
        receive_sign_on(bytes);
    else
        receive_hdlc(bytes);
    watch();
}

void BenchConnection::receive_wrapper(Bytes bytes) {
    wrapper_.feed(bytes);
    while (auto frame = wrapper_.next()) {
        if (frame->destination != management_logical_device) continue;  // another logical device: nobody home
        const Sap client = frame->source;
        const auto request = out_of_request(limits_.gateway, frame->payload);
        if (!request) continue;  // for another meter behind the gateway
        server_->handle(client, *request, loop_.now(), [this, client](Buffer apdu) {
            send(link::encode_wrapper(
                {management_logical_device, client,
                 as_answer(limits_.gateway, with_quirks(limits_.quirks, std::move(apdu)))}));
        });
    }
    if (wrapper_.error()) {
        log().warning("closed connection peer={} reason={}", link_->peer_address(),
                      to_string(wrapper_.error()->fault));
        link_->close();
    }
}

void BenchConnection::receive_sign_on(Bytes bytes) {
    sign_on_.feed(bytes);
    perform_sign_on();
}

void BenchConnection::perform_sign_on() {
    while (const auto action = sign_on_.take_action()) {
        if (const auto* octets = std::get_if<Buffer>(&*action)) send(*octets);
        if (const auto* baud = std::get_if<link::SwitchBaud>(&*action))
            log().debug("switched line baud={} framing={}", baud->baud,
                        baud->framing == link::Framing::seven_even ? "7E1" : "8N1");
        if (const auto* timer = std::get_if<link::StartTimer>(&*action))
            pause_.after_real(timer->after, [this] {
                sign_on_.timed_out();
                perform_sign_on();
            });
    }
    if (!sign_on_.ready()) return;
    pause_.cancel();
    receive_hdlc(sign_on_.take_rest());
}

void BenchConnection::receive_hdlc(Bytes bytes) {
    using State = link::HdlcLink::State;
    const bool was_open = hdlc_.state() == State::open;
    hdlc_.feed(bytes);
    const bool open = hdlc_.state() == State::open;
    if (was_open && (!open || hdlc_.established() != established_)) server_->disconnect(hdlc_client_);
    established_ = hdlc_.established();
    hdlc_client_ = Sap{hdlc_.peer().upper};
    answer_hdlc();
    if (was_open && !open)
        end_hdlc();
    else if (open || kind_ == LinkKind::mode_e)
        inactive_.after_real(limits_.inactive_real_max, [this] { end_hdlc(); });
}

/// The data link is over, by DISC or by silence; behind an optical head the line is at rest again.
void BenchConnection::end_hdlc() {
    inactive_.cancel();
    if (hdlc_.state() == link::HdlcLink::State::open) server_->disconnect(hdlc_client_);
    hdlc_.reset();
    if (kind_ != LinkKind::mode_e) return;
    sign_on_.start();
    perform_sign_on();
}

void BenchConnection::answer_hdlc() {
    while (const auto apdu = hdlc_.take_apdu()) {
        const std::uint64_t before = answers_;
        const auto request = out_of_request(limits_.gateway, *apdu);
        if (request)
            server_->handle(hdlc_client_, *request, loop_.now(), [this](Buffer answer) {
                ++answers_;
                if (!hdlc_.send_apdu(
                        as_answer(limits_.gateway, with_quirks(limits_.quirks, std::move(answer)))))
                    log().warning("dropped an answer reason=\"the data link has no room\"");
            });
        if (answers_ == before) hdlc_.poll();  // the meter answers at once or never
    }
    while (const auto octets = hdlc_.take_output()) send(*octets);
}

void BenchConnection::send(Bytes bytes) {
    if (!link_->send(bytes)) link_->close();
}

void BenchConnection::watch() {
    idle_.after_real(limits_.idle_real_max, [this] { link_->close(); });
    if (kind_ == LinkKind::wrapper ? !wrapper_.partial() : !hdlc_.partial()) return partial_.cancel();
    if (partial_.armed()) return;
    partial_.after_real(limits_.partial_real_max, [this] {
        // HDLC finds its way back into the stream, the wrapper does not.
        kind_ == LinkKind::wrapper ? link_->close() : hdlc_.drop_partial();
    });
}

void BenchConnection::over(const std::string& reason) {
    log().information("closed connection peer={} reason={}", link_->peer_address(), platform::quoted(reason));
    on_over_();
}

}  // namespace wattmesh::sim
