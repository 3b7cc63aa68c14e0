#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "headend/database/jobs.h"
#include "protocol/base/id.h"
#include "protocol/dcu/firmware.h"

namespace wattmesh::headend::database {

using FirmwareImageId = Id<struct FirmwareImageTag, std::int64_t>;

/// Whose signature makes an image one of ours.
struct FirmwareVendor {
    std::int64_t id = 0;
    TenantId tenant{};
    std::string name;
    Buffer public_key;  ///< x || y on P-256
    Instant added{};
    std::string added_by;
};
struct FirmwareImage {
    FirmwareImageId id{};
    TenantId tenant{};
    std::int64_t vendor = 0;
    std::string vendor_name{};
    Buffer digest;  ///< SHA-256 of the file
    std::string model, version;
    int size = 0;  ///< octets of the file
    Instant uploaded{};
    std::string uploaded_by, reason;
};
/// How far a meter is with the image of an order.
struct FirmwareMeter {
    DeviceNumber meter;
    std::optional<DeviceNumber> concentrator;  ///< that has it now
    std::string state;                         ///< waiting, receiving, verified, failed, refused
    int blocks = 0, missing = 0;
    std::string trouble;
    std::optional<Instant> told;
    std::string running;  ///< the version it showed when it was last read; empty: not yet
    std::optional<Instant> running_read;
};
/// The image on its way to a concentrator.
struct FirmwareSupply {
    DeviceNumber concentrator;
    std::string state;  ///< initiated, sending, verified, failed
    int blocks_done = 0, blocks = 0;
    std::string reason;
    Instant changed{};
};
struct FirmwareCount {
    std::string state;
    int meters = 0;
};
/// What an item of a job must know.
struct FirmwareTask {
    FirmwareImage image;
    FirmwareMeter meter;
    std::string cosem_model;  ///< of protocol/cosem/models; empty: the generic one
    std::string supply;       ///< where the image is on its way to the meter's concentrator; for people
};

/// Tables firmware_*.
class Firmware {
public:
    explicit Firmware(Connection& connection) : connection_(connection) {}

    /// False: the name or the key is there already.
    bool add_vendor(const FirmwareVendor& vendor);
    std::vector<FirmwareVendor> vendors(TenantId tenant);
    /// Nothing: this file is there already.
    std::optional<FirmwareImageId> add_image(const FirmwareImage& image, Bytes content);
    std::vector<FirmwareImage> images(TenantId tenant);
    std::optional<FirmwareImage> image(TenantId tenant, FirmwareImageId id);

    /// Of these meters, those that an open order is about.
    std::vector<DeviceNumber> ordered(const std::vector<DeviceNumber>& meters);
    /// Of these meters, those that are not behind a concentrator.
    std::vector<DeviceNumber> without_mesh(const std::vector<DeviceNumber>& meters);
    void order(JobId job, FirmwareImageId image, const std::vector<DeviceNumber>& meters);
    std::optional<FirmwareImage> image_of(JobId job);
    std::vector<FirmwareCount> counts(JobId job);
    /// Of one state, or of all; by number, those above `after`.
    std::vector<FirmwareMeter> meters(JobId job, const std::string& state, DeviceNumber after, int count);
    std::vector<FirmwareSupply> supplies(JobId job);
    std::optional<FirmwareMeter> of_meter(DeviceNumber meter);
    /// `job`: an order of a distribution; nothing when it is not about this meter.
    std::optional<FirmwareTask> task(JobId job, DeviceNumber meter);
    /// `image` in any order.
    std::optional<FirmwareTask> task(FirmwareImageId image, DeviceNumber meter);
    void runs(DeviceNumber meter, const std::string& version, Instant read);

    /// What a concentrator shall distribute now: of the orders that run, the first with a meter there that is
    /// not done. Nothing: no order.
    std::optional<dcu::FirmwareOrder> due(ConcentratorId concentrator);

private:
    Connection& connection_;
};

/// The front-end's side of the same tables.
class FirmwareRoad {
public:
    explicit FirmwareRoad(Connection& connection) : connection_(connection) {}

    struct Wanted {
        Buffer digest, content;  ///< content empty when the digest is `settled`
        bool initiated = false;  ///< it was begun at this concentrator, and nothing else since
    };
    std::optional<Wanted> wanted(DeviceNumber concentrator, const Buffer& settled);
    void supplied(Bytes digest, const FirmwareSupply& supply);
    void told(DeviceNumber meter, ConcentratorId concentrator, const dcu::ImageTold& told, Instant at);

private:
    Connection& connection_;
};

}  // namespace wattmesh::headend::database
