#pragma once
#include <atomic>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "headend/console/http.h"
#include "headend/console/ports.h"
#include "headend/database/connection_pool.h"
#include "headend/database/contracts.h"
#include "headend/exchange/rest_budget.h"
#include "platform/clock.h"
#include "platform/http_client.h"

/// What partners ask for over REST (openapi.yaml of this folder). Handlers run on threads of the server.
namespace wattmesh::headend::exchange {

struct RestSettings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;        ///< 0: the system chooses
    std::string certificate, key;  ///< PEM files; both or none. With them it speaks HTTPS
    std::string openapi;           ///< path of openapi.yaml; empty: not served
    int threads_max = 32;          ///< a connection holds one
    std::size_t connections = 6;   ///< to the database, of each of two kinds
    int second_person_above = 10;  ///< relay orders of more meters wait until somebody approves
    double speed = 1;              ///< of the head-end's clock
    Duration token_length = std::chrono::minutes{15};  ///< in real time
    Duration keys_kept = std::chrono::hours{24 * 7};   ///< answers by idempotency key
    platform::HttpClientSettings replies{};            ///< that partners asked for
    bool plain_replies = false;                        ///< http is allowed, not only https
    std::chrono::milliseconds replies_every{500};      ///< real; zero: somebody else sends them
    std::chrono::seconds silence_max{15};              ///< real, of a connection
    std::chrono::seconds body_wait{30};                ///< real: who drips his body holds a thread
    database::DatabaseSettings database;               ///< of the role wm_exchange
};

/// What handlers share; thread safe.
struct RestDesk {
    RestDesk(RestSettings settings, const platform::Clock& clock, Random& random, console::Log log);

    const RestSettings settings;
    const platform::Clock& clock;
    Random& random;
    const console::Log log;
    database::ConnectionPool tables;  ///< contracts, tokens, outbox, jobs
    database::ConnectionPool views;   ///< what a contract shows: see `seen`
    RestBudget budget;
    std::atomic<bool> stopping = false;  ///< streams break off

    Instant now() const { return clock.now(); }
    /// A real duration in the head-end's time.
    Duration simulated(Duration real) const {
        return Duration{static_cast<Duration::rep>(static_cast<double>(real.count()) * settings.speed)};
    }
    /// A connection on which meters, readings, events and places are those of the contract, and no others.
    database::ConnectionPool::Lease seen(const database::Contract& contract);
};

/// Who asks for what.
struct RestCall {
    console::Request request;
    database::Contract contract;
    std::string client;  ///< client_id
    std::string accept, if_none_match;
    /// For jobs and the audit log.
    std::string actor() const { return "partner:" + contract.name; }
    /// A query parameter's list of device numbers, divided by commas; empty when it is absent. Throws a
    /// Problem 400.
    std::vector<DeviceNumber> devices(std::string_view name) const;
};

struct RestAnswer {
    RestAnswer(console::Answer whole) : answer(std::move(whole)) {}  // NOLINT: an answer is one
    console::Answer answer;
    /// Writes the body piece by piece instead; what it throws ends the connection.
    std::function<void(std::ostream&)> pour{};
};

struct RestRoute {
    const char* method;
    const char* pattern;
    const char* needs;  ///< an allowance of the contract; empty: none
    RestAnswer (*handle)(RestDesk&, const RestCall&);
    bool stable = false;                    ///< has an ETag
    bool xml = false;                       ///< the body is XML, not JSON
    std::size_t body_size_max = 16 * 1024;  ///< in octets
};

/// Each adds its routes; all are described in openapi.yaml.
void add_master_routes(std::vector<RestRoute>& routes);
void add_reading_routes(std::vector<RestRoute>& routes);
void add_feed_routes(std::vector<RestRoute>& routes);
void add_command_routes(std::vector<RestRoute>& routes);
void add_cim_routes(std::vector<RestRoute>& routes);

/// A Problem 403 when the contract does not allow it.
void demand(const database::Contract& contract, std::string_view what);

}  // namespace wattmesh::headend::exchange
