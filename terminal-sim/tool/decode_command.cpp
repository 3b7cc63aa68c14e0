#include <cstdio>

#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/layers.h"

namespace wattmesh::sim {

int run_decode(const Call& call) {
    std::string text;
    for (const auto& word : call.words) text += word + " ";
    if (text.empty()) throw platform::SettingsError("nothing to decode; give octets in hexadecimal");
    const auto octets = from_hex(text);
    if (!octets) throw platform::SettingsError("decode: that is not hexadecimal, two digits per octet");
    const LayerText layers = describe(*octets);
    std::fputs(layers.text.c_str(), stdout);
    return layers.whole ? 0 : 1;
}

}  // namespace wattmesh::sim
