#pragma once
#include "headend/database/connection.h"
#include "headend/database/vend_ids.h"

namespace wattmesh::headend::database {

/// Tables tariff, tariff_version, tariff_step, tariff_levy and tariff_tax. Versions are added, never changed.
class Tariffs {
public:
    explicit Tariffs(Connection& connection) : connection_(connection) {}

    /// The tariff with this code, made when it is new.
    TariffId put(TenantId tenant, const std::string& code);
    std::optional<TariffId> find(TenantId tenant, const std::string& code);
    /// `version` has no fault; its id is not looked at. Throws DatabaseError refused when there is a version
    /// from that instant on already.
    pricing::TariffVersionId add_version(TariffId tariff, Instant valid_from, const pricing::Tariff& version);
    /// Nothing when there is no such version.
    std::optional<pricing::Tariff> version(pricing::TariffVersionId id);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
