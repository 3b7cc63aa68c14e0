#include "headend/console/lingering_close.h"

#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/StreamSocket.h>

#include <array>
#include <chrono>

namespace wattmesh::headend::console {
namespace {

constexpr std::chrono::seconds linger_max{2};
constexpr std::size_t octets_max = 8 << 20;

}  // namespace

bool ends_connection(const Poco::Net::HTTPServerRequest& http, Poco::Net::HTTPServerResponse& response) {
    const bool ends = response.getStatus() >= 400 && http.getMethod() != "GET";
    if (ends) response.setKeepAlive(false);
    return ends;
}

void close_lingering(Poco::Net::HTTPServerRequest& http) noexcept {
    using std::chrono::steady_clock;
    try {
        auto& socket = dynamic_cast<Poco::Net::HTTPServerRequestImpl&>(http).socket();
        if (!socket.secure()) socket.shutdownSend();
        std::array<char, 16 * 1024> rest;
        std::size_t taken = 0;
        const auto until = steady_clock::now() + linger_max;
        while (taken < octets_max) {
            const auto left =
                std::chrono::duration_cast<std::chrono::microseconds>(until - steady_clock::now());
            if (left.count() <= 0) return;
            socket.setReceiveTimeout(Poco::Timespan{left.count()});
            const int got = socket.receiveBytes(rest.data(), static_cast<int>(rest.size()));
            if (got <= 0) return;
            taken += static_cast<std::size_t>(got);
        }
    } catch (...) {
        return;  // silence, a reset: the client has the answer, or is gone
    }
}

}  // namespace wattmesh::headend::console
