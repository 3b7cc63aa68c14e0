#pragma once
#include <stdexcept>

#include "headend/database/firmware.h"
#include "protocol/base/cipher.h"

namespace wattmesh::headend::monitor {

/// What a person asked for and cannot have; `what()` is for that person.
struct FirmwareRefused : std::runtime_error {
    enum class Why { malformed, unknown, conflict } why;
    FirmwareRefused(Why reason, const std::string& text) : std::runtime_error(text), why(reason) {}
};
/// Who asks, for the audit log.
struct FirmwareAsker {
    TenantId tenant{};
    std::string name, reason;
};

/// Keeps a vendor's public key (x || y on P-256): images with its signature are ours from now on. Audited.
/// All of these throw FirmwareRefused and own their transaction.
void add_firmware_vendor(database::Connection& connection, const FirmwareAsker& asker,
                         const std::string& name, const std::string& key_hex, Instant now);
/// Keeps an image file whose signature is of a known vendor. Audited.
database::FirmwareImage keep_firmware_image(database::Connection& connection, Ciphers& ciphers,
                                            const FirmwareAsker& asker, Bytes file, Instant now);
/// Orders that these meters get the image: `job` has scope, state and deadline. Meters that an open order is
/// about, or that no concentrator has, are refused by name, and nothing is ordered. Audited.
database::JobId order_firmware(database::Connection& connection, const FirmwareAsker& asker,
                               database::Job job, database::FirmwareImageId image,
                               const std::vector<DeviceNumber>& meters);
/// Orders that these meters run the image that they hold, not before `at`. Audited.
database::JobId order_activation(database::Connection& connection, const FirmwareAsker& asker,
                                 database::Job job, database::FirmwareImageId image,
                                 const std::vector<DeviceNumber>& meters, Instant at);

}  // namespace wattmesh::headend::monitor
