#pragma once
#include <string>
#include <vector>

#include "headend/command_line.h"
#include "headend/database/audit_log.h"
#include "headend/database/contracts.h"

/// Parts of `headend partner`.
namespace wattmesh::headend {

/// Throws, naming it, when there is no such contract.
database::Contract known_contract(Desk& desk, const std::string& name);
/// With who, when and --reason.
database::AuditRecord partner_record(Desk& desk, const char* action, const std::string& subject,
                                     TenantId tenant);

/// A program of the partner: prints its id and secret, once.
int add_client(Desk& desk, const std::string& partner);
int revoke_client(Desk& desk, const std::string& name);
int list_clients(Desk& desk);
/// How the partner writes IEC 61968-9, and where replies may be sent.
int set_cim(Desk& desk, const std::string& partner);
std::vector<std::string> list_in(const std::string& text);

}  // namespace wattmesh::headend
