#pragma once
#include <filesystem>

#include <Poco/JSON/Object.h>

#include "protocol/sts/keys.h"
#include "terminal-sim/field/shipment.h"

/// Meters of a town that sell by token: what the factory puts in, and what the utility's books say of them.
namespace wattmesh::sim {

/// Of these meters all.
inline constexpr sts::SupplyGroup town_supply_group{900'001};

/// Makes the first `count` households on radio sell by token, with decoder keys of `vending_key` (160 bits).
/// Every other one has so little credit that its light soon goes out; every fourth is of the model whose
/// breaker waits for a command. Throws std::runtime_error when there are not so many.
void make_prepaid(Shipment& shipment, const Town& town, std::size_t count,
                  const sts::VendingKey& vending_key);

/// A tariff, the vendor Corner with tills T1 and T2, and a customer for each of the meters: `headend vend
/// set` takes it.
void write_books(const std::filesystem::path& file, const Town& town, const Shipment& shipment);

/// The meter model that head-ends call so.
std::string_view registry_model(const Shipment& shipment, const DeviceNumber& meter);
/// What the meter plays.
const cosem::MeterModel& cosem_model(const PrepaidSettings& prepaid);

/// The member "prepaid" of a meter in shipment.json. Throws std::runtime_error naming the member, never a
/// key.
std::string prepaid_json(const PrepaidSettings& prepaid);
PrepaidSettings prepaid_of(const std::filesystem::path& file, const Poco::JSON::Object::Ptr& object);

}  // namespace wattmesh::sim
