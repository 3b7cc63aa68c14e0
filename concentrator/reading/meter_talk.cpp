#include "concentrator/reading/meter_talk.h"

#include <algorithm>

#include "protocol/dlms/key_rotation.h"

namespace wattmesh::concentrator {
namespace {

constexpr std::size_t transfer_size_max = 64 * 1'024;

dlms::ClientConfig config(const DeviceNumber& meter, const dlms::ClientKeys& keys, SystemTitle own,
                          bool titled) {
    dlms::ClientConfig config;
    if (titled) config.security.framing = dlms::Framing::general;
    config.ciphered = true;
    config.pre_established = true;
    config.keys = keys;
    config.own_title = own;
    config.server_title = system_title(meter);
    config.transfer_size_max = transfer_size_max;
    return config;
}

}  // namespace

MeterTalk::MeterTalk(const DeviceNumber& meter, const dlms::ClientKeys& keys, SystemTitle own, bool titled,
                     Ciphers& ciphers, Random& random)
    : keys_(keys),
      titled_(titled),
      client_(config(meter, keys, own, titled), ciphers, random, send_, received_) {
    const auto mac =
        ciphers.mac(*Key128::from(keys.encryption.reveal()))->compute(as_bytes("wattmesh reading key check"));
    std::copy_n(mac.begin(), key_check_.size(), key_check_.begin());
}

bool MeterTalk::has(const dlms::ClientKeys& keys) const {
    return dlms::holds(keys_, dlms::KeyKind::unicast_encryption, keys.encryption) &&
           dlms::holds(keys_, dlms::KeyKind::authentication, keys.authentication);
}

}  // namespace wattmesh::concentrator
