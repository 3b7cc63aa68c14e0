#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "headend/database/connection.h"

namespace wattmesh::headend::database {

/// A few connections for threads that may block (HTTP handlers, workers). Thread safe.
class ConnectionPool {
public:
    ConnectionPool(const DatabaseSettings& settings, std::size_t size);

    /// Gives the connection back when it goes.
    class Lease {
    public:
        Lease(ConnectionPool& pool, Connection& connection) : pool_(&pool), connection_(&connection) {}
        Lease(Lease&& other) noexcept
            : pool_(other.pool_), connection_(std::exchange(other.connection_, nullptr)) {}
        Lease& operator=(Lease&&) = delete;
        ~Lease() {
            if (connection_ != nullptr) pool_->give_back(*connection_);
        }
        Connection& operator*() const { return *connection_; }
        Connection* operator->() const { return connection_; }

    private:
        ConnectionPool* pool_;
        Connection* connection_;
    };

    /// Waits for a free connection; throws DatabaseError unavailable after `wait`.
    Lease lease(Duration wait = std::chrono::seconds{5});

private:
    void give_back(Connection& connection);

    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<Connection*> free_;
};

}  // namespace wattmesh::headend::database
