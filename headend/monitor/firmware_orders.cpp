#include "headend/monitor/firmware_orders.h"

#include <algorithm>

#include "headend/database/audit_log.h"
#include "headend/monitor/firmware_activation.h"
#include "protocol/cosem/image_file.h"

namespace wattmesh::headend::monitor {
namespace {

using Why = FirmwareRefused::Why;
constexpr std::size_t firmware_file_size_max = 720 * 1'024;  // what the mesh and a concentrator carry
constexpr std::size_t refused_named_max = 20;

void note_firmware(database::Connection& connection, const FirmwareAsker& asker, Instant now,
                   const std::string& verb, const std::string& object, const std::string& detail) {
    database::AuditRecord record{now, asker.name, verb, object};
    record.detail = detail;
    record.reason = asker.reason;
    record.tenant = asker.tenant;
    database::AuditLog{connection}.append(record);
}

std::string names_of(const std::vector<DeviceNumber>& meters) {
    std::string names;
    for (std::size_t i = 0; i < std::min(meters.size(), refused_named_max); ++i)
        names += (i == 0 ? "" : ", ") + to_string(meters[i]);
    if (meters.size() > refused_named_max)
        names += " and " + std::to_string(meters.size() - refused_named_max) + " more";
    return names;
}

database::FirmwareImage wanted_image(database::Connection& connection, const FirmwareAsker& asker,
                                     database::FirmwareImageId id) {
    auto image = database::Firmware{connection}.image(asker.tenant, id);
    if (!image)
        throw FirmwareRefused{Why::unknown, "There is no firmware image " + std::to_string(id.value) + "."};
    return *std::move(image);
}

std::string count_of(std::size_t meters) {
    return std::to_string(meters) + (meters == 1 ? " meter" : " meters");
}

database::JobId add_job(database::Connection& connection, const FirmwareAsker& asker, database::Job& job,
                        const std::vector<DeviceNumber>& meters) {
    job.requested_by = asker.name;
    job.reason = asker.reason;
    std::vector<std::string> subjects;
    subjects.reserve(meters.size());
    for (const auto& meter : meters) subjects.push_back(to_string(meter));
    const auto id = database::Jobs{connection}.add(job, subjects);
    note_firmware(
        connection, asker, job.created, "job " + job.kind, "job " + std::to_string(id.value),
        job.title + (job.state == database::JobState::proposed ? ", waits for a second person" : ""));
    return id;
}

}  // namespace

void add_firmware_vendor(database::Connection& connection, const FirmwareAsker& asker,
                         const std::string& name, const std::string& key_hex, Instant now) {
    const auto key = from_hex(key_hex);
    if (!key || key->size() != 64)
        throw FirmwareRefused{Why::malformed,
                              "A vendor's public key has 128 hexadecimal digits: x and y on P-256."};
    database::Transaction transaction{connection};
    const bool added = database::Firmware{connection}.add_vendor({.id = 0,
                                                                  .tenant = asker.tenant,
                                                                  .name = name,
                                                                  .public_key = *key,
                                                                  .added = now,
                                                                  .added_by = asker.name});
    if (!added) throw FirmwareRefused{Why::conflict, "The name '" + name + "' or this key is known already."};
    note_firmware(connection, asker, now, "firmware vendor", name, "key " + key_hex.substr(0, 16) + "...");
    transaction.commit();
}

database::FirmwareImage keep_firmware_image(database::Connection& connection, Ciphers& ciphers,
                                            const FirmwareAsker& asker, Bytes file, Instant now) {
    if (file.size() > firmware_file_size_max)
        throw FirmwareRefused{Why::malformed, "The file has " + std::to_string(file.size()) +
                                                  " octets; over the mesh go at most " +
                                                  std::to_string(firmware_file_size_max) + "."};
    database::Firmware firmware{connection};
    database::FirmwareImage kept;
    std::optional<Error> fault;
    for (const auto& vendor : firmware.vendors(asker.tenant)) {
        const auto image = cosem::SignedImage::open(file, vendor.public_key, ciphers);
        if (!image) {
            fault = image.error();
            continue;
        }
        kept.vendor = vendor.id;
        kept.vendor_name = vendor.name;
        kept.model = image->header().model;
        kept.version = image->header().version;
    }
    if (kept.vendor == 0) {
        const bool unsigned_by_us = !fault || fault->fault == Fault::not_authentic;
        throw FirmwareRefused{Why::malformed,
                              unsigned_by_us
                                  ? "No vendor whose key is known here has signed this file."
                                  : "This is no firmware image: " + std::string{to_string(fault->fault)} +
                                        " at octet " + std::to_string(fault->offset) + "."};
    }
    kept.tenant = asker.tenant;
    kept.digest = ciphers.digest(Digest::sha256, file);
    kept.size = static_cast<int>(file.size());
    kept.uploaded = now;
    kept.uploaded_by = asker.name;
    kept.reason = asker.reason;
    database::Transaction transaction{connection};
    const auto id = firmware.add_image(kept, file);
    if (!id) throw FirmwareRefused{Why::conflict, "This very file is there already."};
    kept.id = *id;
    note_firmware(
        connection, asker, now, "firmware upload", "image " + std::to_string(id->value),
        kept.model + " " + kept.version + " by " + kept.vendor_name + ", SHA-256 " + to_hex(kept.digest));
    transaction.commit();
    return kept;
}

database::JobId order_firmware(database::Connection& connection, const FirmwareAsker& asker,
                               database::Job job, database::FirmwareImageId image,
                               const std::vector<DeviceNumber>& meters) {
    database::Transaction transaction{connection};
    const auto wanted = wanted_image(connection, asker, image);
    database::Firmware firmware{connection};
    if (const auto roadless = firmware.without_mesh(meters); !roadless.empty())
        throw FirmwareRefused{Why::conflict, "Nothing was ordered. No concentrator has these meters: " +
                                                 names_of(roadless) + "."};
    if (const auto ordered = firmware.ordered(meters); !ordered.empty())
        throw FirmwareRefused{Why::conflict,
                              "Nothing was ordered. An open order is about these meters already: " +
                                  names_of(ordered) + ". Wait for its end, or cancel it."};
    job.kind = "firmware";
    job.title = "Firmware " + wanted.version + " to " + count_of(meters.size());
    job.parameters = R"({"image":)" + std::to_string(image.value) + "}";
    const auto id = add_job(connection, asker, job, meters);
    firmware.order(id, image, meters);
    transaction.commit();
    return id;
}

database::JobId order_activation(database::Connection& connection, const FirmwareAsker& asker,
                                 database::Job job, database::FirmwareImageId image,
                                 const std::vector<DeviceNumber>& meters, Instant at) {
    database::Transaction transaction{connection};
    const auto wanted = wanted_image(connection, asker, image);
    if (at >= job.deadline) throw FirmwareRefused{Why::malformed, "The time of activation is too far away."};
    job.kind = "firmware_activation";
    job.title = "Activate firmware " + wanted.version + " on " + count_of(meters.size());
    job.parameters = ActivationOrder{image, at}.to_json();
    const auto id = add_job(connection, asker, job, meters);
    transaction.commit();
    return id;
}

}  // namespace wattmesh::headend::monitor
