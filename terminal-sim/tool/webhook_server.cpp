#include "terminal-sim/tool/webhook_server.h"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <array>
#include <fstream>

namespace wattmesh::sim {
namespace {

namespace net = Poco::Net;
constexpr std::size_t body_size_max = 4 << 20;
constexpr int connections = 16;

/// What has been taken, for people to look at.
struct Record {
    std::mutex mutex;
    std::ofstream file;
    void add(const std::string& body) {
        const std::lock_guard lock{mutex};
        if (file.is_open()) file << body << "\n" << std::flush;
    }
};

/// False when it is longer than `body_size_max`.
bool read_body(net::HTTPServerRequest& http, std::string& body) {
    if (http.getContentLength64() > static_cast<Poco::Int64>(body_size_max)) return false;
    std::array<char, 16 * 1024> part{};
    auto& in = http.stream();
    while (in.read(part.data(), part.size()) || in.gcount() > 0) {
        body.append(part.data(), static_cast<std::size_t>(in.gcount()));
        if (body.size() > body_size_max) return false;
    }
    return true;
}

class Taker final : public net::HTTPRequestHandler {
public:
    Taker(WebhookSink& sink, Record& record) : sink_(sink), record_(record) {}
    void handleRequest(net::HTTPServerRequest& http, net::HTTPServerResponse& response) override {
        WebhookSink::Request request{http.get("webhook-id", ""), http.get("webhook-timestamp", ""),
                                     http.get("webhook-signature", ""), http.getContentType(), ""};
        const bool whole = read_body(http, request.body);
        const int status = !whole ? 413 : http.getMethod() == "POST" ? sink_.take(request) : 405;
        if (status == 204) record_.add(request.body);
        if (!whole) response.setKeepAlive(false);
        response.setStatus(static_cast<net::HTTPResponse::HTTPStatus>(status));
        response.setContentLength(0);
        response.send();
    }

private:
    WebhookSink& sink_;
    Record& record_;
};

class Takers final : public net::HTTPRequestHandlerFactory {
public:
    Takers(WebhookSink& sink, Record& record) : sink_(sink), record_(record) {}
    net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
        return new Taker{sink_, record_};
    }

private:
    WebhookSink& sink_;
    Record& record_;
};

net::HTTPServerParams::Ptr parameters() {
    net::HTTPServerParams::Ptr made = new net::HTTPServerParams;
    made->setKeepAlive(true);
    made->setMaxKeepAliveRequests(0);
    made->setMaxThreads(connections);
    return made;
}

}  // namespace

struct WebhookServer::State {
    State(WebhookSink& sink, const std::string& address, std::uint16_t port)
        : socket(net::SocketAddress{address, port}),
          server(new Takers{sink, record}, threads, socket, parameters()) {}
    Record record;
    Poco::ThreadPool threads{2, connections};
    net::ServerSocket socket;
    net::HTTPServer server;
};

WebhookServer::WebhookServer(WebhookSink& sink, const std::string& address, std::uint16_t port,
                             const std::string& out) {
    try {
        state_ = std::make_unique<State>(sink, address, port);
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("cannot listen at " + address + ":" + std::to_string(port) + ": " +
                                 error.displayText());
    }
    if (!out.empty()) {
        state_->record.file.open(out, std::ios::app);
        if (!state_->record.file) throw std::runtime_error(out + ": cannot be written");
    }
    state_->server.start();
}

WebhookServer::~WebhookServer() {
    if (state_) state_->server.stopAll(true);
}

std::uint16_t WebhookServer::port() const { return state_->socket.address().port(); }

}  // namespace wattmesh::sim
