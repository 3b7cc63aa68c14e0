#pragma once
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "headend/vending/pricing/money.h"

namespace wattmesh::headend::vending {

/// Cash and card ports of self-service machines, in memory, for demonstrations: what a machine does with real
/// ones, and what a person does in front of them. A machine's orders are named by their keys; every act may
/// be repeated. Thread safe. What was paid is forgotten with the process.
class SimulatedPorts {
public:
    enum class Payment : std::uint8_t { none, taken, refused, refunded };

    /// Lets money in for an order: cash up to `amount`, or a card that pays it.
    void open(const std::string& terminal, bool card, const std::string& key, pricing::Money amount);
    /// A person puts a note in. False: the port is closed, or it would be more than it takes.
    bool insert(const std::string& terminal, pricing::Money note);
    /// A person holds a card to the reader, which accepts it or not. False: no card is waited for.
    bool present_card(const std::string& terminal, bool good);
    /// What was put in and neither kept nor given back.
    pricing::Money inserted(const std::string& terminal);
    /// Lets nothing more in; what was put in stays.
    void close(const std::string& terminal);
    /// Keeps what was put in for the order, when it is `amount`. Otherwise as it stood.
    Payment take(const std::string& terminal, const std::string& key, pricing::Money amount);
    Payment payment(const std::string& terminal, const std::string& key);
    /// Closes the ports; what was put in and not kept falls out again.
    void give_back(const std::string& terminal);
    /// Gives back what was kept for the order.
    void refund(const std::string& terminal, const std::string& key);

private:
    struct Ports {
        bool cash_open = false, card_open = false;
        pricing::Money most, inserted;
        std::string card_key;
        std::map<std::string, Payment> payments;
    };
    static constexpr std::size_t terminals_max = 100, payments_max = 10'000;
    Ports& of(const std::string& terminal);

    std::mutex mutex_;
    std::map<std::string, Ports> ports_;
};
std::string_view to_string(SimulatedPorts::Payment payment);

}  // namespace wattmesh::headend::vending
