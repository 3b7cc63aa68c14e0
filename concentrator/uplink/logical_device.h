#pragma once
#include <functional>

#include "concentrator/journal/journal_store.h"
#include "concentrator/uplink/image_shelf.h"
#include "concentrator/uplink/versioned_objects.h"
#include "protocol/dcu/uplink_state.h"
#include "protocol/dlms/object.h"

namespace wattmesh::concentrator {

/// What the logical device asks of the rest of the concentrator.
struct DevicePorts {
    ImageShelf* images = nullptr;  ///< outlives the device
    std::function<std::vector<dcu::TopologyNode>()> topology;
    std::function<dcu::Statistics()> statistics;
    std::function<dcu::UplinkState()> uplink;
    std::function<std::pair<Instant, bool /*doubtful*/>()> time;
    std::function<void(Instant truth)> set_time;
    std::function<void(const ObisCode& changed)> objects_changed;
    VersionedObjects::ReadAgain read_again;
    std::function<JournalId()> new_journal_id;
    /// PKCS#10 DER for the renewal of our certificate; empty: cannot now.
    std::function<Buffer()> certificate_request;
    /// False: it does not belong to our request, or could not be kept.
    std::function<void(Buffer certificate_der, std::function<void(bool)> done)> install_certificate;
};

/// Logical device 1 of the concentrator: journals, versioned objects, clock, topology, statistics, image
/// transfer (protocol/dcu/objects.h), for any DLMS client that the uplink lets in.
class LogicalDevice final : public dlms::ObjectModel {
public:
    LogicalDevice(DeviceNumber number, JournalStore& store, VersionedObjects& objects, DevicePorts ports);

    void get(const dlms::AttributeId& id, const dlms::Selection& selection, Sap client, Instant now,
             std::function<void(dlms::ReadOutcome)> done) override;
    void set(const dlms::AttributeId& id, const dlms::Data& value, Sap client, Instant now,
             std::function<void(dlms::AccessResult)> done) override;
    void act(const dlms::MethodId& id, const std::optional<dlms::Data>& argument, Sap client, Instant now,
             std::function<void(dlms::ActionOutcome)> done) override;

private:
    using ReadDone = std::function<void(dlms::ReadOutcome)>;
    void get_data(const ObisCode& object, ReadDone done);
    void get_journal(const dlms::AttributeId& id, const dlms::Selection& selection, ReadDone done);
    void acknowledge(const dlms::Data& value, std::function<void(dlms::AccessResult)> done);
    dlms::ReadOutcome clock(std::int8_t attribute) const;
    dlms::Data object_list() const;

    DeviceNumber number_;
    JournalStore& store_;
    VersionedObjects& objects_;
    DevicePorts ports_;
};

/// Columns of a journal; the first one is what `dcu::entries_after` selects by.
std::vector<dlms::CaptureObject> journal_columns();
inline constexpr std::uint32_t journal_rows_max = 1'000;  ///< of one answer, whatever was asked
inline constexpr std::size_t journal_octets_max = 256 * 1'024;

}  // namespace wattmesh::concentrator
