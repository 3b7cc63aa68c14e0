#pragma once
#include "headend/console/context.h"
#include "headend/database/jobs.h"
#include "headend/database/relay_rules.h"

/// What stands in front of every order that can leave somebody without electricity.
namespace wattmesh::headend::console {

/// Of subjects that were looked up.
std::vector<DeviceNumber> numbers_of(const std::vector<std::string>& subjects);
/// A Problem 409 while all switching is stopped.
void check_not_stopped(database::Connection& connection, const Request& request);
/// A Problem 409 that names them, unless there are none.
void refuse_protected(const std::vector<database::ProtectedMeter>& spared);
/// Blast radius: what an order would touch, before anything is ordered. `spared`: the protected among them.
Answer plan_of(const Context& context, database::Connection& connection,
               const std::vector<std::string>& subjects, const std::vector<database::ProtectedMeter>& spared);
/// Many meters wait for a second person.
database::JobState gated(const Context& context, std::size_t meters);

}  // namespace wattmesh::headend::console
