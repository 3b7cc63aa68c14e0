#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "headend/database/contracts.h"

namespace wattmesh::headend::exchange {

/// What each contract may ask for: requests that are saved up for a minute at most, and streams at once.
/// Thread safe; of this process.
class RestBudget {
public:
    static constexpr int streams_max = 2;

    /// Nothing: go ahead. Otherwise how long until the next request may come. `now`: any clock of real time.
    std::optional<Duration> spend(database::ContractId contract, int per_minute, Instant now);

    /// Held while an answer is streamed.
    class Stream {
    public:
        Stream(RestBudget& budget, database::ContractId contract) : budget_(budget), contract_(contract) {}
        ~Stream() { budget_.end(contract_); }
        Stream(const Stream&) = delete;
        Stream& operator=(const Stream&) = delete;

    private:
        RestBudget& budget_;
        database::ContractId contract_;
    };
    /// Null when the contract has `streams_max` under way.
    std::shared_ptr<Stream> begin(database::ContractId contract);

private:
    struct Purse {
        double requests = 0;
        Instant at{};
    };
    void end(database::ContractId contract);

    std::mutex mutex_;
    std::map<database::ContractId, Purse> purses_;
    std::map<database::ContractId, int> streams_;
};

}  // namespace wattmesh::headend::exchange
