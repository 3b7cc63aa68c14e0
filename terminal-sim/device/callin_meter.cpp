#include "terminal-sim/device/callin_meter.h"

#include <algorithm>
#include <utility>

#include "platform/log.h"

namespace wattmesh::sim {
namespace {

const platform::Log& log() {
    static const platform::Log source{"device.callin"};
    return source;
}

constexpr int unanswered_max = 3;

}  // namespace

CallinMeter::CallinMeter(platform::Loop& loop, Random& random, Settings settings,
                         const link::HelloProfile& profile, MakeServer make_server)
    : loop_(loop),
      settings_(std::move(settings)),
      profile_(profile),
      make_server_(std::move(make_server)),
      timer_(loop),
      connector_(loop, random,
                 {.host = settings_.host,
                  .port = settings_.port,
                  .tls = {},
                  .certificate_time = {},
                  .wait_min = std::chrono::seconds{2},
                  .wait_max = std::chrono::seconds{60}}) {
    connector_.start({[this](platform::Link& link) { open(link); }, [this](Bytes bytes) { receive(bytes); },
                      [this](const std::string& reason, Duration) {
                          log().information("lost the head-end reason={}", platform::quoted(reason));
                          timer_.cancel();
                          server_.reset();
                          logged_in_ = false;
                      }});
}

CallinMeter::~CallinMeter() = default;

/// The hello as the maker's profile has it; with the fault, its last two octets are the checksum that comes
/// out when the option before them is left out.
Buffer CallinMeter::login() const {
    Buffer hello = profile_.login.build(settings_.identity, {{0x02}, {0x00}}).value();
    if (settings_.fault == HelloFault::checksum) {
        const Buffer without_option = profile_.login.build(settings_.identity, {{0x02}, {}}).value();
        std::copy(without_option.end() - 2, without_option.end(), hello.end() - 2);
    }
    return hello;
}

void CallinMeter::open(platform::Link&) {
    ++counters_.calls;
    server_ = make_server_();
    decoder_.emplace();
    unanswered_ = 0;
    send(login());
    timer_.after(profile_.beat_every, [this] { beat(); });
}

void CallinMeter::beat() {
    if (++unanswered_ > unanswered_max) {
        log().warning("hung up reason=\"{} heartbeats without an answer\"", unanswered_max);
        return connector_.reconnect();
    }
    ++counters_.beats;
    // Types as captured: 02 in a log-in, 01 in a heartbeat, which has no option.
    send(profile_.beat.build(settings_.identity, {{0x01}, {}}).value());
    timer_.after(profile_.beat_every, [this] { beat(); });
}

void CallinMeter::receive(Bytes bytes) {
    decoder_->feed(bytes);
    while (const auto frame = decoder_->next()) {
        if (link::is_hello(frame->payload)) {
            const auto hello = link::decode_hello(frame->payload);
            if (!hello || hello->address != settings_.identity || !hello->checksum_ok) {
                ++counters_.wrong_answers;
                log().warning("heard a wrong answer to a hello");
                continue;
            }
            ++(hello->kind == link::Hello::Kind::login_ack ? counters_.logins_answered
                                                           : counters_.beats_answered);
            logged_in_ = true;
            unanswered_ = 0;
            continue;
        }
        if (frame->destination != management_logical_device) continue;
        ++counters_.requests;
        const Sap client = frame->source;
        server_->handle(client, frame->payload, loop_.now(), [this, client](Buffer apdu) {
            send(link::encode_wrapper({management_logical_device, client, std::move(apdu)}));
        });
    }
    if (decoder_->error()) connector_.reconnect();
}

void CallinMeter::send(Bytes bytes) {
    platform::Link* link = connector_.link();
    if (link != nullptr && !link->send(bytes)) connector_.reconnect();
}

bool CallinMeter::push(Bytes apdu, Sap client) {
    if (!logged_in_) {
        ++counters_.pushes_lost;
        return false;
    }
    ++counters_.pushes;
    send(link::encode_wrapper({management_logical_device, client, to_buffer(apdu)}));
    return true;
}

}  // namespace wattmesh::sim
