#include "terminal-sim/meter/key_file.h"

#include <stdexcept>
#include <utility>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "security/private_file.h"

namespace wattmesh::sim {
namespace {

constexpr std::uint32_t magic = 0x574D4B31;  // "WMK1"
constexpr std::size_t file_size_max = 16U << 20U;

}  // namespace

Result<KeyFile::Keys> KeyFile::decode(Bytes content) {
    Reader in{content};
    if (in.u32() != magic) in.fail_at(Fault::bad_version, 0);
    Keys keys;
    for (std::uint32_t left = in.u32(); left > 0 && in.ok(); --left) {
        const DeviceNumber number{in.array<6>()};
        const auto owner = in.u8(), kind = in.u8(), size = in.u8();
        const auto key = SymmetricKey::from(in.bytes(size));
        if (owner > static_cast<std::uint8_t>(KeyOwner::reading) ||
            kind > static_cast<std::uint8_t>(dlms::KeyKind::master) || !key)
            in.fail(Fault::bad_value);
        else
            keys[{number, static_cast<KeyOwner>(owner), static_cast<dlms::KeyKind>(kind)}] = *key;
    }
    in.expect_end();
    if (in.error()) return *in.error();
    return keys;
}

Buffer KeyFile::encode(const Keys& keys) {
    Writer out;
    out.u32(magic).u32(static_cast<std::uint32_t>(keys.size()));
    for (const auto& [place, key] : keys) {
        const auto& [number, owner, kind] = place;
        out.bytes(number.bcd).u8(static_cast<std::uint8_t>(owner)).u8(static_cast<std::uint8_t>(kind));
        out.u8(static_cast<std::uint8_t>(key.size())).bytes(key.reveal());
    }
    return out.take();
}

KeyFile::KeyFile(std::filesystem::path file) : file_(std::move(file)) {
    if (!std::filesystem::exists(file_)) return;
    const auto content = security::read_private_file(file_, file_size_max);
    auto keys = decode(content.reveal());
    if (!keys)
        throw std::runtime_error("key file " + file_.string() + ": is damaged (" +
                                 std::string{to_string(keys.error().fault)} + " at octet " +
                                 std::to_string(keys.error().offset) + "); give another --state folder");
    keys_ = std::move(*keys);
}

std::vector<dlms::TransferredKey> KeyFile::of(const DeviceNumber& meter, KeyOwner owner) const {
    std::vector<dlms::TransferredKey> found;
    for (auto at = keys_.lower_bound({meter, owner, dlms::KeyKind::unicast_encryption}); at != keys_.end();
         ++at) {
        const auto& [number, whose, kind] = at->first;
        if (number != meter || whose != owner) break;
        found.push_back({kind, at->second});
    }
    return found;
}

void KeyFile::put(const DeviceNumber& meter, KeyOwner owner, const std::vector<dlms::TransferredKey>& keys) {
    Keys fresh = keys_;
    for (const auto& key : keys) fresh.insert_or_assign({meter, owner, key.kind}, key.key);
    if (!file_.empty()) {
        const security::SecretBuffer content{encode(fresh)};
        security::write_private_file(file_, content.reveal());
    }
    keys_ = std::move(fresh);
}

}  // namespace wattmesh::sim
