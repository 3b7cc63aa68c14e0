#include <fstream>
#include <list>
#include <sstream>

#include "headend/exchange/file_desk.h"
#include "headend/exchange/rest_server.h"
#include "headend/roles.h"
#include "security/private_file.h"

namespace wattmesh::headend {
namespace {

constexpr std::size_t exchange_threads = 1;
constexpr Duration files_every_real = std::chrono::seconds{5};

std::string text_of(const std::string& file) {
    std::ifstream in{file};
    std::ostringstream text;
    if (!(text << in.rdbuf())) throw platform::SettingsError(file + ": cannot be read");
    return text.str();
}

/// Masters show a certificate of the partner's CA; they agree on no protocol name.
platform::TlsLink::Context tls_of(const exchange::ScadaStationSettings& settings) {
    if (settings.certificate.empty()) return nullptr;
    security::TlsSettings tls;
    tls.role = security::TlsRole::server;
    tls.certificate_pem = text_of(settings.certificate);
    tls.key_pem = security::read_private_file(settings.key);
    tls.ca_pem = text_of(settings.ca);
    tls.protocols = {};
    tls.without_protocol = true;
    tls.client_certificate = true;
    return std::make_shared<security::TlsContext>(std::move(tls));
}

}  // namespace

struct ExchangeRole::Parts {
    explicit Parts(Plant& plant)
        : workers(plant, "wm_exchange", exchange_threads),
          file_workers(plant, "wm_exchange", exchange_threads),
          file_timer(plant.loop) {
        for (const auto& settings : plant.settings.scada)
            stations.emplace_back(plant.loop, settings, tls_of(settings), workers.queue());
        if (plant.settings.webhooks)
            courier.emplace(*plant.settings.webhooks, *plant.master, *plant.clock, plant.random, say);
        if (plant.settings.rest) rest.emplace(*plant.settings.rest, *plant.clock, plant.random, say);
    }
    /// A round of files may take minutes: it has a thread of its own.
    void look_at_files(Instant now) {
        file_workers.queue().run(
            [this, now](database::Connection& connection) {
                files.round(connection, now);
                return true;
            },
            [this, here = std::weak_ptr{alive}](const std::optional<bool>&) {
                if (here.lock()) file_timer.after_real(files_every_real, [this] { again(); });
            });
    }
    static void say(std::string_view level, const std::string& line) {
        const platform::Log out{"exchange"};
        level == "warning" ? out.warning("{}", line) : out.information("{}", line);
    }

    exchange::FileDesk files{say};  ///< its worker's
    std::function<void()> again;

    DatabaseWorkers workers, file_workers;
    platform::Timer file_timer;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
    std::list<exchange::ScadaStation> stations;
    std::optional<exchange::WebhookCourier> courier;
    std::optional<exchange::RestServer> rest;
};

ExchangeRole::ExchangeRole(Plant& plant) : plant_(plant) {}
ExchangeRole::~ExchangeRole() = default;

void ExchangeRole::initialize(Poco::Util::Application&) {
    if (plant_.settings.scada.empty() && !plant_.settings.webhooks && !plant_.settings.rest) return;
    parts_ = std::make_unique<Parts>(plant_);
    for (auto& station : parts_->stations) station.start();
    if (parts_->rest) {
        parts_->rest->start();
        plant_.log.information("served partners address={} port={}", plant_.settings.rest->address,
                               parts_->rest->port());
    }
    if (!parts_->courier) return;
    parts_->courier->start();
    parts_->again = [this] { parts_->look_at_files(plant_.loop.now()); };
    parts_->again();
}

void ExchangeRole::uninitialize() {
    if (!parts_) return;
    for (auto& station : parts_->stations) station.stop();
    if (parts_->rest) parts_->rest->stop();
    if (parts_->courier) parts_->courier->stop();
    parts_->alive.reset();
    parts_->file_timer.cancel();
    parts_.reset();
}

}  // namespace wattmesh::headend
