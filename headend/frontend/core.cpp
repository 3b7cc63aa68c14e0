#include "headend/frontend/core.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace wattmesh::headend::frontend {
namespace {

TappedLink tapped(LinkId link, const Session& session) {
    return {link, session.number(), link::Carried::wrapper};
}

}  // namespace

Core::Core(CoreSettings settings, Store& store, DesiredState& desired, Renewals& renewals, Ciphers& ciphers,
           Random& random)
    : settings_(std::move(settings)),
      world_{.store = store,
             .desired = desired,
             .renewals = renewals,
             .ciphers = ciphers,
             .random = random,
             .settings = settings_.session,
             .replication = settings_.replication,
             .configuration = settings_.configuration,
             .relay = settings_.relay,
             .now = now_,
             .image_supply = settings_.image_supply},
      presence_(store, settings_.report_every) {}

Core::~Core() = default;

void Core::on_accepted(LinkId link, Peer peer, Instant now) {
    now_ = now;
    ++counters_.accepted;
    if (tap_ != nullptr) tap_->opened({link, {}, {}}, "with the certificate of " + peer.common_name, now);
    sessions_[link] = std::make_unique<Session>(world_, std::move(peer));
}

void Core::on_bytes(LinkId link, Bytes bytes, Instant now) {
    now_ = now;
    const auto found = sessions_.find(link);
    if (found == sessions_.end()) return;
    Session& session = *found->second;
    const bool named = session.number().has_value();
    session.receive(bytes);
    if (tap_ != nullptr) tap_->received(tapped(link, session), bytes, now);
    if (!named && session.number() && session.phase() != Phase::closing)
        evict_others(link, *session.number());
    session.tick();
    note_presence(session);
    if (settle(link, session)) sessions_.erase(found);
}

/// Newest log-in wins; the older link's end cannot mark the concentrator offline any more, presence belongs
/// to the number.
void Core::evict_others(LinkId newest, DeviceNumber number) {
    const auto [owner, first] = owners_.try_emplace(number, newest);
    if (first) return;
    const LinkId older = std::exchange(owner->second, newest);
    const auto session = sessions_.find(older);
    if (session == sessions_.end()) return;
    ++counters_.takeovers;
    session->second->end("a newer log-in took over");
    settle(older, *session->second);
    sessions_.erase(session);
}

void Core::on_closed(LinkId link, Instant now) {
    now_ = now;
    const auto found = sessions_.find(link);
    if (found == sessions_.end()) return;
    found->second->end("the link was closed by the other end");
    settle(link, *found->second);
    sessions_.erase(found);
}

void Core::tick(Instant now) {
    now_ = now;
    for (const auto& [link, session] : sessions_) {
        session->tick();
        note_presence(*session);
    }
    counters_.went_offline += presence_.watch(now_);
    settle();
}

void Core::note_presence(const Session& session) {
    if (session.phase() != Phase::ready) return;
    presence_.note(*session.number(), session.epoch(), session.last_frame(), settings_.session.silence_max());
}

/// Collects what sessions want sent and forgets those that ended. Sessions die only here, never inside their
/// own call.
void Core::settle() {
    for (auto entry = sessions_.begin(); entry != sessions_.end();) {
        const bool ended = settle(entry->first, *entry->second);
        entry = ended ? sessions_.erase(entry) : std::next(entry);
    }
}

/// True when the session ended.
bool Core::settle(LinkId link, Session& session) {
    for (Buffer& bytes : session.take_output()) {
        if (tap_ != nullptr) tap_->sent(tapped(link, session), bytes, now_);
        actions_.emplace_back(SendBytes{link, std::move(bytes)});
    }
    if (session.phase() != Phase::closing) return false;
    if (tap_ != nullptr) tap_->closed(tapped(link, session), session.end_reason(), now_);
    ++counters_.closed;
    counters_.identity_mismatches += session.counters().identity_mismatches;
    counters_.malformed += session.counters().malformed;
    actions_.emplace_back(CloseLink{link, session.end_reason()});
    if (session.number()) {
        const auto owner = owners_.find(*session.number());
        if (owner != owners_.end() && owner->second == link) owners_.erase(owner);
    }
    return true;
}

std::vector<Action> Core::take_actions() {
    settle();
    return std::exchange(actions_, {});
}

void Core::expect(DeviceNumber concentrator, OwnerEpoch epoch, Instant last_seen) {
    presence_.expect(concentrator, epoch, last_seen, settings_.session.silence_max());
}

Session* Core::session_of(DeviceNumber concentrator) {
    const auto owner = owners_.find(concentrator);
    if (owner == owners_.end()) return nullptr;
    const auto session = sessions_.find(owner->second);
    return session == sessions_.end() ? nullptr : session->second.get();
}

void Core::relay(DeviceNumber concentrator, DeviceNumber meter, Buffer apdu, Relay::Done done, Sap client) {
    Session* session = session_of(concentrator);
    Relay* relay = session != nullptr ? session->relay() : nullptr;
    if (relay == nullptr) return done({RelayStatus::offline, {}});
    relay->request(meter, std::move(apdu), std::move(done), client);
}

void Core::read(DeviceNumber concentrator, const dlms::AttributeId& id, Association::ReadDone done) {
    Session* session = session_of(concentrator);
    Association* association = session != nullptr ? session->configuration() : nullptr;
    if (association == nullptr) return done(std::nullopt);
    association->get(id, {}, std::move(done));
}

Tunnels* Core::tunnels_of(const TunnelKey& key, Instant now) {
    now_ = now;
    Session* session = session_of(key.concentrator);
    return session != nullptr ? session->tunnels() : nullptr;
}

void Core::tunnel_opened(const TunnelKey& key, Instant now) {
    if (Tunnels* tunnels = tunnels_of(key, now)) tunnels->opened(key.tunnel);
}

void Core::tunnel_came(const TunnelKey& key, Bytes octets, Instant now) {
    if (Tunnels* tunnels = tunnels_of(key, now)) tunnels->came(key.tunnel, octets);
}

void Core::tunnel_closed(const TunnelKey& key, link::TunnelReason reason, Instant now) {
    if (Tunnels* tunnels = tunnels_of(key, now)) tunnels->closed(key.tunnel, reason);
}

void Core::configure(DeviceNumber concentrator) {
    Session* session = session_of(concentrator);
    if (session != nullptr) session->configure();
}

void Core::disconnect(DeviceNumber concentrator, const std::string& reason) {
    if (Session* session = session_of(concentrator)) session->end(reason);
}

std::vector<SessionView> Core::sessions() const {
    std::vector<SessionView> views;
    for (const auto& [link, session] : sessions_) {
        SessionView view{
            .link = link,
            .number = session->number() ? to_string(*session->number()) : session->peer().common_name,
            .phase = session->phase(),
            .epoch = session->epoch(),
            .since = session->since(),
            .last_frame = session->last_frame(),
            .counters = session->counters(),
            .replicated = {},
            .configured = {},
            .tunnelled = {}};
        if (session->replicated() != nullptr) view.replicated = *session->replicated();
        if (session->configured() != nullptr) view.configured = *session->configured();
        if (session->tunnelled() != nullptr) view.tunnelled = *session->tunnelled();
        views.push_back(std::move(view));
    }
    return views;
}

}  // namespace wattmesh::headend::frontend
