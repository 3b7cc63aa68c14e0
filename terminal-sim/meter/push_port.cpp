#include "terminal-sim/meter/push_port.h"

#include <algorithm>
#include <charconv>

#include "platform/log.h"

namespace wattmesh::sim {
namespace {

const platform::Log& log() {
    static const platform::Log source{"meter.push"};
    return source;
}

std::uint64_t chance_of(Random& random) {
    std::array<std::uint8_t, 8> octets{};
    random.fill(octets);
    std::uint64_t chance = 0;
    for (const auto octet : octets) chance = chance << 8U | octet;
    return chance;
}

}  // namespace

std::optional<platform::HostPort> destination_of(Bytes text) {
    const std::string word{text.begin(), text.end()};
    const auto colon = word.rfind(':');
    if (colon == std::string::npos || colon == 0) return std::nullopt;
    std::string host = word.substr(0, colon);
    if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    std::uint16_t port = 0;
    const char* const end = word.data() + word.size();
    const auto [at, error] = std::from_chars(word.data() + colon + 1, end, port);
    if (error != std::errc{} || at != end || port == 0 || host.empty()) return std::nullopt;
    return platform::HostPort{host, port};
}

PushPort::PushPort(platform::Loop& loop, Random& random, Settings settings, Protect protect, Shown shown)
    : loop_(loop),
      random_(random),
      settings_(settings),
      protect_(std::move(protect)),
      shown_(std::move(shown)),
      timer_(loop) {}

PushPort::~PushPort() {
    if (connector_) connector_->stop();
}

void PushPort::push(PushOrder order) {
    if (waiting_.size() >= settings_.waiting_max) {
        ++counters_.dropped;
        log().warning("dropped push reason=\"{} wait\"", waiting_.size());
        return;
    }
    PushDelivery delivery{order, shown_(), chance_of(random_)};
    waiting_.push_back({std::move(order), std::move(delivery)});
    next();
}

/// The one that is due first goes to the front.
void PushPort::next() {
    if (busy_) return;
    std::erase_if(waiting_, [&](const Waiting& one) {
        if (!one.delivery.over()) return false;
        if (!one.delivery.succeeded()) {
            ++counters_.given_up;
            log().warning("gave push up attempts={}", one.delivery.attempts());
        }
        return true;
    });
    if (waiting_.empty()) return;
    const auto first = std::min_element(
        waiting_.begin(), waiting_.end(),
        [](const Waiting& a, const Waiting& b) { return *a.delivery.due() < *b.delivery.due(); });
    std::rotate(waiting_.begin(), first, first + 1);
    const Duration wait = std::max(*waiting_.front().delivery.due() - shown_(), Duration{0});
    timer_.after(wait, [this] { attempt(); });
}

void PushPort::attempt() {
    Waiting& first = waiting_.front();
    first.delivery.begin();
    busy_ = true;
    ++attempt_;
    const auto link = push_link(first.order.destination.transport_service);
    const auto to = destination_of(first.order.destination.destination);
    if (!link || !to) return ended(false, "the destination is none that this meter can send to");
    auto apdu = protect_(first.order);
    if (!apdu) return ended(false, "it cannot be ciphered");
    auto frames = push_frames({.link = *link,
                               .client = first.order.client,
                               .pdu_size_max = settings_.pdu_size_max,
                               .information_size = settings_.information_size,
                               .gateway = settings_.gateway},
                              with_quirks(settings_.quirks, std::move(*apdu)));
    *link == PushLink::udp ? send_datagrams(*to, std::move(frames)) : connect(*to, std::move(frames));
}

void PushPort::connect(const platform::HostPort& to, std::vector<Buffer> frames) {
    connector_ = std::make_unique<platform::Connector>(
        loop_, random_,
        platform::ConnectorSettings{.host = to.host,
                                    .port = to.port,
                                    .tls = {},
                                    .certificate_time = {},
                                    .attempt_real_max = settings_.attempt_real_max});
    auto sent = std::make_shared<bool>(false);
    connector_->start({[sent, frames = std::move(frames)](platform::Link& link) {
                           *sent = std::all_of(frames.begin(), frames.end(),
                                               [&](const Buffer& frame) { return link.send(frame); });
                           link.close();  // flushes first
                       },
                       [](Bytes) {},
                       [this, sent, number = attempt_](const std::string& reason, Duration) {
                           post_end(number, *sent, reason);
                       }});
}

void PushPort::send_datagrams(const platform::HostPort& to, std::vector<Buffer> frames) {
    const bool v6 = to.host.find(':') != std::string::npos;
    socket_ =
        std::make_unique<platform::UdpSocket>(loop_, platform::UdpSettings{.address = v6 ? "::" : "0.0.0.0"});
    socket_->start({});
    socket_->resolve(to.host, to.port,
                     [this, number = attempt_, frames = std::move(frames)](const platform::UdpPeer* peer,
                                                                           const std::string& reason) {
                         if (number != attempt_ || !busy_) return;
                         const bool sent =
                             peer != nullptr && std::all_of(frames.begin(), frames.end(), [&](const auto& f) {
                                 return socket_->send(*peer, f);
                             });
                         post_end(number, sent, peer == nullptr ? reason : "a datagram is too long");
                     });
}

/// Outside of the socket's own call, since what follows destroys it.
void PushPort::post_end(std::uint64_t attempt, bool delivered, const std::string& reason) {
    loop_.post([weak = std::weak_ptr{self_}, attempt, delivered, reason] {
        const auto self = weak.lock();
        if (self && attempt == (*self)->attempt_ && (*self)->busy_) (*self)->ended(delivered, reason);
    });
}

void PushPort::ended(bool delivered, const std::string& reason) {
    busy_ = false;
    if (connector_) connector_->stop();
    connector_.reset();
    PushDelivery& delivery = waiting_.front().delivery;
    if (delivered) {
        ++counters_.sent;
        delivery.delivered();
        log().information("pushed attempts={}", delivery.attempts());
    } else {
        ++counters_.failed_attempts;
        delivery.failed(shown_());
        log().warning("push failed attempts={} reason={}", delivery.attempts(), platform::quoted(reason));
    }
    next();
}

}  // namespace wattmesh::sim
