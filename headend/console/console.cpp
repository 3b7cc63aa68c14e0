#include "headend/console/console.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "headend/console/api.h"
#include "headend/console/live_watch.h"
#include "headend/console/server.h"

namespace wattmesh::headend::console {
namespace {

std::string text_of(const std::string& path) {
    if (path.empty()) return {};
    std::ifstream in{path, std::ios::binary};
    if (!in) throw std::runtime_error("console: cannot read '" + path + "'");
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

ConsoleSettings checked(ConsoleSettings settings) {
    if (settings.certificate.empty() != settings.key.empty())
        throw std::runtime_error("console: certificate and key must be set both or none");
    return settings;
}

}  // namespace

struct Console::State {
    State(const ConsoleSettings& settings, const database::DatabaseSettings& database, Ports ports)
        : context{.settings = checked(settings),
                  .clock = ports.clock,
                  .random = ports.random,
                  .reads = ports.reads,
                  .verify = std::move(ports.verify),
                  .hash = std::move(ports.hash),
                  .log = std::move(ports.log),
                  .pool = {database, settings.connections}},
          access(context),
          pages(context.settings.pages),
          openapi(text_of(context.settings.openapi)) {
        add_session_routes(routes, context, access);
        add_overview_routes(routes, context);
        add_alarm_routes(routes, context);
        add_metrics_routes(routes, context, access);
        add_outage_routes(routes, context);
        add_concentrator_routes(routes, context);
        add_trace_routes(routes, context);
        add_mesh_routes(routes, context);
        add_completeness_routes(routes, context);
        add_network_routes(routes, context);
        add_search_routes(routes, context);
        add_validation_routes(routes, context);
        add_clock_routes(routes, context);
        add_prepayment_routes(routes, context);
        add_parameter_routes(routes, context);
        add_firmware_routes(routes, context);
        add_partner_routes(routes, context);
        add_meter_routes(routes, context);
        add_read_routes(routes, context);
        add_account_routes(routes, context);
        add_token_routes(routes, context, access);
        add_audit_routes(routes, context);
        add_relay_routes(routes, context);
        add_job_routes(routes, context);
    }

    Context context;
    Access access;
    Pages pages;
    std::string openapi;
    LiveHub hub;
    std::vector<Route> routes;
    std::unique_ptr<LiveWatch> watch;
    std::unique_ptr<Server> server;
};

Console::Console(const ConsoleSettings& settings, const database::DatabaseSettings& database, Ports ports)
    : state_(std::make_unique<State>(settings, database, std::move(ports))) {}

Console::~Console() { stop(); }

void Console::start() {
    auto& s = *state_;
    s.server = std::make_unique<Server>(Site{s.context, s.access, s.hub, s.pages, s.openapi, s.routes});
    s.watch = std::make_unique<LiveWatch>(s.context, s.hub);
    s.context.log("information", "console: listening address=" + s.context.settings.address +
                                     " port=" + std::to_string(port()) +
                                     (s.context.settings.certificate.empty() ? "" : " tls=yes"));
}

void Console::stop() {
    state_->server.reset();
    state_->watch.reset();
}

std::uint16_t Console::port() const { return state_->server ? state_->server->port() : std::uint16_t{0}; }

}  // namespace wattmesh::headend::console
