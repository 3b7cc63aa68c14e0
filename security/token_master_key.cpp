#include "security/token_master_key.h"

#include <algorithm>

namespace wattmesh::security {

Key256 TokenMasterKey::key_for(std::string_view purpose) const {
    constexpr std::string_view label = "wattmesh key wrap 1";
    std::array<std::uint8_t, 32> out{};
    for (std::uint8_t block = 1; block <= 2; ++block) {
        Buffer message{0, 0, 0, block};  // [i], 32 bits
        message.insert(message.end(), label.begin(), label.end());
        message.push_back(0);
        message.insert(message.end(), purpose.begin(), purpose.end());
        message.insert(message.end(), {0, 0, 1, 0});  // [L], bits
        auto part = key_->cmac(message);
        std::copy(part.begin(), part.end(), out.begin() + 16 * (block - 1));
        wipe(part);
    }
    const Key256 derived{out};
    wipe(out);
    return derived;
}

}  // namespace wattmesh::security
