#pragma once
#include <atomic>
#include <memory>

#include "headend/console/ports.h"
#include "headend/console/settings.h"
#include "headend/vending/seller.h"
#include "headend/vending/shopfront.h"

namespace wattmesh::headend::vending {

/// The vending role's own HTTP interface: it needs the database and the module, and nothing else of the
/// head-end. Everything passed in outlives it.
class Service {
public:
    struct Ports {
        const platform::Clock& clock;
        Random& random;
        Seller& seller;
        security::VendingModule& module;
        console::VerifyPassword verify;
        console::HashPassword hash;
        console::Log log;
        Shopfront front{};
        /// A second door, over TLS, for machines that are attached to concentrators.
        std::optional<console::ConsoleSettings> machines{};
    };
    /// Throws when the certificate or the description cannot be read.
    Service(console::ConsoleSettings settings, database::DatabaseSettings database, Ports ports);
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// Listens; throws, naming the address, when it cannot.
    void start();
    void stop();
    std::uint16_t port() const;
    /// Of the door for machines; 0: there is none.
    std::uint16_t machine_port() const;
    /// Sells from now on: the module was compared with the books. Before, sales are answered with 503.
    void set_ready() { ready_ = true; }

private:
    struct State;
    std::atomic<bool> ready_{false};
    std::unique_ptr<State> state_;
};

}  // namespace wattmesh::headend::vending
