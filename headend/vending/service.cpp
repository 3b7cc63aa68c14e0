#include "headend/vending/service.h"

#include <fstream>
#include <sstream>

#include "headend/console/server.h"
#include "headend/vending/api.h"

namespace wattmesh::headend::vending {
namespace {

std::string text_of(const std::string& path) {
    if (path.empty()) return {};
    std::ifstream in{path, std::ios::binary};
    std::ostringstream text;
    if (!in || !(text << in.rdbuf())) throw std::runtime_error("vending: cannot read '" + path + "'");
    return text.str();
}

/// Console and vending may be ports of one host: signing in at one is not to sign out at the other.
console::ConsoleSettings own(console::ConsoleSettings settings) {
    settings.cookie = "wattmesh_vending";
    return settings;
}

/// This role reads no meters.
struct NoReads final : console::LiveReads {
    void read(DeviceNumber, const dlms::AttributeId&, std::function<void(console::LiveValue)> done) override {
        console::LiveValue value;
        value.fault = "offline";
        done(std::move(value));
    }
    void topology(DeviceNumber,
                  std::function<void(std::optional<std::vector<dcu::TopologyNode>>)> done) override {
        done({});
    }
    void statistics(DeviceNumber, std::function<void(std::optional<dcu::Statistics>)> done) override {
        done({});
    }
    void uplink(DeviceNumber, std::function<void(std::optional<dcu::UplinkState>)> done) override {
        done({});
    }
};

}  // namespace

struct Service::State {
    State(console::ConsoleSettings settings, const database::DatabaseSettings& database, Ports ports,
          const std::atomic<bool>& ready)
        : context{.settings = std::move(settings),
                  .clock = ports.clock,
                  .random = ports.random,
                  .reads = reads,
                  .verify = std::move(ports.verify),
                  .hash = std::move(ports.hash),
                  .log = std::move(ports.log),
                  .pool = {database, context.settings.connections}},
          access(context),
          pages(context.settings.pages, "/counter.html"),
          openapi(text_of(context.settings.openapi)),
          front(std::move(ports.front)),
          machines(std::move(ports.machines)),
          counter{context, ports.seller, ports.module, ready, front, machine_ports} {
        add_session_routes(routes, context, access);
        add_token_routes(routes, context, access);
        add_desk_routes(routes, counter);
        add_port_routes(routes, counter);
        add_report_routes(routes, counter);
        add_adjustment_routes(routes, counter);
        add_sale_routes(routes, counter);
        add_meter_routes(routes, counter);
    }

    NoReads reads;
    console::Context context;
    console::Access access;
    console::Pages pages;
    std::string openapi;
    console::LiveHub hub;
    const Shopfront front;
    const std::optional<console::ConsoleSettings> machines;
    SimulatedPorts machine_ports;
    Counter counter;
    std::vector<console::Route> routes;
    std::unique_ptr<console::Server> server, machine_server;
};

Service::Service(console::ConsoleSettings settings, database::DatabaseSettings database, Ports ports)
    : state_(std::make_unique<State>(own(std::move(settings)), database, std::move(ports), ready_)) {}

Service::~Service() { stop(); }

void Service::start() {
    auto& s = *state_;
    const console::Site site{s.context, s.access, s.hub, s.pages, s.openapi, s.routes};
    s.server = std::make_unique<console::Server>(site);
    if (s.machines) s.machine_server = std::make_unique<console::Server>(site, *s.machines);
}

void Service::stop() {
    state_->machine_server.reset();
    state_->server.reset();
}

std::uint16_t Service::port() const { return state_->server ? state_->server->port() : std::uint16_t{0}; }

std::uint16_t Service::machine_port() const {
    return state_->machine_server ? state_->machine_server->port() : std::uint16_t{0};
}

}  // namespace wattmesh::headend::vending
