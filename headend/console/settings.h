#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "headend/database/aggregates.h"
#include "protocol/base/time.h"

namespace wattmesh::headend::console {

/// Read once from the configuration (main.cpp checks it and names a wrong key).
struct ConsoleSettings {
    std::string address =
        "127.0.0.1";            ///< loopback unless somebody decides otherwise; for other addresses set TLS
    std::uint16_t port = 8080;  ///< 0: the system chooses; Console::port() tells
    std::string pages;          ///< folder of the built pages; empty: API only
    std::string openapi;        ///< path of openapi.yaml; empty: not served
    std::filesystem::path traces;  ///< where the front-ends of this machine keep theirs; empty: nowhere
    std::string certificate, key;  ///< PEM files; both or none. With them the console speaks HTTPS
    /// Of the session. A browser sends a host's cookies to each of its ports: every role has a name of its
    /// own.
    std::string cookie = "wattmesh_session";
    int threads_max = 64;          ///< a WebSocket or a kept-alive connection holds one
    int sockets_max = 40;          ///< WebSockets at once
    int reads_max = 16;            ///< on-demand reads at once
    std::size_t connections = 8;   ///< to the database
    int second_person_above = 10;  ///< relay orders of more meters wait until somebody else approves
    bool metrics_loopback = true;  ///< /metrics without a token from this machine; false behind a proxy on it
    double speed = 1;              ///< of the simulated clock; sessions and locks last this much longer in it
    Duration session_length = std::chrono::hours{12};  ///< in real time
    Duration read_timeout = std::chrono::seconds{90};  ///< on-demand read, in real time
    Duration due_after = database::due_after;  ///< an interval counts as missing this long after its end
    Duration poll = std::chrono::seconds{1};   ///< live feed, in real time
    int technical_loss_percent =
        5;  ///< what a transformer's network may lose by itself; more is suspected theft
    std::string
        nobody_hash;  ///< hash of a random password: what a log-in with an unknown name is checked against
};

}  // namespace wattmesh::headend::console
