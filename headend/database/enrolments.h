#pragma once
#include <array>
#include <cstdint>

#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

using CodeHash = std::array<std::uint8_t, 32>;  ///< SHA-256 of the one-time code

enum class Redeemed { accepted, unknown, expired, used };

/// Table enrolment: one-time codes, hashed.
class Enrolments {
public:
    explicit Enrolments(Connection& connection) : connection_(connection) {}

    /// A new code makes the concentrator's older unused ones worthless.
    void issue(ConcentratorId concentrator, const CodeHash& code, Instant now,
               Duration valid = std::chrono::hours{24});
    /// Uses the code up. Run it in the transaction that stores the certificate, so that a failure gives the
    /// code back.
    Redeemed redeem(DeviceNumber number, const CodeHash& code, Instant now);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
