#include "headend/vending/simulated_ports.h"

#include <array>

namespace wattmesh::headend::vending {

std::string_view to_string(SimulatedPorts::Payment payment) {
    constexpr std::array<std::string_view, 4> words{"none", "taken", "refused", "refunded"};
    return words[static_cast<std::size_t>(payment)];
}

SimulatedPorts::Ports& SimulatedPorts::of(const std::string& terminal) {
    if (ports_.size() >= terminals_max && ports_.count(terminal) == 0) ports_.clear();
    auto& ports = ports_[terminal];
    if (ports.payments.size() >= payments_max) ports.payments.clear();
    return ports;
}

void SimulatedPorts::open(const std::string& terminal, bool card, const std::string& key,
                          pricing::Money amount) {
    const std::lock_guard lock{mutex_};
    auto& ports = of(terminal);
    ports.cash_open = !card;
    ports.card_open = card;
    ports.most = amount;
    ports.card_key = card ? key : std::string{};
}

bool SimulatedPorts::insert(const std::string& terminal, pricing::Money note) {
    const std::lock_guard lock{mutex_};
    auto& ports = of(terminal);
    if (!ports.cash_open || note <= pricing::Money{} || ports.inserted + note > ports.most) return false;
    ports.inserted += note;
    return true;
}

bool SimulatedPorts::present_card(const std::string& terminal, bool good) {
    const std::lock_guard lock{mutex_};
    auto& ports = of(terminal);
    if (!ports.card_open) return false;
    ports.payments[ports.card_key] = good ? Payment::taken : Payment::refused;
    ports.card_open = false;
    return true;
}

pricing::Money SimulatedPorts::inserted(const std::string& terminal) {
    const std::lock_guard lock{mutex_};
    return of(terminal).inserted;
}

void SimulatedPorts::close(const std::string& terminal) {
    const std::lock_guard lock{mutex_};
    auto& ports = of(terminal);
    ports.cash_open = ports.card_open = false;
}

SimulatedPorts::Payment SimulatedPorts::take(const std::string& terminal, const std::string& key,
                                             pricing::Money amount) {
    const std::lock_guard lock{mutex_};
    auto& ports = of(terminal);
    auto& payment = ports.payments[key];
    if (payment == Payment::none && ports.inserted > pricing::Money{} && ports.inserted == amount) {
        payment = Payment::taken;
        ports.inserted = {};
        ports.cash_open = false;
    }
    return payment;
}

SimulatedPorts::Payment SimulatedPorts::payment(const std::string& terminal, const std::string& key) {
    const std::lock_guard lock{mutex_};
    auto& ports = of(terminal);
    const auto found = ports.payments.find(key);
    return found == ports.payments.end() ? Payment::none : found->second;
}

void SimulatedPorts::give_back(const std::string& terminal) {
    const std::lock_guard lock{mutex_};
    auto& ports = of(terminal);
    ports.cash_open = ports.card_open = false;
    ports.inserted = {};
}

void SimulatedPorts::refund(const std::string& terminal, const std::string& key) {
    const std::lock_guard lock{mutex_};
    auto& payment = of(terminal).payments[key];
    if (payment == Payment::taken) payment = Payment::refunded;
}

}  // namespace wattmesh::headend::vending
