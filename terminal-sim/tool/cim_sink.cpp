#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/StreamCopier.h>

#include <stdexcept>

#include "terminal-sim/tool/cim_partner.h"

namespace wattmesh::sim {
namespace {

namespace net = Poco::Net;

struct Callbacks {
    mutable std::mutex mutex;
    mutable std::condition_variable came;
    std::vector<std::string> bodies;
    int status = 204;
};

class CallbackTaker final : public net::HTTPRequestHandler {
public:
    explicit CallbackTaker(Callbacks& callbacks) : callbacks_(callbacks) {}
    void handleRequest(net::HTTPServerRequest& http, net::HTTPServerResponse& response) override {
        std::string body;
        Poco::StreamCopier::copyToString(http.stream(), body);
        int status = 0;
        {
            const std::lock_guard lock{callbacks_.mutex};
            status = callbacks_.status;
            if (status < 300) callbacks_.bodies.push_back(std::move(body));
        }
        callbacks_.came.notify_all();
        response.setStatus(static_cast<net::HTTPResponse::HTTPStatus>(status));
        response.setContentLength(0);
        response.send();
    }

private:
    Callbacks& callbacks_;
};

class CallbackTakers final : public net::HTTPRequestHandlerFactory {
public:
    explicit CallbackTakers(Callbacks& callbacks) : callbacks_(callbacks) {}
    net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
        return new CallbackTaker{callbacks_};
    }

private:
    Callbacks& callbacks_;
};

}  // namespace

struct CimSink::State {
    State(const std::string& address, std::uint16_t port)
        : socket(net::SocketAddress{address, port}),
          server(new CallbackTakers{callbacks}, threads, socket, new net::HTTPServerParams) {}
    Callbacks callbacks;
    Poco::ThreadPool threads{2, 8};
    net::ServerSocket socket;
    net::HTTPServer server;
};

CimSink::CimSink(const std::string& address, std::uint16_t port, int status) {
    try {
        state_ = std::make_unique<State>(address, port);
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("cannot listen at " + address + ":" + std::to_string(port) + ": " +
                                 error.displayText());
    }
    state_->callbacks.status = status;
    state_->server.start();
}
CimSink::~CimSink() {
    if (state_) state_->server.stopAll(true);
}
std::uint16_t CimSink::port() const { return state_->socket.address().port(); }

void CimSink::answer_with(int status) {
    const std::lock_guard lock{state_->callbacks.mutex};
    state_->callbacks.status = status;
}

std::vector<std::string> CimSink::bodies() const {
    const std::lock_guard lock{state_->callbacks.mutex};
    return state_->callbacks.bodies;
}

std::vector<CimSaid> CimSink::wait_for(const std::string& correlation,
                                       const std::function<bool(const CimSaid&)>& over,
                                       std::chrono::seconds wait) const {
    std::vector<CimSaid> found;
    std::unique_lock lock{state_->callbacks.mutex};
    for (std::size_t next = 0;;) {
        while (next < state_->callbacks.bodies.size()) {
            auto said = parse_said(state_->callbacks.bodies[next++]);
            if (said.correlation != correlation) continue;
            const bool last = over(said);
            found.push_back(std::move(said));
            if (last) return found;
        }
        const auto seen = next;
        if (!state_->callbacks.came.wait_for(lock, wait,
                                             [&] { return state_->callbacks.bodies.size() > seen; }))
            return found;
    }
}

}  // namespace wattmesh::sim
