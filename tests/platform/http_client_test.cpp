// A server that drips, over a real socket.
#include "platform/http_client.h"

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

using namespace wattmesh;
using namespace wattmesh::platform;
using namespace std::chrono_literals;

namespace {

/// Answers each connection with `head`, then with an octet every 100 ms.
class Dripper {
public:
    explicit Dripper(std::string head) : head_(std::move(head)), thread_([this] { run(); }) {}
    ~Dripper() {
        over_ = true;
        thread_.join();
    }
    HttpUrl url() const { return {false, {"127.0.0.1", socket_.address().port()}, "/"}; }

private:
    void run() {
        while (!over_) {
            if (!socket_.poll(Poco::Timespan{0, 50'000}, Poco::Net::Socket::SELECT_READ)) continue;
            auto peer = socket_.acceptConnection();
            try {
                peer.sendBytes(head_.data(), static_cast<int>(head_.size()));
                while (!over_) {
                    peer.sendBytes("x", 1);
                    std::this_thread::sleep_for(100ms);
                }
            } catch (const Poco::Exception&) {  // it left
            }
        }
    }

    Poco::Net::ServerSocket socket_{Poco::Net::SocketAddress{"127.0.0.1", 0}};
    const std::string head_;
    std::atomic<bool> over_ = false;
    std::thread thread_;
};

constexpr auto slow_test_max = 60s;

}  // namespace

TEST_CASE("http client: a server that drips is left", "[platform]") {
    const auto begun = std::chrono::steady_clock::now();
    const HttpClientSettings settings{.answer_max = 1s, .whole_max = 1s, .ca_file = {}};
    SECTION("in the middle of its head") {
        Dripper server{"HTTP/1.1 200 OK\r\nX-Long: "};
        HttpClient client{server.url(), settings};
        for (int i = 0; i < 2; ++i)
            CHECK_THROWS_WITH(client.post({}, "text/plain", "hello"), "no whole answer within 1 s");
    }
    SECTION("in the middle of a body that nobody needs") {
        Dripper server{"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4000\r\n\r\n"};
        HttpClient client{server.url(), settings};
        const auto answer = client.post({}, "text/plain", "hello");
        CHECK(answer.status == 503);
        CHECK(answer.retry_after == Duration{7s});
    }
    CHECK(std::chrono::steady_clock::now() - begun < slow_test_max);
}
