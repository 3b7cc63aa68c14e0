#include "headend/job_desks.h"
#include "headend/roles.h"
#include "security/password.h"

namespace wattmesh::headend {

ConsoleRole::ConsoleRole(Plant& plant) : plant_(plant) {}
ConsoleRole::~ConsoleRole() = default;

void ConsoleRole::initialize(Poco::Util::Application&) {
    console::ConsoleSettings settings = plant_.settings.console;
    std::array<std::uint8_t, 24> nobody{};
    plant_.random.fill(nobody);
    settings.nobody_hash = security::hash_password(to_hex(nobody), plant_.random);
    console_ = std::make_unique<console::Console>(
        settings, plant_.settings.database.as("wm_console"),
        console::Console::Ports{
            .clock = *plant_.clock,
            .random = plant_.random,
            .reads = plant_.live,
            .verify = [](std::string_view password,
                         const std::string& hash) { return security::verify_password(password, hash); },
            .hash = [&random = plant_.random](
                        std::string_view password) { return security::hash_password(password, random); },
            .log =
                [](std::string_view level, const std::string& line) {
                    const platform::Log log{"console"};
                    level == "warning" ? log.warning("{}", line) : log.information("{}", line);
                }});
    console_->start();
    reports_ = std::make_unique<ReportDesk>(plant_);
    reports_->start();
    plant_.log.information("served console address={} port={}", settings.address, console_->port());
}

void ConsoleRole::uninitialize() {
    stop();
    if (reports_) reports_->stop();
    reports_.reset();
}

void ConsoleRole::stop() {
    if (console_) console_->stop();
    console_.reset();
}

}  // namespace wattmesh::headend
