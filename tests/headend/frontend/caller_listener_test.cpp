// Ports for devices of other makes, on real sockets in one loop.
#include "headend/frontend/caller_listener.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "platform/connector.h"
#include "tests/headend/frontend/caller_world.h"

namespace wattmesh::headend::frontend {
namespace {

const char* const login = "00 01 00 01 00 01 00 12 0A 02 0C 32 31 30 36 30 30 34 30 32 39 34 31 00 5A 4C";
const char* const login_answer =
    "00010001000100"
    "12AA030C323130363030343032393431007004";

struct Device {
    Device(platform::Loop& loop, std::uint16_t port, platform::TlsLink::Context tls = {})
        : connector(loop, random,
                    {.host = "127.0.0.1", .port = port, .tls = std::move(tls), .certificate_time = {}}) {
        connector.start({[this](platform::Link& link) {
                             ++opened;
                             link.send(from_hex(login).value());
                         },
                         [this](Bytes bytes) { heard.insert(heard.end(), bytes.begin(), bytes.end()); },
                         [this](const std::string&, Duration) { ++closed; }});
    }
    security::SystemRandom random;
    Buffer heard;
    int opened = 0, closed = 0;
    platform::Connector connector;
};

struct Site : CallerSite {
    explicit Site(CallerPortSettings with)
        : loop(std::make_shared<platform::ScaledClock>()), ports{std::move(with)} {
        ports.front().port = port;
        listen_anew(server);
    }
    void listen_anew(const security::KeyAndCertificate& with) {
        listener.reset();
        security::TlsSettings tls;
        tls.role = security::TlsRole::server;
        tls.certificate_pem = with.certificate_pem;
        tls.key_pem = with.key_pem;
        tls.ca_pem = authority.pem();
        tls.protocols = {};
        tls.without_protocol = true;
        listener.emplace(loop, ports, std::make_shared<security::TlsContext>(std::move(tls)), core);
        listener->start();
    }
    platform::TlsLink::Context device_tls() {
        security::TlsSettings tls;
        tls.ca_pem = authority.pem();
        tls.protocols = {};
        tls.without_protocol = true;
        return std::make_shared<security::TlsContext>(std::move(tls));
    }
    bool until(const std::function<bool()>& done) {
        for (int turn = 0; turn < 20'000 && !done(); ++turn) {
            loop.poll();
            if (!directory.waiting.empty()) {
                directory.complete();
                listener->pump_soon();
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        return done();
    }
    platform::Loop loop;
    security::CertificateAuthority authority = security::CertificateAuthority::create("Test", loop.now());
    security::KeyAndCertificate server = authority.issue_server({"127.0.0.1"}, loop.now());
    std::vector<CallerPortSettings> ports;
    std::optional<CallerListener> listener;
    std::atomic<bool> called{false};
};

AddressRange range(const char* text) { return AddressRange::parse(text).value(); }

}  // namespace

TEST_CASE("caller listener: a device calls in over TCP, and over TLS where that is offered", "[frontend]") {
    const bool tls = GENERATE(false, true);
    DYNAMIC_SECTION((tls ? "tls" : "plain")) {
        CallerPortSettings settings;
        settings.tls = CallerTls::offered;
        Site site{settings};
        Device device{site.loop, site.listener->port(0), tls ? site.device_tls() : nullptr};
        REQUIRE(site.until([&] { return site.core.has(DeviceNumber::parse("210600402941").value()); }));
        REQUIRE(site.until([&] { return !device.heard.empty(); }));
        CHECK(to_hex(device.heard) == login_answer);
    }
}

TEST_CASE("caller listener: a device that calls again resumes its TLS session, also at another process",
          "[frontend]") {
    CallerPortSettings settings;
    settings.tls = CallerTls::required;
    Site site{settings};
    // OpenSSL's own client: the first call keeps a ticket, the second shows it to a context made anew of the
    // same key, the third to one of another key.
    const auto folder =
        std::filesystem::temp_directory_path() / ("wattmesh-ticket-" + std::to_string(::getpid()));
    const auto call = [&](const std::string& ticket) {
        const std::string port = std::to_string(site.listener->port(0));
        std::string said;
        std::thread caller{[&] {
            FILE* const pipe =
                ::popen(("sleep 1 | timeout 20 openssl s_client -tls1_3 -connect 127.0.0.1:" + port + " " +
                         ticket + " " + folder.string() + " 2>&1")
                            .c_str(),
                        "re");  // NOLINT: our own words
            std::array<char, 256> some{};
            while (pipe != nullptr && std::fgets(some.data(), some.size(), pipe) != nullptr)
                said += some.data();
            if (pipe != nullptr) ::pclose(pipe);
            site.called = true;
        }};
        site.called = false;
        CHECK(site.until([&] { return site.called.load(); }));
        caller.join();
        return said;
    };
    CHECK_THAT(call("-sess_out"), Catch::Contains("New, TLSv1.3"));
    site.listen_anew(site.server);
    CHECK_THAT(call("-sess_in"), Catch::Contains("Reused, TLSv1.3"));
    site.listen_anew(site.authority.issue_server({"127.0.0.1"}, site.loop.now()));
    CHECK_THAT(call("-sess_in"), Catch::Contains("New, TLSv1.3"));
    std::filesystem::remove(folder);
}

TEST_CASE("caller listener: without TLS nobody comes in where it is required", "[frontend]") {
    CallerPortSettings settings;
    settings.tls = CallerTls::required;
    Site site{settings};
    Device device{site.loop, site.listener->port(0)};
    REQUIRE(site.until([&] { return device.closed > 0; }));
    CHECK(site.core.counters().accepted == 0);
    CHECK(site.listener->refused() > 0);
    CHECK(device.heard.empty());
}

TEST_CASE("caller listener: who is not on the allow-list, or comes too often, is closed and counted",
          "[frontend]") {
    CallerPortSettings settings;
    const bool listed = GENERATE(false, true);
    if (listed) {
        settings.allowed = {range("127.0.0.0/8")};
        settings.accepts_per_second_max = 0;
    } else {
        settings.allowed = {range("10.0.0.0/8"), range("::1")};
    }
    Site site{settings};
    Device device{site.loop, site.listener->port(0)};
    REQUIRE(site.until([&] { return site.listener->refused() > 0; }));
    CHECK(site.core.counters().accepted == 0);
}

TEST_CASE("address range: shares its first bits, of either family", "[frontend]") {
    CHECK(range("10.1.0.0/16").holds("10.1.255.255"));
    CHECK_FALSE(range("10.1.0.0/16").holds("10.2.0.0"));
    CHECK(range("192.0.2.7").holds("192.0.2.7"));
    CHECK_FALSE(range("192.0.2.7").holds("192.0.2.6"));
    CHECK(range("192.0.2.0/31").holds("192.0.2.1"));
    CHECK(range("0.0.0.0/0").holds("203.0.113.9"));
    CHECK_FALSE(range("0.0.0.0/0").holds("2001:db8::1"));
    CHECK(range("10.0.0.0/8").holds("::ffff:10.9.9.9"));
    CHECK(range("2001:db8::/32").holds("2001:db8:1::2"));
    CHECK_FALSE(range("2001:db8::/32").holds("2001:db9::2"));
    CHECK_FALSE(range("::/0").holds("no address"));
    for (const char* wrong : {"", "10.0.0/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "::/129", "host"})
        CHECK_FALSE(AddressRange::parse(wrong));
    CHECK(admits({}, "203.0.113.9"));
}

}  // namespace wattmesh::headend::frontend
