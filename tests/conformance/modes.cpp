#include "tests/conformance/bench.h"

namespace wattmesh::conformance {

using namespace dlms;

namespace {

Key128 key(std::uint8_t octet) {
    std::array<std::uint8_t, 16> octets;
    octets.fill(octet);
    return Key128{octets};
}

void both(ClientConfig& config, ClientAccess& access, Mechanism mechanism, bool ciphered) {
    config.mechanism = access.mechanism = mechanism;
    config.ciphered = access.ciphered = ciphered;
    if (mechanism == Mechanism::low) config.password = access.password = to_buffer(as_bytes("12345678"));
    if (ciphered || mechanism > Mechanism::low) config.keys = access.keys = ClientKeys{key(1), key(2)};
}

}  // namespace

const std::vector<Mode>& modes() {
    static const std::vector<Mode> all{
        {"no security", [](auto& config, auto& access) { both(config, access, Mechanism::none, false); }},
        {"LLS", [](auto& config, auto& access) { both(config, access, Mechanism::low, false); }},
        {"HLS-GMAC", [](auto& config, auto& access) { both(config, access, Mechanism::high_gmac, false); }},
        {"suite 0 glo, LLS", [](auto& config, auto& access) { both(config, access, Mechanism::low, true); },
         true},
        {"suite 0 glo, HLS-GMAC",
         [](auto& config, auto& access) { both(config, access, Mechanism::high_gmac, true); }, true},
        {"suite 0 glo, pre-established",
         [](auto& config, auto& access) {
             both(config, access, Mechanism::none, true);
             config.pre_established = access.pre_established = true;
         },
         true},
    };
    return all;
}

}  // namespace wattmesh::conformance
