#include "platform/tls_link.h"

#include <algorithm>
#include <utility>

namespace wattmesh::platform {

using security::TlsSession;

/// Shared, because its owner may destroy the link inside a callback.
struct TlsLink::Core : std::enable_shared_from_this<Core> {
    Core(Loop& owner, std::unique_ptr<Link> below, Context context, std::optional<Instant> now)
        : loop(owner), transport(std::move(below)), session(std::move(context), now) {}

    void begin(std::function<void(const std::string&)> done) {
        on_handshake = std::move(done);
        const std::weak_ptr<Core> weak = weak_from_this();
        transport->start({.on_bytes =
                              [weak](Bytes bytes) {
                                  if (const auto self = weak.lock()) self->received(bytes);
                              },
                          .on_closed =
                              [weak](const std::string& reason) {
                                  if (const auto self = weak.lock()) self->transport_closed(reason);
                              }});
        flush();
    }
    void flush() {
        const Buffer output = session.take_output();
        if (output.empty() || transport->send(output)) return;
        transport->close();
        end("the peer does not take what is sent");
    }
    void received(Bytes bytes) {
        session.receive(bytes);
        flush();
        if (over) return;
        const bool handshake_done = on_handshake && session.state() != TlsSession::State::handshake;
        if (session.state() == TlsSession::State::failed) {
            transport->close();  // the alert leaves first
            return end(session.error());
        }
        if (handshake_done) std::exchange(on_handshake, nullptr)({});
        deliver();
        if (!over && session.state() == TlsSession::State::closed) {
            transport->close();
            end("closed by the peer");
        }
    }
    /// Keeps what arrives before start().
    void deliver() {
        if (over || !started) return;
        const Buffer plain = session.take_plain();
        const auto on_bytes = events.on_bytes;
        if (plain.empty() || !on_bytes) return;
        try {
            on_bytes(plain);
        } catch (const std::exception& failure) {
            const std::string reason = std::string{"the link's owner failed: "} + failure.what();
            session.close();
            flush();
            transport->close();
            end(reason);
        }
    }
    /// Keeps back what the records add (22 octets for each 16 kB) and space for an alert.
    std::size_t room() const {
        const std::size_t below = transport->room();
        return below - std::min(below, below / 512 + 1'024);
    }
    void transport_closed(const std::string& reason) {
        if (over) return;
        if (closing) return end("closed here");
        session.transport_ended();
        end(reason + (session.error().empty() ? "" : "; " + session.error()));
    }
    void end(const std::string& reason) {
        if (std::exchange(over, true)) return;
        const auto handshake_over = std::exchange(on_handshake, nullptr);
        const auto on_closed = std::exchange(events, {}).on_closed;
        if (handshake_over) return handshake_over(reason);
        if (on_closed) return on_closed(reason);
        if (!started) ended_early = reason;
    }

    Loop& loop;
    std::unique_ptr<Link> transport;
    TlsSession session;
    LinkEvents events;
    std::function<void(const std::string&)> on_handshake;
    std::string ended_early;  ///< over before start()
    bool started = false, closing = false, over = false;
};

TlsLink::TlsLink(Loop& loop, std::unique_ptr<Link> transport, Context context, std::optional<Instant> now)
    : core_(std::make_shared<Core>(loop, std::move(transport), std::move(context), now)) {}

TlsLink::~TlsLink() {
    core_->over = true;
    core_->events = {};
    core_->on_handshake = nullptr;
}

void TlsLink::handshake(std::function<void(const std::string& reason)> done) {
    core_->begin(std::move(done));
}

void TlsLink::start(LinkEvents events) {
    core_->events = std::move(events);
    core_->started = true;
    const std::weak_ptr<Core> weak = core_;
    core_->loop.post([weak] {  // octets that came with the end of the handshake
        const auto self = weak.lock();
        if (!self) return;
        if (!self->ended_early.empty()) {
            const auto on_closed = std::exchange(self->events, {}).on_closed;
            if (on_closed) on_closed(self->ended_early);
            return;
        }
        self->deliver();
    });
}

bool TlsLink::send(Bytes bytes) {
    auto& core = *core_;
    if (core.over || core.closing || bytes.size() > core.room() || !core.session.send(bytes)) return false;
    core.flush();
    return !core.over;
}

void TlsLink::close() {
    if (core_->over || std::exchange(core_->closing, true)) return;
    core_->session.close();
    core_->flush();
    core_->transport->close();
}

void TlsLink::pause(bool paused) { core_->transport->pause(paused); }
std::size_t TlsLink::room() const { return core_->room(); }
const std::string& TlsLink::peer_address() const { return core_->transport->peer_address(); }
const std::optional<security::CertificateFacts>& TlsLink::peer() const { return core_->session.peer(); }
const std::string& TlsLink::protocol() const { return core_->session.protocol(); }

}  // namespace wattmesh::platform
