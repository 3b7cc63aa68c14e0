#pragma once
#include <cstdint>
#include <memory>

#include "headend/console/access.h"
#include "headend/console/context.h"
#include "headend/console/http.h"
#include "headend/console/live_hub.h"
#include "headend/console/pages.h"

namespace wattmesh::headend::console {

/// What the HTTP server serves; all of it outlives the server.
struct Site {
    Context& context;
    Access& access;
    LiveHub& hub;
    const Pages& pages;
    const std::string openapi;
    const std::vector<Route>& routes;
};

/// HTTP and WebSocket by POCO: a thread per open connection, bounded. Stops when destroyed.
class Server {
public:
    /// Throws, naming the address, when it cannot listen.
    explicit Server(Site site);
    /// The same site once more, at the address and port of `door`, with its certificate and its threads.
    Server(Site site, const ConsoleSettings& door);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    std::uint16_t port() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace wattmesh::headend::console
