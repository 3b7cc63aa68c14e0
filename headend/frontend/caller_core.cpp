#include "headend/frontend/caller_core.h"

#include <algorithm>
#include <iterator>

namespace wattmesh::headend::frontend {

CallerCore::CallerCore(CallerCoreSettings settings, CallerDirectory& directory, Store& store,
                       CallerWork& work, Ciphers& ciphers, Random& random)
    : settings_(settings),
      work_(work),
      world_{.directory = directory,
             .work = work,
             .ciphers = ciphers,
             .random = random,
             .settings = settings_.session,
             .now = now_,
             .moved = moved_},
      presence_(store, settings_.report_every),
      damping_(settings_.damping) {}

CallerCore::~CallerCore() = default;

bool CallerCore::on_accepted(LinkId link, const CallerPort& port, Instant now) {
    now_ = now;
    if (sessions_.size() >= settings_.sessions_max || unidentified_ >= settings_.unidentified_max) {
        ++counters_.refused_full;
        return false;
    }
    ++counters_.accepted;
    ++unidentified_;
    if (tap_ != nullptr) tap_->opened({link, {}, port.carries}, "on port " + port.name, now);
    sessions_[link] = {std::make_unique<CallerSession>(world_, link, port), &port};
    moved_.insert(link);  // its deadlines begin
    return true;
}

bool CallerCore::on_dialled(LinkId link, const CallerPort& port, DeviceNumber device, Instant now) {
    if (!on_accepted(link, port, now)) return false;
    Entry& entry = sessions_.at(link);
    entry.session->known_as(to_string(device));
    take_over(link, entry);
    attend(link);
    return true;
}

void CallerCore::on_bytes(LinkId link, Bytes bytes, Instant now) {
    now_ = now;
    const auto found = sessions_.find(link);
    if (found == sessions_.end()) return;
    Entry& entry = found->second;
    const bool named = !entry.session->identity().empty();
    entry.session->receive(bytes);
    if (tap_ != nullptr) tap_->received({link, entry.session->number(), entry.port->carries}, bytes, now);
    if (!named && !entry.session->identity().empty() && entry.session->phase() != Phase::closing)
        take_over(link, entry);
    attend(link);
}

/// Newest log-in wins, unless the number calls in too often: then it keeps the session it has.
void CallerCore::take_over(LinkId newest, Entry& entry) {
    if (!entry.session->number()) return;
    const DeviceNumber number = *entry.session->number();
    if (!damping_.admit(number, now_)) {
        ++counters_.held;
        return entry.session->end(CallerEnd::held, to_string(number) + " calls in too often, held off");
    }
    const auto [owner, first] = owners_.try_emplace(number, newest);
    if (first) return;
    const LinkId older = std::exchange(owner->second, newest);
    const auto session = sessions_.find(older);
    if (session == sessions_.end()) return;
    ++counters_.takeovers;
    session->second.session->end(CallerEnd::took_over, "a newer log-in of " + to_string(number));
    settle(older, session->second);
    drop(session);
}

void CallerCore::on_closed(LinkId link, Instant now) {
    now_ = now;
    const auto found = sessions_.find(link);
    if (found == sessions_.end()) return;
    found->second.session->end(CallerEnd::closed_by_peer, "the link was closed by the other end");
    settle(link, found->second);
    drop(found);
}

CallerCore::Sessions::iterator CallerCore::drop(Sessions::iterator at) {
    due_.erase({at->second.due, at->first});
    moved_.erase(at->first);
    return sessions_.erase(at);
}

bool CallerCore::attend(LinkId link) {
    const auto found = sessions_.find(link);
    if (found == sessions_.end()) return true;
    look_at(link, found->second);
    if (!settle(link, found->second)) {
        const Instant due = found->second.session->due();
        if (due != found->second.due) {
            due_.erase({found->second.due, link});
            due_.emplace(found->second.due = due, link);
        }
        return false;
    }
    drop(found);
    return true;
}

void CallerCore::look_at(LinkId link, Entry& entry) {
    CallerSession& session = *entry.session;
    session.tick();
    tell_phase(link, entry);
    if (session.phase() == Phase::ready)
        presence_.note(*session.number(), session.epoch(), session.last_frame(), session.silence_max());
}

void CallerCore::tell_phase(LinkId link, Entry& entry) {
    const CallerSession& session = *entry.session;
    if (session.phase() == entry.told || session.phase() == Phase::closing) return;
    if (entry.told == Phase::accepted) --unidentified_;
    entry.told = session.phase();
    const std::string profile = session.profile() != nullptr ? session.profile()->name : "none";
    if (entry.told == Phase::ready) {
        quarantine_.forget(session.identity());
        actions_.emplace_back(
            TellLink{link, "admitted device=" + to_string(*session.number()) + " profile=" + profile, false});
    } else if (entry.told == Phase::quarantined) {
        ++counters_.quarantined;
        const bool first = quarantine_.note(
            {session.identity(), profile, entry.port->name, session.first_octets(), {}, {}, 0}, now_);
        if (first) {
            actions_.emplace_back(TellLink{link,
                                           "quarantined identity=" + session.identity() + " profile=" +
                                               profile + " first=" + to_hex(session.first_octets()),
                                           true});
        }
    }
}

void CallerCore::tick(Instant now) {
    now_ = now;
    std::vector<LinkId> due;
    for (auto next = due_.begin(); next != due_.end() && next->first <= now; ++next)
        due.push_back(next->second);
    for (const LinkId link : due) attend(link);
    if (now - watched_ >= settings_.watch_every) {
        watched_ = now;
        counters_.went_offline += presence_.watch(now_);
    }
    if (now_ - swept_ >= settings_.damping.window) {
        swept_ = now_;
        damping_.forget_old(now_);
    }
}

/// True when the session ended.
bool CallerCore::settle(LinkId link, Entry& entry) {
    CallerSession& session = *entry.session;
    for (Buffer& bytes : session.take_output()) {
        if (tap_ != nullptr) tap_->sent({link, session.number(), entry.port->carries}, bytes, now_);
        actions_.emplace_back(SendBytes{link, std::move(bytes)});
    }
    if (session.phase() != Phase::closing) return false;
    if (entry.told == Phase::accepted) --unidentified_;
    ++counters_.ended[static_cast<std::size_t>(session.ended())];
    counters_.bad_checksums += session.counters().bad_checksums;
    std::string reason{to_string(session.ended())};
    if (!session.end_detail().empty()) reason += ": " + session.end_detail();
    if (!session.identity().empty()) reason += " (" + session.identity() + ")";
    if (tap_ != nullptr) tap_->closed({link, session.number(), entry.port->carries}, reason, now_);
    actions_.emplace_back(CloseLink{link, std::move(reason)});
    if (session.number()) {
        const auto owner = owners_.find(*session.number());
        if (owner != owners_.end() && owner->second == link) {
            owners_.erase(owner);
            work_.ended(*session.number());
        }
    }
    return true;
}

std::vector<CallerAction> CallerCore::take_actions() {
    for (const LinkId link : std::exchange(moved_, {})) attend(link);
    return std::exchange(actions_, {});
}

void CallerCore::expect(DeviceNumber device, OwnerEpoch epoch, Instant last_seen) {
    presence_.expect(device, epoch, last_seen, 3 * settings_.session.beat_default + std::chrono::seconds{30});
}

CallerSession* CallerCore::session_of(DeviceNumber device) {
    const auto owner = owners_.find(device);
    if (owner == owners_.end()) return nullptr;
    const auto session = sessions_.find(owner->second);
    return session == sessions_.end() ? nullptr : session->second.session.get();
}

void CallerCore::carry(DeviceNumber device, Sap client, Buffer apdu, Relay::Done done) {
    CallerSession* session = session_of(device);
    if (session == nullptr) return done({RelayStatus::offline, {}});
    session->request(client, std::move(apdu), std::move(done));
}

void CallerCore::disconnect(DeviceNumber device, const std::string& reason) {
    if (CallerSession* session = session_of(device)) session->end(CallerEnd::ended_here, reason);
}

void CallerCore::superseded(DeviceNumber device, OwnerEpoch epoch) {
    CallerSession* session = session_of(device);
    if (session != nullptr && session->epoch() <= epoch)
        session->end(CallerEnd::superseded, "a newer session owns this device");
}

std::vector<CallerView> CallerCore::sessions() const {
    std::vector<CallerView> views;
    for (const auto& [link, entry] : sessions_) {
        const CallerSession& session = *entry.session;
        views.push_back({.link = link,
                         .identity = session.identity(),
                         .profile = session.profile() != nullptr ? session.profile()->name : std::string{},
                         .phase = session.phase(),
                         .epoch = session.epoch(),
                         .since = session.since(),
                         .last_frame = session.last_frame(),
                         .counters = session.counters(),
                         .late_answers = session.exchange().late_answers(),
                         .timeouts = session.exchange().timeouts()});
    }
    return views;
}

}  // namespace wattmesh::headend::frontend
