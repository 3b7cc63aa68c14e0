#include "headend/console/context.h"

#include "headend/database/audit_log.h"

namespace wattmesh::headend::console {

void Context::audit(database::Connection& connection, const std::string& actor, const std::string& action,
                    const std::string& subject, const std::string& detail) {
    database::Transaction transaction{connection};
    database::AuditLog{connection}.append(now(), actor, action, subject, detail);
    transaction.commit();
}

}  // namespace wattmesh::headend::console
