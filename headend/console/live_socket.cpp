#include "headend/console/live_socket.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/WebSocket.h>

#include <chrono>

#include "headend/console/json_body.h"

namespace wattmesh::headend::console {
namespace {

using Poco::Net::WebSocket;
using Steady = std::chrono::steady_clock;

constexpr int message_size_max = 2'048;
constexpr auto ping_every = std::chrono::seconds{20}, silence_max = std::chrono::seconds{70},
               session_checked_every = std::chrono::seconds{30};
const Poco::Timespan look_every{0, 100'000};

/// A close code and the reason it stands for (RFC 6455, 7.4.1).
struct Closing {
    Poco::UInt16 code;
    const char* why;
};

void subscribe(LiveHub::Follower& follower, const std::string& text) {
    std::set<Topic> topics;
    try {
        for (const auto& word : JsonBody{text}.texts("subscribe")) {
            const auto topic = parse_topic(word);
            if (!topic) throw Closing{1008, "unknown topic"};
            topics.insert(*topic);
        }
    } catch (const Problem&) {
        throw Closing{1007, "not a subscription"};
    }
    follower.follow(std::move(topics));
}

/// False when the other side closed.
bool receive(WebSocket& socket, LiveHub::Follower& follower) {
    Poco::Buffer<char> buffer{0};
    int flags = 0;
    const int size = socket.receiveFrame(buffer, flags);
    if (size > message_size_max) throw Closing{1009, "message too long"};
    switch (flags & WebSocket::FRAME_OP_BITMASK) {
        case WebSocket::FRAME_OP_TEXT:
            subscribe(follower, {buffer.begin(), buffer.size()});
            return true;
        case WebSocket::FRAME_OP_PING:
            socket.sendFrame(
                buffer.begin(), static_cast<int>(buffer.size()),
                static_cast<int>(WebSocket::FRAME_FLAG_FIN) | static_cast<int>(WebSocket::FRAME_OP_PONG));
            return true;
        case WebSocket::FRAME_OP_PONG:
            return true;
        case WebSocket::FRAME_OP_CLOSE:
            return false;
        default:
            return size > 0;
    }
}

/// What the person may see now, which may have changed since they signed in.
void limit(const Site& site, LiveHub::Follower& follower, const std::string& token) {
    const auto caller = site.access.identify(token);
    if (!caller || !caller->may(database::Right::look)) throw Closing{1008, "session ended"};
    const auto connection = site.context.lease(caller->user.scope(database::Right::look));
    const auto areas = database::areas(*connection);
    follower.limit({areas.begin(), areas.end()});
}

void talk(const Site& site, WebSocket& socket, const std::string& token, const std::atomic<bool>& stopping) {
    const auto follower = site.hub.join();
    limit(site, *follower, token);
    auto heard = Steady::now(), pinged = heard, checked = heard;
    while (!stopping) {
        if (socket.poll(look_every, Poco::Net::Socket::SELECT_READ)) {
            if (!receive(socket, *follower)) return;
            heard = Steady::now();
        }
        while (const auto message = follower->take())
            socket.sendFrame(message->data(), static_cast<int>(message->size()), WebSocket::FRAME_TEXT);
        const auto now = Steady::now();
        if (now - heard > silence_max) return;
        if (now - pinged > ping_every) {
            socket.sendFrame(
                "", 0,
                static_cast<int>(WebSocket::FRAME_FLAG_FIN) | static_cast<int>(WebSocket::FRAME_OP_PING));
            pinged = now;
        }
        if (now - checked > session_checked_every) {
            checked = now;
            limit(site, *follower, token);
        }
    }
    throw Closing{1001, "going away"};
}

}  // namespace

void serve_socket(const Site& site, Poco::Net::HTTPServerRequest& http,
                  Poco::Net::HTTPServerResponse& response, const std::string& token,
                  const std::atomic<bool>& stopping) {
    try {
        WebSocket socket{http, response};
        socket.setMaxPayloadSize(message_size_max);
        socket.setSendTimeout(Poco::Timespan{5, 0});
        socket.setReceiveTimeout(Poco::Timespan{5, 0});
        try {
            talk(site, socket, token, stopping);
            socket.shutdown();
        } catch (const Closing& closing) {
            socket.shutdown(closing.code, closing.why);
        } catch (const database::DatabaseError&) {
            socket.shutdown(1013, "try again later");
        }
    } catch (const Poco::Exception&) {
        // the page is gone or never spoke WebSocket; it comes back by itself
    }
}

}  // namespace wattmesh::headend::console
