#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

enum class QuarantineKind {
    device,
    entry,
    conflict
};  ///< device: asked to join or called in and is not on the books

struct QuarantineItem {
    QuarantineKind kind{};
    Instant at{};
    std::optional<DeviceNumber> concentrator, meter;
    std::string reason, detail;
};

/// What was taken in but not trusted. Read only.
class QuarantineReader {
public:
    explicit QuarantineReader(Connection& connection) : connection_(connection) {}

    /// Devices that asked to join or called in and are not registered.
    std::int64_t devices();
    /// Newest first.
    std::vector<QuarantineItem> list(std::optional<QuarantineKind> only, int count_max);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
