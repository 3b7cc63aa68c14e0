#include "headend/monitor/guarded_protection.h"

namespace {

using namespace wattmesh;

struct Through : dlms::Protection {
    std::optional<Buffer> protect(Bytes apdu) override { return to_buffer(apdu); }
    Result<Buffer> open(Bytes apdu) override { return to_buffer(apdu); }
    Result<Bytes> open_in_place(std::span<std::uint8_t> apdu) override { return Bytes{apdu}; }
    std::size_t protected_size(std::size_t plain_size) const override { return plain_size; }
    std::optional<Buffer> prove(const dlms::Challenges&) override { return std::nullopt; }
    bool verify(const dlms::Challenges&, Bytes) override { return false; }
    void set_peer(SystemTitle) override {}
};

}  // namespace

/// What the key service decides about plain requests: APDUs one after another, each after its length.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh::headend::monitor;
    int granted = 0;
    GuardedProtection guard{std::make_unique<Through>(), Role::management, 2, [](const std::string&) {}};
    GuardedProtection reading{std::make_unique<Through>(), Role::reading, 0, [](const std::string&) {}};
    Bytes rest{data, size};
    while (rest.size() > 1) {
        const Bytes apdu = rest.subspan(1, std::min<std::size_t>(rest[0], rest.size() - 1));
        rest = rest.subspan(1 + apdu.size());
        static_cast<void>(reading.protect(apdu));
        if (!guard.protect(apdu)) continue;
        const auto plan = request_plan(apdu);
        if (!plan) __builtin_trap();
        for (const auto& operation : plan->operations) granted += can_disconnect(operation) ? 1 : 0;
        if (granted > 2) __builtin_trap();
    }
    return 0;
}
