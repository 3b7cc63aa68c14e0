#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "terminal-sim/tool/machine_talk.h"

namespace wattmesh::sim {

/// A sale that was paid for, or is about to be.
struct MachineOrder {
    std::string key, terminal, meter;
    std::int64_t tender = 0;  ///< in the smallest coin
    std::string body() const;
};

/// How a sale, or a try of one, ended.
struct MachineOutcome {
    enum class State { sold, refused, not_known } state{};
    std::string reason{};  ///< unless sold: one word
    std::string text{};    ///< for people
    std::string receipt{};
};

/// What a vending machine does with money, and in which order: it keeps none before vending has just
/// answered, and what it kept is sold by its key, over restarts too.
class MachineTill {
public:
    /// `state`: the file of the order that has no end yet. Throws security::FileError when it is there and
    /// unreadable.
    MachineTill(MachineTalk& talk, Random& random, std::string terminal, std::filesystem::path state);

    const std::optional<MachineOrder>& pending() const { return pending_; }
    /// What this would buy. Sold: vending would sell it, `receipt` is the quote.
    MachineOutcome quote(const std::string& meter, std::int64_t tender);
    /// The money is kept from now on: the order is durable before anything is asked. Not with one pending.
    void keep(const std::string& meter, std::int64_t tender);
    /// One try of the pending order. Sold or refused, the order is over once forget() is called.
    MachineOutcome sell();
    void forget();
    /// The customer has the receipt.
    MachineOutcome confirm(std::int64_t sale);

private:
    MachineOutcome ask(const std::string& path, const std::string& body, const std::string& key);

    MachineTalk& talk_;
    Random& random_;
    std::string terminal_;
    std::filesystem::path state_;
    std::optional<MachineOrder> pending_;
};

}  // namespace wattmesh::sim
