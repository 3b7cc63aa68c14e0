#include "terminal-sim/meter/bench_datagrams.h"

#include <algorithm>

#include "platform/log.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::sim {
namespace {

constexpr std::size_t clients_max = 16, answers_max = 64;  // of a peer; of an exchange

const platform::Log& log() {
    static const platform::Log source{"meter.port"};
    return source;
}

/// A plain request that may run twice: GET-request-normal and -with-list, ReadRequest.
bool harmless(Bytes apdu) {
    constexpr std::uint8_t get = 0xC0, normal = 0x01, with_list = 0x03, read = 0x05;
    if (apdu.empty() || apdu[0] == read) return true;
    return apdu.size() > 1 && apdu[0] == get && (apdu[1] == normal || apdu[1] == with_list);
}

}  // namespace

BenchDatagrams::BenchDatagrams(platform::Loop& loop, const std::string& address, std::uint16_t port,
                               BenchPort::MakeServer make_server, const BenchLimits& limits)
    : loop_(loop),
      make_server_(std::move(make_server)),
      limits_(limits),
      socket_(loop, {.address = address, .port = port, .datagram_size_max = limits.datagram_size_max}) {
    socket_.start(
        {.on_datagram = [this](const platform::UdpPeer& from, Bytes datagram) { receive(from, datagram); },
         .on_refused =
             [](const platform::UdpPeer& from, const std::string& reason) {
                 log().warning("refused datagram peer={} reason={}", platform::to_string(from),
                               platform::quoted(reason));
             }});
}

BenchDatagrams::Peer& BenchDatagrams::peer_of(const platform::UdpPeer& from) {
    auto at = peers_.find(from);
    if (at == peers_.end()) {
        if (peers_.size() >= limits_.connections_max) {
            const auto oldest =
                std::min_element(peers_.begin(), peers_.end(),
                                 [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
            log().warning("forgot peer={} reason=\"more than {} peers\"", platform::to_string(oldest->first),
                          limits_.connections_max);
            peers_.erase(oldest);
        }
        at = peers_.try_emplace(from, loop_).first;
        at->second.server = make_server_();
    }
    at->second.used = ++uses_;
    at->second.idle.after_real(limits_.idle_real_max, [this, from] { peers_.erase(from); });
    return at->second;
}

void BenchDatagrams::receive(const platform::UdpPeer& from, Bytes datagram) {
    const auto frame = link::decode_wrapper_datagram(datagram, limits_.apdu_size_max);
    if (!frame) {
        log().warning("refused datagram peer={} reason={} offset={}", platform::to_string(from),
                      wattmesh::to_string(frame.error().fault), frame.error().offset);
        return;
    }
    if (frame->destination != management_logical_device) return;  // another logical device: nobody home
    const auto request = out_of_request(limits_.gateway, frame->payload);
    if (!request) return;  // for another meter behind the gateway
    Peer& peer = peer_of(from);
    const Sap client = frame->source;
    Exchange& last = peer.last[client];
    if (!harmless(*request) && last.request == *request) {
        ++repeated_;
        for (const Buffer& answer : last.answers) socket_.send(from, answer);
        return;
    }
    last = {*request, {}};
    if (peer.last.size() > clients_max)
        peer.last.erase(peer.last.begin()->first == client ? std::next(peer.last.begin())
                                                           : peer.last.begin());
    peer.server->handle(client, *request, loop_.now(),
                        [this, from, client](Buffer apdu) { answer(from, client, std::move(apdu)); });
}

void BenchDatagrams::answer(const platform::UdpPeer& to, Sap client, Buffer apdu) {
    Buffer datagram =
        link::encode_wrapper({management_logical_device, client,
                              as_answer(limits_.gateway, with_quirks(limits_.quirks, std::move(apdu)))});
    if (!socket_.send(to, datagram)) log().warning("dropped answer octets={}", datagram.size());
    const auto peer = peers_.find(to);
    if (peer == peers_.end()) return;
    auto& answers = peer->second.last[client].answers;
    if (answers.size() < answers_max) answers.push_back(std::move(datagram));
}

}  // namespace wattmesh::sim
