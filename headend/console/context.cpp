#include "headend/console/context.h"

namespace wattmesh::headend::console {

database::ConnectionPool::Lease Context::lease(const database::Scope& scope) {
    auto lease = pool.lease();
    database::limit(*lease, scope);
    return lease;
}

void Context::audit(database::Connection& connection, database::AuditRecord record) const {
    record.at = now();
    database::AuditLog{connection}.append(record);
}

}  // namespace wattmesh::headend::console
