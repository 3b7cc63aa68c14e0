#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "terminal-sim/tool/webhook_sink.h"

namespace wattmesh::sim {

/// Takes requests over HTTP for a sink, on threads of its own, until it is destroyed.
class WebhookServer {
public:
    /// Throws, naming the address, when it cannot listen. Port 0: any. Bodies that were taken are appended to
    /// the file `out`, a line each, unless it is empty.
    WebhookServer(WebhookSink& sink, const std::string& address, std::uint16_t port,
                  const std::string& out = {});
    ~WebhookServer();
    WebhookServer(const WebhookServer&) = delete;
    WebhookServer& operator=(const WebhookServer&) = delete;
    std::uint16_t port() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace wattmesh::sim
