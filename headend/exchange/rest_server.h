#pragma once
#include <memory>

#include "headend/exchange/rest_desk.h"

namespace wattmesh::headend::exchange {

/// The REST interface for partners, on a port of its own: HTTP by POCO, a thread per open connection,
/// bounded. Everything passed in outlives it.
class RestServer {
public:
    /// Throws when certificate or description cannot be read.
    RestServer(RestSettings settings, const platform::Clock& clock, Random& random, console::Log log);
    ~RestServer();
    RestServer(const RestServer&) = delete;
    RestServer& operator=(const RestServer&) = delete;

    /// Listens; throws, naming the address, when it cannot. The database may be down: requests then say so.
    void start();
    /// For good; returns when the last handler has ended.
    void stop();
    std::uint16_t port() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace wattmesh::headend::exchange
