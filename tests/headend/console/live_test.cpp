#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/WebSocket.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "headend/console/http.h"
#include "headend/console/json.h"
#include "headend/console/live_hub.h"
#include "tests/headend/console/site.h"

using namespace wattmesh;
using namespace wattmesh::headend::console;
using wattmesh::test::SiteUnderTest;

namespace {

/// A page's push link. Waits at most ten seconds for a message; an empty text is the end of the link.
class Page {
public:
    explicit Page(SiteUnderTest& site) : session_("127.0.0.1", site.console->port()) {
        Poco::Net::HTTPRequest request{"GET", "/api/ws", Poco::Net::HTTPMessage::HTTP_1_1};
        request.set("Cookie", site.cookie);
        socket_.emplace(session_, request, response_);
        socket_->setReceiveTimeout(Poco::Timespan{10, 0});
    }
    void send(const std::string& text) { socket_->sendFrame(text.data(), static_cast<int>(text.size())); }
    std::string receive() {
        Poco::Buffer<char> buffer{0};
        int flags = 0;
        try {
            socket_->receiveFrame(buffer, flags);
        } catch (const Poco::Exception&) {
            return {};
        }
        code = flags & Poco::Net::WebSocket::FRAME_OP_BITMASK;
        return {buffer.begin(), buffer.size()};
    }
    int code = 0;

private:
    Poco::Net::HTTPClientSession session_;
    Poco::Net::HTTPResponse response_;
    std::optional<Poco::Net::WebSocket> socket_;
};

}  // namespace

TEST_CASE("console live: a page that follows is told what was stored", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    Page page{site};
    page.send(R"({"subscribe":["readings","joins"]})");
    // rows keep coming until the page has heard of them: the first may be stored before the page follows
    std::string message;
    for (int i = 0; i < 100 && message.empty(); ++i) {
        site.run(
            "update wattmesh.journal_cursor set rows_stored = rows_stored + 24, entries_stored = "
            "entries_stored + 4");
        message = page.receive();
    }
    CHECK(message.find(R"("topic":"readings")") != std::string::npos);
    CHECK(message.find(R"("concentrator":"900000000001")") != std::string::npos);
}

TEST_CASE("console live: a subscription that makes no sense ends the link with a reason", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    for (const std::string bad : {"{", R"({"subscribe":["everything"]})", R"({"subscribe":[7]})"}) {
        Page page{site};
        page.send(bad);
        page.receive();
        CHECK(page.code == Poco::Net::WebSocket::FRAME_OP_CLOSE);
    }
    CHECK(site.get("/api/me").status == 200);
}

TEST_CASE("console live: stopping does not wait for the pages", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    Page page{site};
    page.send(R"({"subscribe":["readings"]})");
    site.console->stop();
    SUCCEED();
}

TEST_CASE("console live hub: a slow follower loses the oldest and can tell", "[console]") {
    LiveHub hub;
    const auto follower = hub.join();
    follower->follow({Topic::joins});
    for (int i = 0; i < 300; ++i) hub.publish(Topic::joins, std::nullopt, "{}", Instant{});
    hub.publish(Topic::sessions, std::nullopt, "{}", Instant{});
    CHECK(follower->dropped() == 44);
    CHECK(follower->take()->find(R"("sequence":45)") != std::string::npos);
    int left = 0;
    while (follower->take()) ++left;
    CHECK(left == 255);
}

TEST_CASE("console json: instants and days, there and back", "[console]") {
    struct Row {
        const char* text;
        long long microseconds;
    };
    const auto row = GENERATE(values<Row>({{"1970-01-01T00:00:00Z", 0},
                                           {"2026-03-10T10:15:00.000Z", 1'773'137'700'000'000},
                                           {"2026-03-10T15:45:00.250+05:30", 1'773'137'700'250'000},
                                           {"2026-03-10T10:14:59.999999-00:00", 1'773'137'699'999'999}}));
    CHECK(epoch_us(parse_iso(row.text).value()) == row.microseconds);
    for (const char* bad :
         {"", "2026-03-10", "2026-03-10T10:15:00", "2026-13-10T10:15:00Z", "2026-02-29T10:15:00Z",
          "2026-03-10T24:00:00Z", "2026-03-10T10:15:00Zx", "2026-03-10T10:15:00.Z", "2026-03-10 10:15:00Z"})
        CHECK_FALSE(parse_iso(bad));
    CHECK(iso(from_epoch_us(1'773'137'700'250'000)) == "2026-03-10T10:15:00.250Z");
    CHECK(iso_day(parse_day("2024-02-29").value()) == "2024-02-29");
    CHECK(Json{}.value("a\"b\\c\n\x01").text() == "\"a\\\"b\\\\c\\u000a\\u0001\"");
}

TEST_CASE("console openapi: describes the routes that there are, and no others", "[console]") {
    std::ifstream in{"headend/console/openapi.yaml"};
    std::set<std::string> described;
    std::string path;
    for (std::string line; std::getline(in, line);) {
        if (std::smatch match; std::regex_match(line, match, std::regex{"  (/api/[^:]*):"})) path = match[1];
        if (std::smatch match; std::regex_match(line, match, std::regex{"    (get|post):"}))
            described.insert(match[1].str() + " " + path);
    }
    // each is asked for once: 404 and 405 would mean that it is not there
    headend::console::ConsoleSettings settings;
    settings.openapi = "headend/console/openapi.yaml";
    SiteUnderTest site{settings};
    CHECK(described.size() > 60);  // the file was read
    for (const auto& line : described) {
        auto address =
            std::regex_replace(line.substr(line.find(' ') + 1), std::regex{"\\{day\\}"}, "2026-03-10");
        address = std::regex_replace(address, std::regex{"\\{[a-z]+\\}"}, "900000000001");
        INFO(line);
        const bool post = line.starts_with("post");
        const auto reply =
            address == "/api/ws"
                ? site.send("GET", address, "", {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}})
                : site.send(post ? "POST" : "GET", address, "");
        CHECK((reply.status == 401 || reply.status == 400 || address == "/api/openapi.yaml"));
    }
    CHECK(site.get("/api/openapi.yaml").has("openapi: 3.1.0"));
}
