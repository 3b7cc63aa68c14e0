#include <Poco/Util/Application.h>

#include <thread>

#include "headend/database/migrator.h"
#include "headend/vending_role.h"
#include "platform/main_guard.h"

namespace wattmesh::headend {
namespace {

/// Comes first: Poco's own logging subsystem has just replaced what start_log set up.
class LogFormat : public Poco::Util::Subsystem {
public:
    explicit LogFormat(std::string level) : level_(std::move(level)) {}
    const char* name() const override { return "log"; }

protected:
    void initialize(Poco::Util::Application&) override { platform::start_log(level_); }
    void uninitialize() override {}

private:
    std::string level_;
};

/// Poco's application holds the roles as subsystems; the loop is its main.
class Server : public Poco::Util::Application {
public:
    Server(Plant& plant, const std::set<std::string>& roles) : plant_(plant) {
        setUnixOptions(true);
        addSubsystem(new LogFormat(plant_.settings.log_level));
        // Order matters: monitor finds the front-end, the console finds both; they end the other way round.
        // Who would not poll a bus must not take it from the process that does.
        if (!roles.contains("monitor")) plant_.settings.dials = false;
        if (roles.contains("frontend")) addSubsystem(new FrontendRole(plant_));
        if (roles.contains("monitor")) addSubsystem(new MonitorRole(plant_));
        if (roles.contains("vending")) addSubsystem(vending_ = new VendingRole(plant_));
        if (roles.contains("exchange")) addSubsystem(new ExchangeRole(plant_));
        if (roles.contains("console")) addSubsystem(console_ = new ConsoleRole(plant_));
    }

protected:
    int main(const ArgVec&) override {
        std::thread stopper;
        const platform::StopSignals signals{plant_.loop, [this, &stopper] {
                                                if (stopper.joinable()) return;
                                                plant_.log.information("stopping");
                                                plant_.live.shut();
                                                // The loop runs on until the console's handlers have their
                                                // answers.
                                                stopper = std::thread{[this] {
                                                    if (console_ != nullptr) console_->stop();
                                                    if (vending_ != nullptr) vending_->stop();
                                                    plant_.loop.stop();
                                                }};
                                            }};
        plant_.loop.run();
        if (stopper.joinable()) stopper.join();
        return EXIT_OK;
    }

private:
    Plant& plant_;
    ConsoleRole* console_ = nullptr;  ///< owned by the application
    VendingRole* vending_ = nullptr;  ///< likewise
};

/// Says at once, by name, when the schema is not the one this program needs. A database that is down is no
/// obstacle: it may come later.
void check_schema(const HeadendSettings& settings, const std::set<std::string>& roles,
                  const platform::Log& log) {
    const std::string role = roles.contains("frontend")  ? "wm_frontend"
                             : roles.contains("monitor") ? "wm_monitor"
                             : roles.contains("vending") ? "wm_vending"
                             : roles.contains("console") ? "wm_console"
                                                         : "wm_exchange";
    try {
        database::Connection connection{settings.database.as(role)};
        const auto pending = database::Migrator{connection, settings.schema}.pending();
        if (pending.empty()) return;
        throw std::runtime_error("the database lacks " + std::to_string(pending.size()) +
                                 " migrations, first " + pending.front() + ": run `headend migrate`");
    } catch (const database::DatabaseError& error) {
        if (error.trouble() != database::Trouble::unavailable) throw;
        log.warning("found the database unavailable: {}", error.what());
    }
}

}  // namespace

int serve(HeadendSettings settings, std::shared_ptr<const platform::Clock> clock,
          const std::set<std::string>& roles) {
    platform::start_log(settings.log_level);
    platform::forbid_memory_dumps();
    check_schema(settings, roles, platform::Log{"headend"});
    Plant plant{std::move(settings), std::move(clock)};
    Server server{plant, roles};
    server.init(Poco::Util::Application::ArgVec{"headend"});
    return server.run();
}

}  // namespace wattmesh::headend
