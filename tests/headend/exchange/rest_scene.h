#pragma once
#include <map>
#include <memory>
#include <mutex>

#include "headend/database/outbox.h"
#include "headend/database/partner_clients.h"
#include "headend/exchange/cim_courier.h"
#include "headend/exchange/rest_server.h"
#include "security/ciphers.h"
#include "security/password.h"
#include "tests/db/town.h"

namespace wattmesh::test {

/// What came back.
struct RestReply {
    int status = 0;
    std::string body;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string header(const std::string& name) const;
    bool has(const std::string& text) const { return body.find(text) != std::string::npos; }
};

/// The partners' interface over a real PostgreSQL. Two areas: meters customer(0) and (1) in area 1, (2) and
/// (3) in area 2 behind a concentrator of its own, each with the quarters 1 to 8 of 2026-03-10 (value = (100
/// * meter + quarter) * 10 + channel); "north" has area 1, "south" area 2. What both are allowed, the test
/// says.
class RestScene {
public:
    explicit RestScene(const std::vector<std::string>& allowed = {"master", "readings", "events", "read",
                                                                  "disconnect", "reconnect"});

    struct Ask {
        std::string method = "GET", path{}, body{}, token{}, key{}, accept{}, if_none_match{};
        std::string type = "application/json";  ///< of the body
    };
    RestReply ask(const Ask& ask);
    /// As the program of a partner, with a token of its own.
    RestReply get(const std::string& partner, const std::string& path, const std::string& accept = {});
    RestReply post(const std::string& partner, const std::string& path, const std::string& body,
                   const std::string& key = {});
    /// A message of IEC 61968-100; a reply to it is sent by `courier.round()`.
    RestReply cim(const std::string& partner, const std::string& message,
                  const std::string& type = "application/xml");
    RestReply ask_token(const std::string& client, const std::string& secret, bool basic = false);
    /// Of the partner's client; asked for once.
    std::string token(const std::string& partner);
    void put(const headend::database::Contract& contract);
    Contract contract(const std::string& name);
    /// Of the partner's client, whose secret is "secret of NAME".
    static std::string client(const std::string& partner) { return partner + "-1"; }
    void lose_power(int meter, Instant at);
    /// Writes to the outbox and gives it its place.
    void tell(int area, const std::string& type, const std::string& subject);

    struct Standing : platform::Clock {
        Instant now() const override { return at; }
        std::chrono::nanoseconds real(Duration simulated) const override { return simulated; }
        Instant at = midnight + std::chrono::hours{14};
    };
    Town town{4};
    Connection exchange{town.database.settings("wm_exchange")};
    Standing clock;
    security::SystemRandom random;
    std::mutex mutex;
    std::vector<std::string> lines;
    std::unique_ptr<headend::exchange::RestServer> server;
    std::unique_ptr<headend::exchange::RestDesk> desk;  ///< of the courier
    std::unique_ptr<headend::exchange::CimCourier> courier;

private:
    /// The next entry of the meter's concentrator.
    Batch next_batch(int meter);
    void store(const Batch& batch);

    OwnerEpoch other_epoch_{};
    std::map<bool, std::uint64_t> sequences_;
    std::map<std::string, std::string> tokens_;
};

}  // namespace wattmesh::test
