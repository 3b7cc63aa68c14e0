#pragma once
#include <string>
#include <vector>

#include "headend/admin/head_settings.h"
#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/base/time.h"

/// What an administrator does at the command line. Each act is audited; `actor` is the person's log-in on
/// this machine. All throw std::runtime_error (or its children) with a sentence that names the thing and the
/// way out.
namespace wattmesh::headend::admin {

/// Brings the database to this program's schema. `administrator`: libpq keywords of a user who may create
/// roles; empty: as wm_owner, the roles being there. Returns the names of the migrations applied.
std::vector<std::string> migrate(const HeadSettings& settings, const std::string& administrator, Instant now);

/// Registers the concentrator if it is new and returns its one-time enrolment code, valid for 24 hours.
std::string enrol(const HeadSettings& settings, const DeviceNumber& number, const std::string& actor,
                  Random& random, Instant now);

/// Its certificates are refused from now on and a live session is closed within seconds.
void revoke(const HeadSettings& settings, const DeviceNumber& number, const std::string& actor, Instant now);

/// Roles: operator, engineer, administrator.
void add_user(const HeadSettings& settings, const std::string& login, const std::string& role,
              const std::string& password, const std::string& actor, Random& random, Instant now);

/// The log-in name of the person at this terminal.
std::string terminal_user();

}  // namespace wattmesh::headend::admin
