#include "headend/console/server.h"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>

#include <atomic>
#include <stdexcept>

#include "headend/console/dispatch.h"
#include "headend/console/lingering_close.h"
#include "headend/console/live_socket.h"
#include "headend/console/tls.h"

namespace wattmesh::headend::console {
namespace {

namespace net = Poco::Net;

struct Shared {
    Site site;
    std::atomic<bool> stopping{false};
    std::atomic<int> sockets{0};
    bool https = false;
};

void send(const Shared& shared, net::HTTPServerRequest& http, net::HTTPServerResponse& response,
          const Answer& answer) {
    response.setStatusAndReason(static_cast<net::HTTPResponse::HTTPStatus>(answer.status));
    response.setContentType(answer.type);
    response.set("Cache-Control", "no-store");
    for (const auto& [name, value] : guard_headers(shared.https)) response.set(name, value);
    for (const auto& [name, value] : answer.headers) response.set(name, value);
    const bool ends = ends_connection(http, response);
    response.setContentLength64(static_cast<Poco::Int64>(answer.body.size()));
    auto& out = response.send();
    if (http.getMethod() != "HEAD") out << answer.body;
    out.flush();
    if (ends) close_lingering(http);
}

class PlainHandler : public net::HTTPRequestHandler {
public:
    explicit PlainHandler(Shared& shared) : shared_(shared) {}
    void handleRequest(net::HTTPServerRequest& http, net::HTTPServerResponse& response) override {
        send(shared_, http, response, dispatch(shared_.site, http));
    }

private:
    Shared& shared_;
};

class SocketHandler : public net::HTTPRequestHandler {
public:
    explicit SocketHandler(Shared& shared) : shared_(shared) {}
    void handleRequest(net::HTTPServerRequest& http, net::HTTPServerResponse& response) override {
        const auto refuse = [&](const Problem& problem) {
            send(shared_, http, response, answer_of(problem));
        };
        std::string token;
        try {
            admit_socket(shared_.site, http);
            token = session_of(shared_.site, http);
        } catch (const Problem& problem) {
            return refuse(problem);
        } catch (const std::exception&) {
            return refuse({503, "Database not available", "The database does not answer now.", 5});
        }
        const int before = shared_.sockets.fetch_add(1);
        if (before < shared_.site.context.settings.sockets_max)
            serve_socket(shared_.site, http, response, token, shared_.stopping);
        else
            refuse({503, "Too many pages", "Too many pages follow live. Close some.", 30});
        --shared_.sockets;
    }

private:
    Shared& shared_;
};

class Factory : public net::HTTPRequestHandlerFactory {
public:
    explicit Factory(Shared& shared) : shared_(shared) {}
    net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest& http) override {
        const auto& uri = http.getURI();
        if (uri.substr(0, uri.find('?')) == "/api/ws" && http.has("Upgrade"))
            return new SocketHandler{shared_};
        return new PlainHandler{shared_};
    }

private:
    Shared& shared_;
};

net::ServerSocket listen(const ConsoleSettings& settings) {
    const auto where = settings.address + " port " + std::to_string(settings.port);
    try {
        const net::SocketAddress address{settings.address, settings.port};
        return settings.certificate.empty() ? net::ServerSocket{address}
                                            : secure_socket(address, settings.certificate, settings.key);
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("console: cannot listen on " + where + ": " + error.displayText());
    }
}

net::HTTPServerParams::Ptr parameters(const ConsoleSettings& settings) {
    net::HTTPServerParams::Ptr parameters = new net::HTTPServerParams;
    parameters->setMaxThreads(settings.threads_max);
    parameters->setMaxQueued(settings.threads_max * 2);
    parameters->setTimeout(Poco::Timespan{15, 0});
    parameters->setKeepAlive(true);
    parameters->setKeepAliveTimeout(Poco::Timespan{3, 0});  // a kept connection holds a thread
    parameters->setMaxKeepAliveRequests(200);
    parameters->setSoftwareVersion("Wattmesh");
    return parameters;
}

}  // namespace

struct Server::State {
    State(Site site, const ConsoleSettings& door)
        : shared{.site = std::move(site)},
          pool("console", 4, door.threads_max, 30),
          socket(listen(door)),
          server(new Factory{shared}, pool, socket, parameters(door)) {
        shared.https = !door.certificate.empty();
        server.start();
    }
    ~State() {
        shared.stopping = true;
        server.stopAll(false);
        pool.joinAll();
    }
    Shared shared;
    Poco::ThreadPool pool;
    net::ServerSocket socket;
    net::HTTPServer server;
};

Server::Server(Site site) : Server(site, site.context.settings) {}
Server::Server(Site site, const ConsoleSettings& door)
    : state_(std::make_unique<State>(std::move(site), door)) {}
Server::~Server() = default;
std::uint16_t Server::port() const { return state_->socket.address().port(); }

}  // namespace wattmesh::headend::console
