#pragma once
#include <filesystem>
#include <map>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/dlms/key_rotation.h"
#include "terminal-sim/meter/key_owner.h"

namespace wattmesh::sim {

/// Keys that came into meters by key transfer, of many meters in one file: plain, as a meter's memory holds
/// them, for the owner of the file only. What is put is in the file when put() returns, so a meter that is
/// killed and started again has the keys that it said it took.
class KeyFile {
public:
    /// In memory only.
    KeyFile() = default;
    /// Throws std::runtime_error naming the file when it is damaged or open to others.
    explicit KeyFile(std::filesystem::path file);

    std::vector<dlms::TransferredKey> of(const DeviceNumber& meter, KeyOwner owner) const;
    /// Throws security::FileError; then nothing is put.
    void put(const DeviceNumber& meter, KeyOwner owner, const std::vector<dlms::TransferredKey>& keys);

private:
    using Place = std::tuple<DeviceNumber, KeyOwner, dlms::KeyKind>;
    using Keys = std::map<Place, SymmetricKey>;
    static Result<Keys> decode(Bytes content);
    static Buffer encode(const Keys& keys);

    std::filesystem::path file_;
    Keys keys_;
};

}  // namespace wattmesh::sim
