// terminal-sim mis cim against the head-end, with readers that answer.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "headend/database/cim_dialects.h"
#include "headend/database/job_work.h"
#include "headend/database/on_demand_log.h"
#include "platform/settings.h"
#include "terminal-sim/tool/cim_partner.h"
#include "terminal-sim/tool/command.h"
#include "tests/headend/exchange/rest_scene.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

/// Does what is ordered, and sends replies, on a thread of its own.
class Plant {
public:
    explicit Plant(RestScene& scene)
        : scene_(scene), thread_([this] {
              Connection monitor{scene_.town.database.settings("wm_monitor")};
              while (!over_) {
                  work(monitor);
                  while (scene_.courier->round()) {
                  }
                  std::this_thread::sleep_for(std::chrono::milliseconds{50});
              }
          }) {}
    ~Plant() {
        over_ = true;
        thread_.join();
    }

private:
    void work(Connection& monitor) {
        JobWork desk{monitor, "plant"};
        const auto now = scene_.clock.now();
        for (const auto& job : desk.claim({{"read", 10}}, now, now + std::chrono::hours{1}))
            for (const auto& item : desk.begin(job.id, now, now + std::chrono::hours{1}, 10, {})) {
                if (job.parameters.find("1-0:1.8.0*255") != std::string::npos)
                    OnDemandLog{monitor}.put(
                        {meter_, obis::active_import_total, now, 12'345, 0, 30, "on_demand"});
                desk.finish(job.id, item.place, {ItemState::done, "12345 Wh"}, now);
            }
    }

    RestScene& scene_;
    const MeterId meter_{
        scene_.town.value("select id from meter where number = " + std::to_string(customer(0).integer()))};
    std::atomic<bool> over_ = false;
    std::thread thread_;
};

/// A port that nobody else is given, and that somebody may listen at all the same: bound, not listening.
class Reserved {
public:
    Reserved() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int yes = 1;
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const place = reinterpret_cast<sockaddr*>(&address);
        setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (::bind(socket_, place, size) != 0 || getsockname(socket_, place, &size) != 0)
            throw std::runtime_error("no port to be had");
        port_ = ntohs(address.sin_port);
    }
    ~Reserved() { close(socket_); }
    Reserved(const Reserved&) = delete;
    Reserved& operator=(const Reserved&) = delete;
    std::uint16_t port() const { return port_; }

private:
    int socket_;
    std::uint16_t port_ = 0;
};

}  // namespace

TEST_CASE("mis cim: passes against a head-end that is right, and finds one that is wrong",
          "[exchange][cim][db]") {
    RestScene scene;
    const Reserved reserved;
    const auto port = std::to_string(reserved.port());
    CimDialect dialect;
    dialect.energy_multiplier = 0;
    dialect.reply_to = {"http://127.0.0.1:" + port + "/cim"};
    CimDialects{scene.town.admin}.put(scene.contract("north").id, dialect);
    const auto folder =
        std::filesystem::temp_directory_path() / ("wattmesh-mis-cim-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    const auto client = folder / "client", csv = folder / "csv";
    std::ofstream{client} << R"({"client_id":"north-1","client_secret":"secret of north"})";
    std::filesystem::permissions(client, std::filesystem::perms{0600});
    const auto check = [&] {
        const platform::Settings settings{
            {{"url", "http://127.0.0.1:" + std::to_string(scene.server->port())},
             {"client-file", client.string()},
             {"port", port},
             {"meters", to_string(customer(0)) + "," + to_string(customer(1))},
             {"from", std::to_string(epoch_us(midnight) / 1'000'000)},
             {"to", std::to_string(epoch_us(quarter(96)) / 1'000'000)},
             {"csv", csv.string()}}};
        return sim::check_cim(settings);
    };
    {
        const Plant plant{scene};
        CHECK(check() == 0);
        std::ostringstream text;
        text << std::ifstream{csv}.rdbuf();
        const auto lines = text.str();
        CHECK(std::count(lines.begin(), lines.end(), '\n') == 2 * 8 * 4);
        CHECK(lines.find(to_string(customer(1)) + "," + std::to_string(epoch_us(quarter(3)) / 1'000'000) +
                         ",2,1031\n") != std::string::npos);
        CimDialects{scene.town.admin}.put(scene.contract("north").id, {});  // no address any more
        CHECK(check() == 3);
    }
    std::filesystem::remove_all(folder);
}
