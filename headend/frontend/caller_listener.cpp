#include "headend/frontend/caller_listener.h"

#include <utility>

namespace wattmesh::headend::frontend {
namespace {

constexpr Duration tick_real = std::chrono::milliseconds{100};
constexpr unsigned refusal_lines_max = 20;  // within a second and port; what is beyond is summed up

platform::AcceptorSettings acceptor_settings(const CallerPortSettings& settings,
                                             const platform::TlsLink::Context& tls) {
    platform::AcceptorSettings acceptor;
    acceptor.address = settings.address;
    acceptor.port = settings.tcp_port;
    acceptor.share_port = settings.share_port;
    if (settings.tls != CallerTls::off) acceptor.tls = tls;
    acceptor.tls_offered = settings.tls == CallerTls::offered;
    return acceptor;
}

}  // namespace

struct CallerListener::Port {
    Port(CallerListener& owner, const CallerPortSettings& with, const platform::TlsLink::Context& tls)
        : settings(with),
          acceptor(owner.loop_, with_judge(acceptor_settings(with, tls), owner)),
          second(owner.loop_) {}
    platform::AcceptorSettings with_judge(platform::AcceptorSettings acceptor_settings_,
                                          CallerListener& owner) {
        acceptor_settings_.refuse = [this, &owner](const std::string& peer) {
            return owner.judge(*this, peer);
        };
        return acceptor_settings_;
    }

    const CallerPortSettings& settings;
    platform::Acceptor acceptor;
    platform::Timer second;  ///< armed while a second with connections runs
    unsigned accepts = 0, refusals = 0;
};

CallerListener::CallerListener(platform::Loop& loop, const std::vector<CallerPortSettings>& settings,
                               const platform::TlsLink::Context& tls, CallerCore& core)
    : loop_(loop), core_(core), timer_(loop), log_("callers") {
    for (const auto& port : settings) ports_.push_back(std::make_unique<Port>(*this, port, tls));
}

CallerListener::~CallerListener() = default;

void CallerListener::start() {
    for (const auto& port : ports_) {
        port->acceptor.start(
            [this, &port = *port](std::unique_ptr<platform::Link> link) { on_link(port, std::move(link)); },
            [this, &port = *port](const std::string& peer, const std::string& reason) {
                refuse(port, peer, reason);
            });
        log_.information("listened for devices of other makes port_name={} address={} port={}",
                         port->settings.port.name, port->settings.address, port->acceptor.port());
    }
    tick();
}

void CallerListener::stop() {
    for (const auto& port : ports_) {
        port->acceptor.stop();
        port->second.cancel();
    }
    timer_.cancel();
    links_.clear();
}

std::uint16_t CallerListener::port(std::size_t index) const { return ports_.at(index)->acceptor.port(); }

void CallerListener::tick() {
    core_.tick(loop_.now());
    perform(core_.take_actions());
    timer_.after_real(tick_real, [this] { tick(); });
}

void CallerListener::pump_soon() {
    if (std::exchange(*pump_waits_, true)) return;
    loop_.post([this, waits = std::weak_ptr{pump_waits_}] {
        const auto alive = waits.lock();
        if (!alive) return;
        *alive = false;
        perform(core_.take_actions());
    });
}

std::string CallerListener::judge(Port& port, const std::string& peer) {
    if (!port.second.armed()) {
        port.accepts = 0;
        port.second.after_real(std::chrono::seconds{1}, [this, &port] {
            if (port.refusals > refusal_lines_max)
                log_.warning("refused more connections port_name={} count={}", port.settings.port.name,
                             port.refusals - refusal_lines_max);
            port.refusals = 0;
        });
    }
    if (!admits(port.settings.allowed, peer)) return "not on the allow-list";
    if (++port.accepts > port.settings.accepts_per_second_max) return "too many connections within a second";
    return {};
}

void CallerListener::refuse(Port& port, const std::string& peer, const std::string& reason) {
    ++refused_;
    if (++port.refusals > refusal_lines_max) return;
    log_.warning("refused connection port_name={} from={} reason={}", port.settings.port.name, peer,
                 platform::quoted(reason));
}

void CallerListener::on_link(Port& port, std::unique_ptr<platform::Link> link) {
    const LinkId id{next_link_++};
    if (!core_.on_accepted(id, port.settings.port, loop_.now()))
        return refuse(port, link->peer_address(), "too many links are there already");
    log_.debug("accepted link={} port_name={} from={}", id.value, port.settings.port.name,
               link->peer_address());
    platform::Link& started = *links_.emplace(id, std::move(link)).first->second;
    started.start({[this, id](Bytes bytes) {
                       core_.on_bytes(id, bytes, loop_.now());
                       perform(core_.take_ready_actions());
                   },
                   [this, id](const std::string&) {
                       core_.on_closed(id, loop_.now());
                       perform(core_.take_ready_actions());
                       links_.erase(id);
                   }});
}

void CallerListener::perform(std::vector<CallerAction> actions) {
    for (CallerAction& action : actions) {
        const LinkId id = std::visit([](const auto& one) { return one.link; }, action);
        const auto link = links_.find(id);
        if (link == links_.end()) {
            if (dialler_ != nullptr) dialler_->perform(action);
            continue;
        }
        const std::string& from = link->second->peer_address();
        if (const auto* out = std::get_if<SendBytes>(&action)) {
            if (link->second->send(out->bytes)) continue;
            log_.warning("dropped link={} from={} reason=\"it does not take what it asked for\"", id.value,
                         from);
            links_.erase(link);
            core_.on_closed(id, loop_.now());
        } else if (const auto* told = std::get_if<TellLink>(&action)) {
            told->warning ? log_.warning("{} link={} from={}", told->text, id.value, from)
                          : log_.information("{} link={} from={}", told->text, id.value, from);
        } else {
            log_.information("ended link={} from={} reason={}", id.value, from,
                             platform::quoted(std::get<CloseLink>(action).reason));
            link->second->close();
        }
    }
}

}  // namespace wattmesh::headend::frontend
