#include "headend/vending_role.h"

#include <set>

#include "headend/vending/anchors.h"
#include "headend/vending/service.h"
#include "headend/vending/upkeep.h"
#include "security/password.h"
#include "security/software_module.h"

namespace wattmesh::headend {
namespace {

constexpr Duration seal_every_real = std::chrono::milliseconds{500}, retry_real = std::chrono::seconds{10};
constexpr int look_after_every = 20;  ///< rounds of sealing
constexpr std::size_t threads = 1, connections = 16;
constexpr Duration left_for = std::chrono::seconds{30};

struct Round {
    vending::Kept kept;
    bool compared = false;
};

}  // namespace

struct VendingRole::Parts {
    explicit Parts(Plant& plant)
        : log("vending"),
          module({plant.settings.vending.module, plant.settings.vending.production,
                  plant.settings.vending.software_in_production},
                 *plant.master, plant.random),
          seller({module, *plant.master, *plant.clock, {}, plant.settings.vending.front}),
          workers(plant, "wm_vending", threads),
          mark(plant.settings.counters, database::vend_mark),
          anchors(plant.settings.counters, *plant.master, plant.random, ciphers),
          timer(plant.loop),
          service(http_settings(plant), plant.settings.database.as("wm_vending"), ports(plant)) {}

    static console::ConsoleSettings http_settings(Plant& plant) {
        auto settings = plant.settings.vending.http;
        settings.connections = connections;
        settings.speed = plant.settings.console.speed;
        std::array<std::uint8_t, 24> nobody{};
        plant.random.fill(nobody);
        settings.nobody_hash = security::hash_password(to_hex(nobody), plant.random);
        return settings;
    }
    vending::Service::Ports ports(Plant& plant) {
        return {.clock = *plant.clock,
                .random = plant.random,
                .seller = seller,
                .module = module,
                .verify = [](std::string_view password,
                             const std::string& hash) { return security::verify_password(password, hash); },
                .hash = [&random = plant.random](
                            std::string_view password) { return security::hash_password(password, random); },
                .log =
                    [](std::string_view level, const std::string& line) {
                        const platform::Log out{"vending"};
                        level == "warning" ? out.warning("{}", line) : out.information("{}", line);
                    },
                .front = plant.settings.vending.front,
                .machines = plant.settings.vending.machines};
    }

    platform::Log log;
    security::SoftwareModule module;
    vending::Seller seller;
    DatabaseWorkers workers;
    database::AuditMark mark;
    security::OpensslCiphers ciphers;
    vending::AnchorKeeper anchors;
    platform::Timer timer;
    vending::Service service;
    std::set<std::string> told;  ///< alarms that the log has
    int round = 0;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

VendingRole::VendingRole(Plant& plant) : plant_(plant) {}
VendingRole::~VendingRole() = default;

void VendingRole::initialize(Poco::Util::Application&) {
    parts_ = std::make_unique<Parts>(plant_);
    parts_->service.start();
    plant_.log.information("served vending address={} port={}", plant_.settings.vending.http.address,
                           parts_->service.port());
    keep();
}

/// Seals twice a second; now and then, and first of all, compares the module with the books.
void VendingRole::keep() {
    auto& parts = *parts_;
    const bool look = parts.round++ % look_after_every == 0;
    parts.timer.after_real(retry_real, [this] { keep(); });  // even when the completion never comes
    const auto left = Duration{
        static_cast<Duration::rep>(static_cast<double>(left_for.count()) * plant_.settings.console.speed)};
    parts.workers.queue().run(
        [&parts, look, left, now = plant_.loop.now()](database::Connection& connection) {
            Round round{vending::seal(connection, parts.mark, now), look};
            if (!look) return round;
            for (const auto& more : {vending::look_after(connection, parts.seller, parts.module, now, left),
                                     vending::anchor_day(connection, parts.anchors, now)})
                round.kept.alarms.insert(round.kept.alarms.end(), more.alarms.begin(), more.alarms.end());
            return round;
        },
        [this, alive = std::weak_ptr{parts.alive}](const std::optional<Round>& round) {
            if (!alive.lock()) return;
            auto& now = *parts_;
            if (!round) {
                now.round = 0;  // compares again as soon as the database is back
                return;
            }
            if (round->compared) now.service.set_ready();
            if (now.told.size() > 1'000) now.told.clear();
            for (const auto& alarm : round->kept.alarms)
                if (now.told.insert(alarm).second) now.log.warning("found {}", alarm);
            now.timer.after_real(seal_every_real, [this] { keep(); });
        });
}

void VendingRole::stop() {
    if (parts_) parts_->service.stop();
}

void VendingRole::uninitialize() {
    if (!parts_) return;
    parts_->alive.reset();
    parts_->timer.cancel();
    parts_.reset();
}

}  // namespace wattmesh::headend
