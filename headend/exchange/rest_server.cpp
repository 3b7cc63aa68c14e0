#include "headend/exchange/rest_server.h"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/ThreadPool.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "headend/console/lingering_close.h"
#include "headend/console/tls.h"
#include "headend/exchange/cim_courier.h"
#include "headend/exchange/rest_dispatch.h"

namespace wattmesh::headend::exchange {
namespace {

namespace net = Poco::Net;
const Poco::Timespan send_max{30, 0};  ///< for one piece to leave

std::string description(const std::string& path) {
    if (path.empty()) return {};
    std::ifstream in{path, std::ios::binary};
    std::ostringstream text;
    if (!in || !(text << in.rdbuf())) throw std::runtime_error("exchange: cannot read '" + path + "'");
    return text.str();
}

class PartnerHandler final : public net::HTTPRequestHandler {
public:
    explicit PartnerHandler(const RestSite& site) : site_(site) {}
    void handleRequest(net::HTTPServerRequest& http, net::HTTPServerResponse& response) override {
        // Who does not read holds a thread.
        dynamic_cast<net::HTTPServerRequestImpl&>(http).socket().setSendTimeout(send_max);
        const auto whole = dispatch(site_, http);
        const auto& answer = whole.answer;
        response.setStatusAndReason(static_cast<net::HTTPResponse::HTTPStatus>(answer.status));
        if (answer.status != 304) response.setContentType(answer.type);
        response.set("Cache-Control", answer.status == 304 ? "private, no-cache" : "no-store");
        response.set("X-Content-Type-Options", "nosniff");
        for (const auto& [name, value] : answer.headers) {
            if (name == "ETag") response.set("Cache-Control", "private, no-cache");
            response.set(name, value);
        }
        const bool ends = console::ends_connection(http, response);
        if (whole.pour && http.getMethod() != "HEAD") return pour(whole, response);
        response.setContentLength64(static_cast<Poco::Int64>(answer.body.size()));
        auto& out = response.send();
        if (http.getMethod() != "HEAD") out << answer.body;
        out.flush();
        if (ends) console::close_lingering(http);
    }

private:
    /// The status is gone when something fails: then the stream ends without the line that says it was all.
    void pour(const RestAnswer& whole, net::HTTPServerResponse& response) {
        response.setChunkedTransferEncoding(true);
        response.setKeepAlive(false);
        auto& out = response.send();
        try {
            whole.pour(out);
            out.flush();
        } catch (const std::exception& error) {
            site_.desk.log("warning",
                           std::string{"exchange: a stream to a partner broke off: "} + error.what());
        }
    }

    const RestSite& site_;
};

class PartnerHandlers final : public net::HTTPRequestHandlerFactory {
public:
    explicit PartnerHandlers(const RestSite& site) : site_(site) {}
    net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
        return new PartnerHandler{site_};
    }

private:
    const RestSite& site_;
};

net::ServerSocket listen_at(const RestSettings& settings) {
    try {
        const net::SocketAddress address{settings.address, settings.port};
        return settings.certificate.empty()
                   ? net::ServerSocket{address}
                   : console::secure_socket(address, settings.certificate, settings.key);
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("exchange: cannot listen on " + settings.address + " port " +
                                 std::to_string(settings.port) + ": " + error.displayText());
    }
}

net::HTTPServerParams::Ptr parameters_of(const RestSettings& settings) {
    net::HTTPServerParams::Ptr parameters = new net::HTTPServerParams;
    parameters->setMaxThreads(settings.threads_max);
    parameters->setMaxQueued(settings.threads_max * 2);
    parameters->setTimeout(Poco::Timespan{settings.silence_max.count(), 0});
    parameters->setKeepAlive(true);
    parameters->setKeepAliveTimeout(Poco::Timespan{5, 0});  // a kept connection holds a thread
    parameters->setMaxKeepAliveRequests(1'000);
    parameters->setSoftwareVersion("Wattmesh");
    return parameters;
}

/// Threads and sockets, while it listens.
struct Listening {
    explicit Listening(const RestSite& site)
        : pool("partners", 2, site.desk.settings.threads_max, 30),
          socket(listen_at(site.desk.settings)),
          server(new PartnerHandlers{site}, pool, socket, parameters_of(site.desk.settings)) {
        server.start();
    }
    ~Listening() {
        server.stopAll(false);
        pool.joinAll();
    }
    Poco::ThreadPool pool;
    net::ServerSocket socket;
    net::HTTPServer server;
};

}  // namespace

struct RestServer::State {
    State(RestSettings settings, const platform::Clock& clock, Random& random, console::Log log)
        : openapi(description(settings.openapi)),
          desk(std::move(settings), clock, random, std::move(log)),
          access(desk),
          courier(desk),
          site{desk, access, openapi, routes} {
        add_master_routes(routes);
        add_reading_routes(routes);
        add_feed_routes(routes);
        add_command_routes(routes);
        add_cim_routes(routes);
    }
    const std::string openapi;
    RestDesk desk;
    RestAccess access;
    CimCourier courier;
    std::vector<RestRoute> routes;
    const RestSite site;
    std::unique_ptr<Listening> listening;
};

RestServer::RestServer(RestSettings settings, const platform::Clock& clock, Random& random, console::Log log)
    : state_(std::make_unique<State>(std::move(settings), clock, random, std::move(log))) {}
RestServer::~RestServer() { stop(); }

void RestServer::start() {
    state_->listening = std::make_unique<Listening>(state_->site);
    state_->courier.start();
}
void RestServer::stop() {
    state_->desk.stopping = true;
    state_->listening.reset();
    state_->courier.stop();
}
std::uint16_t RestServer::port() const {
    return state_->listening ? state_->listening->socket.address().port() : std::uint16_t{0};
}

}  // namespace wattmesh::headend::exchange
