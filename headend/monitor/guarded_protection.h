#pragma once
#include <functional>
#include <memory>
#include <string>

#include "headend/monitor/role_rules.h"
#include "protocol/dlms/protection.h"

namespace wattmesh::headend::monitor {

/// A protection that looks at each plain APDU before it is ciphered: what does not decode, what the role may
/// not do, and disconnects beyond the granted number are refused (protect() gives nothing). The keys stay
/// inside.
class GuardedProtection final : public dlms::Protection {
public:
    /// Why something was refused, for log and audit; never holds values. Called from protect().
    using Refused = std::function<void(const std::string& why)>;

    /// `disconnects`: how many operations that can open the breaker may be ciphered in the life of this
    /// object; they were counted when they were granted, used or not.
    GuardedProtection(std::unique_ptr<dlms::Protection> inner, Role role, int disconnects, Refused refused);

    std::optional<Buffer> protect(Bytes apdu) override;
    Result<Buffer> open(Bytes apdu) override { return inner_->open(apdu); }
    Result<Bytes> open_in_place(std::span<std::uint8_t> apdu) override { return inner_->open_in_place(apdu); }
    std::size_t protected_size(std::size_t plain_size) const override {
        return inner_->protected_size(plain_size);
    }
    std::optional<Buffer> prove(const dlms::Challenges& challenges) override {
        return inner_->prove(challenges);
    }
    bool verify(const dlms::Challenges& challenges, Bytes proof) override {
        return inner_->verify(challenges, proof);
    }
    void set_peer(SystemTitle peer) override { inner_->set_peer(peer); }
    std::optional<std::uint32_t> expected_counter() const override { return inner_->expected_counter(); }
    // Keys from outside are not taken (the port's own answers): whoever has one could cipher without us.

private:
    /// Values of one request, perhaps in blocks.
    struct Transfer {
        DisconnectorNames names;
        bool covered = false;  ///< the request took a grant, or its values cannot disconnect
    };
    std::string check(Bytes apdu);
    std::string check_values(const RequestPlan& plan);

    std::unique_ptr<dlms::Protection> inner_;
    Role role_;
    int disconnects_;
    Refused refused_;
    std::optional<Transfer> transfer_;  ///< while further blocks may come
};

}  // namespace wattmesh::headend::monitor
