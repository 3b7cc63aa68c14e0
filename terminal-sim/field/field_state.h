#pragma once
#include <filesystem>
#include <map>
#include <optional>

#include "protocol/base/id.h"
#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

/// What a field must find again after a restart: when its meters were installed, what was done to them, and
/// what their radio modules keep in non-volatile memory. Counters live in a file of their own.
struct FieldState {
    struct Device {
        std::vector<Deed> deeds;
        Buffer node;
    };
    /// What a collector keeps over power cuts, and who hangs on its wire.
    struct Collector {
        Buffer table;
        std::vector<DeviceNumber> meters;
    };
    Instant installed_at{};
    std::map<DeviceNumber, Device> devices;
    std::map<DeviceNumber, Collector> collectors{};
};

Buffer encode(const FieldState& state);
Result<FieldState> decode_field_state(Bytes bytes);

/// Nothing when the file is not there. Throws std::runtime_error naming the file when it is damaged.
std::optional<FieldState> read_field_state(const std::filesystem::path& file);

}  // namespace wattmesh::sim
