#include "headend/frontend/listener.h"

#include <utility>

namespace wattmesh::headend::frontend {
namespace {

platform::AcceptorSettings acceptor_settings(const ListenerSettings& settings,
                                             platform::TlsLink::Context tls) {
    platform::AcceptorSettings acceptor;
    acceptor.address = settings.address;
    acceptor.port = settings.port;
    acceptor.share_port = settings.share_port;
    acceptor.tls = std::move(tls);
    return acceptor;
}

}  // namespace

Listener::Listener(platform::Loop& loop, ListenerSettings settings, platform::TlsLink::Context tls,
                   Core& core, Enroller& enroller)
    : loop_(loop),
      settings_(std::move(settings)),
      core_(core),
      enroller_(enroller),
      acceptor_(loop, acceptor_settings(settings_, std::move(tls))),
      timer_(loop),
      log_("frontend") {}

Listener::~Listener() = default;

void Listener::start() {
    acceptor_.start([this](std::unique_ptr<platform::Link> link) { on_link(std::move(link)); },
                    [this](const std::string& peer, const std::string& reason) {
                        log_.warning("refused connection from={} reason={}", peer, platform::quoted(reason));
                    });
    log_.information("listened for concentrators address={} port={}", settings_.address, port());
    tick();
}

void Listener::stop() {
    acceptor_.stop();
    timer_.cancel();
    enrolments_.clear();
    links_.clear();
}

void Listener::tick() {
    core_.tick(loop_.now());
    perform(core_.take_actions());
    timer_.after_real(settings_.tick_real, [this] { tick(); });
}

void Listener::pump_soon() {
    if (std::exchange(*pump_waits_, true)) return;
    loop_.post([this, waits = std::weak_ptr{pump_waits_}] {
        const auto alive = waits.lock();
        if (!alive) return;
        *alive = false;
        core_.tick(loop_.now());
        perform(core_.take_actions());
    });
}

void Listener::on_link(std::unique_ptr<platform::Link> link) {
    if (link->protocol() == security::enrolment_protocol) return on_enrolment(std::move(link));
    on_uplink(std::move(link));
}

void Listener::on_uplink(std::unique_ptr<platform::Link> link) {
    const auto& certificate = link->peer();
    if (!certificate) return;  // TLS would not have let it through
    const Duration life = certificate->not_after - certificate->not_before;
    const auto share = std::chrono::duration_cast<Duration>(life * settings_.renewal_share);
    const LinkId id{next_link_++};
    log_.information("accepted link={} from={} certificate={}", id.value, link->peer_address(),
                     platform::quoted(certificate->common_name));
    core_.on_accepted(id, {certificate->common_name, certificate->not_before + share}, loop_.now());
    platform::Link& started = *links_.emplace(id, std::move(link)).first->second;
    started.start({[this, id](Bytes bytes) {
                       core_.on_bytes(id, bytes, loop_.now());
                       perform(core_.take_ready_actions());
                   },
                   [this, id](const std::string& reason) {
                       log_.information("closed link={} reason={}", id.value, platform::quoted(reason));
                       core_.on_closed(id, loop_.now());
                       links_.erase(id);
                       perform(core_.take_ready_actions());
                   }});
}

void Listener::perform(std::vector<Action> actions) {
    for (Action& action : actions) {
        if (const auto* out = std::get_if<SendBytes>(&action)) {
            const auto link = links_.find(out->link);
            if (link == links_.end() || link->second->send(out->bytes)) continue;
            log_.warning("dropped link={} reason=\"it does not take what it asked for\"", out->link.value);
            const LinkId id = out->link;
            links_.erase(link);
            core_.on_closed(id, loop_.now());
        } else {
            const auto& close = std::get<CloseLink>(action);
            const auto link = links_.find(close.link);
            if (link == links_.end()) continue;
            log_.information("ended link={} reason={}", close.link.value, platform::quoted(close.reason));
            link->second->close();
        }
    }
}

void Listener::on_enrolment(std::unique_ptr<platform::Link> link) {
    if (enrolments_.size() >= settings_.enrolments_max) {
        log_.warning("refused enrolment from={} reason=\"too many at once\"", link->peer_address());
        return;
    }
    const LinkId id{next_link_++};
    Enrolment& enrolment = enrolments_[id];
    enrolment.link = std::move(link);
    enrolment.deadline = std::make_unique<platform::Timer>(loop_);
    enrolment.deadline->after_real(settings_.enrolment_real_max, [this, id] { enrolments_.erase(id); });
    enrolment.link->start({[this, id](Bytes bytes) { on_enrolment_bytes(id, bytes); },
                           [this, id](const std::string&) { enrolments_.erase(id); }});
}

void Listener::on_enrolment_bytes(LinkId id, Bytes bytes) {
    Enrolment& enrolment = enrolments_.at(id);
    if (enrolment.asked) return;
    const auto line = enrolment.line.feed(bytes);
    if (!line && !enrolment.line.too_long()) return;
    enrolment.asked = true;
    const std::string from = enrolment.link->peer_address();
    if (!line) return answer_enrolment(id, EnrolmentRefusal{"the enrolment request is too long"}, from);
    auto request = parse_enrolment(*line);
    if (const auto* refusal = std::get_if<EnrolmentRefusal>(&request))
        return answer_enrolment(id, *refusal, from);
    auto& parsed = std::get<EnrolmentRequest>(request);
    const std::string who = to_string(parsed.number) + " at " + from;
    enroller_.enrol(std::move(parsed), loop_.now(),
                    [this, id, who, waits = std::weak_ptr{pump_waits_}](const EnrolmentAnswer& answer) {
                        if (waits.lock()) answer_enrolment(id, answer, who);
                    });
}

void Listener::answer_enrolment(LinkId id, const EnrolmentAnswer& answer, const std::string& who) {
    if (const auto* refusal = std::get_if<EnrolmentRefusal>(&answer)) {
        log_.warning("refused enrolment of={} reason={}", platform::quoted(who),
                     platform::quoted(refusal->error));
    } else {
        log_.information("enrolled concentrator={}", platform::quoted(who));
    }
    const auto enrolment = enrolments_.find(id);
    if (enrolment == enrolments_.end()) return;
    enrolment->second.link->send(as_bytes(format_enrolment(answer)));
    enrolment->second.link->close();
}

}  // namespace wattmesh::headend::frontend
