#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "headend/console/console.h"
#include "protocol/dlms/data.h"
#include "tests/db/fixture/postgres.h"

namespace wattmesh::test {

/// A clock that stands where the test puts it.
class SetClock : public platform::Clock {
public:
    Instant now() const override { return at; }
    std::chrono::nanoseconds real(Duration simulated) const override { return simulated; }
    Instant at{std::chrono::sys_days{std::chrono::year{2026} / 3 / 10} + std::chrono::hours{14} +
               std::chrono::minutes{40}};
};

/// Meters that answer at once, as the test says.
class ScriptedReads : public headend::console::LiveReads {
public:
    void read(DeviceNumber meter, const dlms::AttributeId& attribute,
              std::function<void(headend::console::LiveValue)> done) override {
        asked.emplace_back(meter, attribute);
        done(answer);
    }
    void topology(DeviceNumber,
                  std::function<void(std::optional<std::vector<dcu::TopologyNode>>)> done) override {
        done(nodes);
    }
    void statistics(DeviceNumber, std::function<void(std::optional<dcu::Statistics>)> done) override {
        done(counts);
    }
    void uplink(DeviceNumber, std::function<void(std::optional<dcu::UplinkState>)> done) override {
        done(uplink_state);
    }
    headend::console::LiveValue answer;
    std::optional<dcu::Statistics> counts;
    std::optional<dcu::UplinkState> uplink_state;
    std::optional<std::vector<dcu::TopologyNode>> nodes;
    std::vector<std::pair<DeviceNumber, dlms::AttributeId>> asked;
};

struct Reply {
    int status = 0;
    std::string body;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string{} : found->second;
    }
    bool has(const std::string& text) const { return body.find(text) != std::string::npos; }
};

/// A real console over a real PostgreSQL with a small town in it:
///   900000000001 online, summary meter 800000000001, customers 540000000001..12 in a chain of up to three
///   hops; 900000000002 offline, customers 540000000101..103, nothing read.
/// 2026-03-09 and -10 are read every quarter up to 14:15, but meter ...03 misses 10:15..11:00 (no answer) and
/// ...12 was never joined. Users: operator "ada", viewer "vic", "dis" disabled; password of all: "correct
/// horse".
class SiteUnderTest {
public:
    explicit SiteUnderTest(headend::console::ConsoleSettings settings = {});

    /// Sends with the session's cookie and CSRF token, if signed in.
    Reply get(const std::string& path) { return send("GET", path, {}); }
    Reply post(const std::string& path, const std::string& body) { return send("POST", path, body); }
    Reply send(const std::string& method, const std::string& path, const std::string& body,
               std::map<std::string, std::string> headers = {});
    Reply sign_in(const std::string& user, const std::string& password = "correct horse");
    long long value(const std::string& query);
    void run(const std::string& statements);

    TestDatabase database;
    headend::database::Connection admin{database.settings()};
    SetClock clock;
    ScriptedReads reads;
    std::string cookie, csrf;
    std::mutex log_mutex;
    std::vector<std::string> log;
    std::unique_ptr<Random> random;
    std::unique_ptr<headend::console::Console> console;  ///< last: goes before what it uses
};

}  // namespace wattmesh::test
