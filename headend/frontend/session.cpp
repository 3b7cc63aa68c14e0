#include "headend/frontend/session.h"

#include <utility>

#include "protocol/dcu/objects.h"

namespace wattmesh::headend::frontend {
namespace {

constexpr std::uint8_t acknowledgement_type = 3;  // as captured units expect it (uplink fact sheet 2)
constexpr Sap device{1};

}  // namespace

std::string_view to_string(Phase phase) {
    switch (phase) {
        case Phase::accepted:
            return "accepted";
        case Phase::identified:
            return "identified";
        case Phase::ready:
            return "ready";
        case Phase::quarantined:
            return "quarantined";
        case Phase::closing:
            return "closing";
    }
    return "?";
}

Session::Session(const SessionWorld& world, Peer peer)
    : world_(world),
      peer_(std::move(peer)),
      life_(*this),
      decoder_(world.settings.payload_size_max),
      since_(world.now),
      last_frame_(world.now),
      standing_backoff_(std::chrono::seconds{1}, std::chrono::seconds{30}) {
    life_.initiate();
}

Session::~Session() = default;

void Session::end(const std::string& reason) {
    if (phase() != Phase::closing) life_.process_event(life::Ended{reason});
}

void Session::stop(const std::string& reason) {
    end_reason_ = reason;
    standing_guard_.cancel();
    if (!relay_) return;
    replication_->cancel();
    configurator_->cancel();
    if (image_supply_) image_supply_->cancel();
    relay_->close();
    tunnels_->close();
    journal_->close();
    configuration_->close();
}

std::vector<Buffer> Session::take_output() {
    collect_output();
    return std::exchange(output_, {});
}

void Session::send(Sap own, Buffer payload) {
    output_.push_back(link::encode_wrapper({own, device, std::move(payload)}));
}

void Session::collect_output() {
    if (phase() != Phase::ready) return;
    for (Association* association : {journal_.get(), configuration_.get()}) {
        while (auto apdu = association->take_output()) send(association->own(), *std::move(apdu));
    }
    for (auto& [client, payload] : relay_->take_output()) send(client, std::move(payload));
    // Last: what machines say waits for metering and breakers.
    for (auto& payload : tunnels_->take_output()) send(link::tunnel_client, std::move(payload));
}

void Session::receive(Bytes bytes) {
    if (phase() == Phase::closing) return;
    counters_.octets += bytes.size();
    decoder_.feed(bytes);
    while (phase() != Phase::closing) {
        const auto frame = decoder_.next();
        if (!frame) break;
        partial_since_.reset();
        on_frame(*frame);
    }
    if (decoder_.error() && phase() != Phase::closing) {
        ++counters_.malformed;
        end("not a wrapper stream: " + std::string{to_string(decoder_.error()->fault)});
    }
    if (!decoder_.partial()) {
        partial_since_.reset();
    } else if (!partial_since_) {
        partial_since_ = world_.now;
    }
}

void Session::on_frame(const link::WrapperFrame& frame) {
    ++counters_.frames;
    last_frame_ = world_.now;
    if (frame.destination == link::tunnel_client) return on_tunnel(frame.payload);
    if (link::is_hello(frame.payload)) return on_hello(frame);
    if (phase() != Phase::ready) {
        ++counters_.early;  // quarantined and not yet admitted links get no work done
        return;
    }
    if (link::is_gateway(frame.payload)) return on_gateway(frame);
    for (Association* association : {journal_.get(), configuration_.get()}) {
        // Answers swap the ports; some units do not.
        if (frame.destination != association->own() && frame.source != association->own()) continue;
        association->receive(frame.payload);
        while (const auto body = association->take_notification()) {
            ++counters_.notifications;
            replication_->notify(*body);
        }
        return;
    }
    ++counters_.foreign;
}

void Session::on_tunnel(Bytes payload) {
    if (phase() == Phase::ready) return tunnels_->receive(payload);
    ++counters_.early;
    if (auto no = Tunnels::too_early(payload); number_ && !no.empty())
        output_.push_back(link::encode_wrapper({link::tunnel_client, device, std::move(no)}));
}

void Session::on_hello(const link::WrapperFrame& frame) {
    auto hello = link::decode_hello(frame.payload);
    using Kind = link::Hello::Kind;
    if (!hello || (hello->kind != Kind::login && hello->kind != Kind::heartbeat)) {
        ++counters_.malformed;
        if (!number_) end("the first frame is not a log-in");
        return;
    }
    if (!hello->checksum_ok) ++counters_.bad_checksums;
    const auto number = DeviceNumber::parse(hello->address);
    if (!number || hello->address != peer_.common_name) {
        ++counters_.identity_mismatches;
        return end("log-in as " + hello->address + " with the certificate of " + peer_.common_name);
    }
    const bool login = hello->kind == Kind::login;
    ++(login ? counters_.hellos : counters_.heartbeats);
    hello->kind = login ? Kind::login_ack : Kind::heartbeat_ack;
    hello->type = acknowledgement_type;
    output_.push_back(link::encode_wrapper({frame.destination, frame.source, link::encode_hello(*hello)}));
    if (number_) return;
    number_ = number;
    life_.process_event(life::LoggedIn{});
}

void Session::on_gateway(const link::WrapperFrame& frame) {
    const auto gateway = link::decode_gateway(frame.payload);
    if (gateway && gateway->response) return relay_->receive(*gateway);
    ++counters_.malformed;
}

void Session::ask_standing() {
    ask_at_ = world_.now + world_.settings.standing_retry;
    world_.store.open_session(
        *number_, world_.now,
        standing_guard_.expect([this](const std::optional<SessionOpened>& opened) { on_standing(opened); }));
}

void Session::on_standing(const std::optional<SessionOpened>& opened) {
    if (!opened) {
        ask_at_ = world_.now + standing_backoff_.next();
        return;
    }
    switch (opened->standing) {
        case Standing::known:
            return life_.process_event(life::Admitted{opened->epoch});
        case Standing::unknown:
            ask_at_ = world_.now + world_.settings.standing_retry;
            return life_.process_event(life::NotRegistered{});
        case Standing::revoked:
            return end("the concentrator is revoked");
    }
}

void Session::start_work(OwnerEpoch epoch) {
    epoch_ = epoch;
    ask_at_.reset();
    const Instant& now = world_.now;
    configuration_ =
        std::make_unique<Association>(dcu::configuration_client, world_.ciphers, world_.random, now);
    journal_ = std::make_unique<Association>(dcu::replication_client, world_.ciphers, world_.random, now);
    relay_ = std::make_unique<Relay>(world_.relay, now);
    tunnels_ = std::make_unique<Tunnels>(*number_, world_.machines);
    replication_ =
        std::make_unique<Replication>(*number_, epoch, *journal_, world_.store, world_.replication, now);
    configurator_ = std::make_unique<Configurator>(*number_, *configuration_, world_.desired, world_.renewals,
                                                   world_.configuration, now, peer_.renew_at);
    if (world_.images != nullptr)
        image_supply_ = std::make_unique<ImageSupply>(*number_, *configuration_, *world_.images,
                                                      world_.image_supply, now);
}

void Session::configure() {
    if (phase() != Phase::ready) return;
    configurator_->check();
    if (image_supply_) image_supply_->check();
}

void Session::tick() {
    if (phase() == Phase::closing) return;
    watch_deadlines();
    if (ask_at_ && world_.now >= *ask_at_ && (phase() == Phase::identified || phase() == Phase::quarantined))
        ask_standing();
    if (phase() != Phase::ready) return;
    replication_->tick();
    configurator_->tick();
    if (image_supply_) image_supply_->tick();
    relay_->tick();
    if (replication_->superseded()) end("a newer session owns this concentrator");
}

void Session::watch_deadlines() {
    const SessionSettings& settings = world_.settings;
    const Instant now = world_.now;
    if (!number_ && now - since_ >= settings.login_deadline) return end("no log-in in time");
    if (now - last_frame_ >= settings.silence_max()) return end("silent for too long");
    if (partial_since_ && now - *partial_since_ >= settings.partial_deadline)
        return end("a frame was never finished");
    for (const Association* association : {journal_.get(), configuration_.get()}) {
        if (association == nullptr) continue;
        if (association->refused()) return end("the concentrator refused the association");
        const auto waiting = association->waiting_since();
        if (waiting && now - *waiting >= settings.answer_timeout)
            return end("no answer to a request in time");
    }
}

}  // namespace wattmesh::headend::frontend
