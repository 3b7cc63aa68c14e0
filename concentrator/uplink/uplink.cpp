#include "concentrator/uplink/uplink.h"

#include <algorithm>

#include "protocol/dcu/objects.h"

namespace wattmesh::concentrator {
namespace {

using link::Hello;
constexpr std::uint8_t login_type = 2, heartbeat_type = 1;

std::vector<dlms::ClientAccess> clients() {
    dlms::ClientAccess configuration, replication;
    configuration.client = dcu::configuration_client;
    replication.client = dcu::replication_client;
    return {configuration, replication};  // no mechanism, no ciphering: mutual TLS protects the link
}

}  // namespace

Uplink::Uplink(UplinkSettings settings, dlms::ObjectModel& device, Ciphers& ciphers, Random& random)
    : settings_(std::move(settings)),
      ways_(settings_.ways, random),
      server_(system_title(settings_.number), clients(), device, ciphers, random) {}
Uplink::~Uplink() = default;

void Uplink::opened(const Now& now) {
    if (state_ != State::opening) return;
    ++counts_.opened;
    ++generation_;
    state_ = State::greeting;
    since_ = now.steady;
    beats_unanswered_ = 0;
    decoder_ = std::make_unique<link::WrapperDecoder>();
    partial_since_.reset();
    send_hello(Hello::Kind::login, login_type);
}

void Uplink::closed(const std::string& reason, const Now& now) {
    if (state_ == State::waiting) return;
    wait(reason, Loss::closed, now);
}

void Uplink::drop(const std::string& reason, Loss loss, const Now& now) {
    actions_.push_back(CloseUplink{});
    wait(reason, loss, now);
}

/// Waits by chance: a front-end that comes back must not be called by all at once.
void Uplink::wait(const std::string& reason, Loss loss, const Now& now) {
    note("uplink closed: " + reason);
    end_session(now);
    const auto before = ways_.current();
    open_at_ = now.steady + ways_.failed(reason, loss == Loss::silent, now);
    if (ways_.current() != before) tell_way("next call");
}

void Uplink::end_session(const Now& now) {
    state_ = State::waiting;
    since_ = now.steady;
    ++generation_;
    decoder_.reset();
    for (const Sap client : {dcu::configuration_client, dcu::replication_client}) server_.disconnect(client);
    relay_.reset();
    machines_.set_uplink(false, now);
}

void Uplink::tell_way(const std::string& what) {
    const auto& way = ways_.ways()[ways_.current()];
    note(what + " over " + way.bearer + " to " + way.address);
}

void Uplink::set_bearer(const std::string& bearer, bool available, const Now& now) {
    if (ways_.set_available(bearer, available, now))
        drop("the bearer " + bearer + " is gone", Loss::silent, now);
}

/// Back to a better way as soon as one has proved stable.
void Uplink::look_at_ways(const Now& now) {
    if (const auto way = ways_.take_probe(now)) actions_.push_back(ProbeUplink{*way});
    if (!ways_.take_return()) return;
    actions_.push_back(CloseUplink{});
    end_session(now);
    open_at_ = now.steady;
    tell_way("a better way has been stable: calls back");
}

void Uplink::beat(const Now& now) {
    if (beats_unanswered_ >= settings_.beats_unanswered_max)
        return drop("the head-end does not answer heartbeats", Loss::silent, now);
    ++beats_unanswered_;
    beaten_ = now.steady;
    beat_at_ = now.steady + (ways_.several() ? std::min(settings_.beat_retry, heartbeat_) : heartbeat_);
    send_hello(Hello::Kind::heartbeat, heartbeat_type);
}

void Uplink::tick(const Now& now) {
    machines_.tick(now);
    switch (state_) {
        case State::waiting:
            if (now.steady < open_at_) return;
            state_ = State::opening;
            since_ = now.steady;
            ways_.called();
            actions_.push_back(OpenUplink{ways_.current()});
            return;
        case State::opening:
            if (now.steady >= since_ + settings_.open_timeout)
                drop("the head-end's address does not answer", Loss::silent, now);
            return;
        case State::greeting:
            if (now.steady >= since_ + settings_.login_timeout)
                return drop("the head-end does not answer the log-in", Loss::silent, now);
            break;
        case State::ready:
            break;
    }
    if (partial_since_ && now.steady >= *partial_since_ + settings_.partial_timeout) {
        return drop("half a frame from the head-end and no more", Loss::silent, now);
    }
    if (state_ != State::ready) return;
    if (now.steady >= beat_at_) beat(now);
    if (state_ == State::ready) look_at_ways(now);
    if (state_ == State::ready && directory_ && now.steady >= notify_at_ &&
        server_.associated(dcu::replication_client)) {
        std::vector<dlms::Data> lines;
        for (const auto& info : *directory_) lines.push_back(dcu::to_data(info));
        directory_.reset();
        notify_at_ = now.steady + settings_.notify_interval;
        ++counts_.notified;
        send(dcu::replication_client,
             dlms::encode_data_notification(++notification_ & 0xFF'FFFF, dlms::array(std::move(lines))));
    }
}

Instant Uplink::next_deadline() const {
    Instant next = machines_.next_deadline();
    switch (state_) {
        case State::waiting:
            return std::min(next, open_at_);
        case State::opening:
            return std::min(next, since_ + settings_.open_timeout);
        case State::greeting:
            return std::min(next, since_ + settings_.login_timeout);
        case State::ready:
            break;
    }
    next = std::min({next, beat_at_, ways_.next_deadline()});
    if (partial_since_) next = std::min(next, *partial_since_ + settings_.partial_timeout);
    if (directory_ && server_.associated(dcu::replication_client)) next = std::min(next, notify_at_);
    return next;
}

void Uplink::receive(Bytes bytes, const Now& now) {
    if (!decoder_) return;
    const auto generation = generation_;
    decoder_->feed(bytes);
    while (auto frame = decoder_->next()) {
        if (std::exchange(beats_unanswered_, 0) > 0) beat_at_ = beaten_ + heartbeat_;  // any frame: it lives
        on_frame(*frame, now);
        if (generation != generation_) return;
    }
    if (decoder_->error()) {
        ++counts_.malformed;
        return drop("the head-end's octets are not wrapper frames", Loss::closed, now);
    }
    if (!decoder_->partial()) {
        partial_since_.reset();
    } else if (!partial_since_) {
        partial_since_ = now.steady;
    }
}

void Uplink::on_frame(const link::WrapperFrame& frame, const Now& now) {
    if (frame.source == link::tunnel_client) return machines_.answered(frame.payload, now);
    if (link::is_hello(frame.payload)) return on_hello(frame, now);
    if (link::is_gateway(frame.payload)) {
        const auto gateway = link::decode_gateway(frame.payload);
        if (!gateway || gateway->response) {
            ++counts_.malformed;
            return;
        }
        ++counts_.relayed;
        relay_.request(frame.source, *gateway);
        return flush_relay();
    }
    if (frame.destination != management_logical_device) {
        ++counts_.malformed;
        return;
    }
    ++counts_.requests;
    server_.handle(frame.source, frame.payload, now.utc,
                   [this, client = frame.source, generation = generation_](Buffer apdu) {
                       if (generation == generation_) send(client, std::move(apdu));
                   });
}

void Uplink::on_hello(const link::WrapperFrame& frame, const Now& now) {
    const auto hello = link::decode_hello(frame.payload);
    if (!hello) {
        ++counts_.malformed;
        return;
    }
    if (!hello->checksum_ok) ++counts_.bad_checksums;
    if (hello->kind != Hello::Kind::login_ack || state_ != State::greeting) return;
    ++counts_.logged_in;
    state_ = State::ready;
    since_ = now.steady;
    machines_.set_uplink(true, now);
    ways_.logged_in(now);
    beat_at_ = now.steady + heartbeat_;
    if (!ways_.several()) return note("logged in at the head-end");
    tell_way("logged in at the head-end");
}

void Uplink::flush_relay() {
    while (auto answer = relay_.take_answer()) {
        if (decoder_) send(answer->client, link::encode_gateway(answer->frame));
    }
    while (auto payload = machines_.take_payload()) {
        if (decoder_) send(link::tunnel_client, *std::move(payload));
    }
    while (auto action = machines_.take_action()) actions_.push_back(*std::move(action));
}

void Uplink::send(Sap destination, Buffer payload) {
    actions_.push_back(
        SendUplink{link::encode_wrapper({management_logical_device, destination, std::move(payload)})});
}

void Uplink::send_hello(Hello::Kind kind, std::uint8_t type) {
    Hello hello;
    hello.kind = kind;
    hello.type = type;
    hello.address = to_string(settings_.number);
    if (kind == Hello::Kind::login) hello.option = std::uint8_t{0};
    send(management_logical_device, link::encode_hello(hello));
}

std::optional<Action> Uplink::take_action() {
    if (actions_.empty()) return std::nullopt;
    auto action = std::move(actions_.front());
    actions_.pop_front();
    return action;
}

}  // namespace wattmesh::concentrator
