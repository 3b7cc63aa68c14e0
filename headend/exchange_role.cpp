#include <fstream>
#include <list>
#include <sstream>

#include "headend/roles.h"
#include "security/private_file.h"

namespace wattmesh::headend {
namespace {

constexpr std::size_t exchange_threads = 1;

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
    explicit Parts(Plant& plant) : workers(plant, "wm_exchange", exchange_threads) {
        for (const auto& settings : plant.settings.scada)
            stations.emplace_back(plant.loop, settings, tls_of(settings), workers.queue());
    }
    DatabaseWorkers workers;
    std::list<exchange::ScadaStation> stations;
};

ExchangeRole::ExchangeRole(Plant& plant) : plant_(plant) {}
ExchangeRole::~ExchangeRole() = default;

void ExchangeRole::initialize(Poco::Util::Application&) {
    if (plant_.settings.scada.empty()) return;
    parts_ = std::make_unique<Parts>(plant_);
    for (auto& station : parts_->stations) station.start();
}

void ExchangeRole::uninitialize() {
    if (!parts_) return;
    for (auto& station : parts_->stations) station.stop();
    parts_.reset();
}

}  // namespace wattmesh::headend
