#pragma once
#include <algorithm>
#include <memory>

#include "concentrator/journal/journal_store.h"
#include "protocol/dlms/client.h"

namespace wattmesh::concentrator {

/// Counters to send with, from blocks that are durable: it hands out what was granted and nothing else.
class ReservedCounter final : public CounterStore {
public:
    std::optional<std::uint32_t> next() override {
        if (next_ >= limit_) return std::nullopt;
        return next_++;
    }
    bool accept(std::uint32_t) override { return false; }
    /// Within what was granted; a higher value uses the grant up.
    void raise(std::uint32_t next) override { next_ = std::max(next_, std::min(next, limit_)); }
    /// A block that follows all earlier ones.
    void grant(std::uint32_t first, std::uint32_t limit) {
        next_ = first;
        limit_ = limit;
    }
    std::uint32_t left() const { return limit_ - next_; }

private:
    std::uint32_t next_ = 0, limit_ = 0;
};

/// Highest counter accepted; the engine makes it durable together with what the message brought.
class ReceivedFloor final : public CounterStore {
public:
    std::optional<std::uint32_t> next() override { return std::nullopt; }
    bool accept(std::uint32_t received) override {
        if (received <= highest_) return false;
        highest_ = received;
        return true;
    }
    void raise(std::uint32_t) override {}
    void raise_floor(std::uint32_t floor) {
        if (floor > highest_) highest_ = floor;
    }
    std::uint32_t highest() const { return highest_; }

private:
    std::uint32_t highest_ = 0;
};

/// Keys of the reading client of one meter, and of its place in the mesh.
struct MeterKeys {
    dlms::ClientKeys reading;
    Key128 join;
};

/// Our pre-established, ciphered association with one meter as its reading client.
class MeterTalk {
public:
    /// `titled`: every request says who we are, which a meter must be told that knows another concentrator.
    MeterTalk(const DeviceNumber& meter, const dlms::ClientKeys& keys, SystemTitle own, bool titled,
              Ciphers& ciphers, Random& random);

    /// Of the encryption key, which counters belong to.
    const KeyCheck& key_check() const { return key_check_; }
    bool titled() const { return titled_; }
    bool has(const dlms::ClientKeys& keys) const;
    dlms::Client& client() { return client_; }
    ReservedCounter& send() { return send_; }
    ReceivedFloor& received() { return received_; }
    bool reserving = false;  ///< a block of counters was asked for and has not come yet
    bool timed = false;      ///< the block in use begins above what trusted time says

private:
    dlms::ClientKeys keys_;
    bool titled_;
    KeyCheck key_check_{};
    ReservedCounter send_;
    ReceivedFloor received_;
    dlms::Client client_;
};

}  // namespace wattmesh::concentrator
