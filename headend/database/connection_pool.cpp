#include "headend/database/connection_pool.h"

#include <cassert>

namespace wattmesh::headend::database {

ConnectionPool::ConnectionPool(const DatabaseSettings& settings, std::size_t size) {
    assert(size > 0);
    for (std::size_t i = 0; i < size; ++i) {
        connections_.push_back(std::make_unique<Connection>(settings));
        free_.push_back(connections_.back().get());
    }
}

ConnectionPool::Lease ConnectionPool::lease(Duration wait) {
    std::unique_lock lock{mutex_};
    if (!returned_.wait_for(lock, wait, [this] { return !free_.empty(); }))
        throw DatabaseError(Trouble::unavailable, "", "all database connections are busy");
    auto* connection = free_.back();
    free_.pop_back();
    return {*this, *connection};
}

void ConnectionPool::give_back(Connection& connection) {
    const std::lock_guard lock{mutex_};
    free_.push_back(&connection);
    returned_.notify_one();
}

}  // namespace wattmesh::headend::database
