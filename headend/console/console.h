#pragma once
#include <cstdint>
#include <memory>

#include "headend/console/ports.h"
#include "headend/console/settings.h"
#include "headend/database/connection.h"
#include "platform/clock.h"
#include "protocol/base/cipher.h"

namespace wattmesh::headend::console {

/// The console: REST, WebSocket and pages. Everything passed in outlives it.
class Console {
public:
    struct Ports {
        const platform::Clock& clock;
        Random& random;
        LiveReads& reads;
        VerifyPassword verify;
        HashPassword hash;
        Log log;
    };
    /// Throws when the pages or the certificate cannot be read.
    Console(const ConsoleSettings& settings, const database::DatabaseSettings& database, Ports ports);
    ~Console();
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;

    /// Listens; throws, naming the address, when it cannot. The database may be down: requests then say so.
    void start();
    /// Returns when the last handler has ended.
    void stop();
    std::uint16_t port() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace wattmesh::headend::console
