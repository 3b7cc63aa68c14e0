#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/base/result.h"
#include "protocol/base/time.h"
#include "protocol/dlms/object.h"

/// The versioned objects of the concentrator's logical device (manufacturer-specific group B = 128). All are
/// class 1 (Data), attribute 2, a structure whose first element is the version (uint32). A write with a
/// version not above the stored one is refused (scope_of_access_violated) unless it is byte-identical.
namespace wattmesh::dcu {

namespace objects {
inline constexpr ObisCode meter_list{{0, 128, 96, 1, 0, 255}};
inline constexpr ObisCode wrapped_keys{{0, 128, 96, 2, 0, 255}};  ///< read back: version and SHA-256 only
inline constexpr ObisCode reading_plan{{0, 128, 96, 3, 0, 255}};
inline constexpr ObisCode limits{{0, 128, 96, 4, 0, 255}};
inline constexpr ObisCode backfill{{0, 128, 96, 5, 0, 255}};    ///< write only: ranges to read again
inline constexpr ObisCode topology{{0, 128, 96, 6, 0, 255}};    ///< read only: array of TopologyNode
inline constexpr ObisCode statistics{{0, 128, 96, 7, 0, 255}};  ///< read only: Statistics
inline constexpr ObisCode certificate_request{
    {0, 128, 96, 8, 0, 255}};  ///< read: PKCS#10 DER for renewal; write: the new certificate, DER
inline constexpr ObisCode uplink_state{{0, 128, 96, 9, 0, 255}};       ///< read only: UplinkState
inline constexpr ObisCode firmware_order{{0, 128, 96, 10, 0, 255}};    ///< FirmwareOrder
inline constexpr ObisCode firmware_image{{0, 0, 44, 0, 0, 255}};       ///< class 18; firmware.h
inline constexpr ObisCode journal_directory{{0, 128, 99, 2, 0, 255}};  ///< Data: array of JournalInfo
inline constexpr ObisCode journal_acknowledge{{0, 128, 99, 3, 0, 255}};
inline constexpr ObisCode journal(std::uint8_t slot) {
    return {{0, 128, 99, 1, slot, 255}};
}  ///< class 7, attribute 2
inline constexpr ObisCode journal_sequence{
    {0, 128, 99, 4, 0, 255}};  ///< first column of a journal: class 1, attribute 2
}  // namespace objects

/// SAPs of the head-end on the uplink, both with LD 1: replication and configuration run side by side.
inline constexpr Sap configuration_client{0x20}, replication_client{0x21};

/// summary: the transformer's own meter; collector: no meter, a mesh node with wired ones.
enum class MeterRole : std::uint8_t { customer = 0, summary = 1, collector = 2 };
/// Which of several concentrators has a meter. The head-end decides, by the meter's own join counter
/// (headend/frontend/lease.h); the default is a meter that has never been anywhere else.
struct MeterLease {
    std::uint32_t term = 0;  ///< counts its moves
    /// Not `here`: of the newest join elsewhere that the head-end knows of. Who has a later one has the
    /// meter, and the head-end will hear of it.
    std::uint32_t join_counter = 0;
    bool here = true;  ///< false: another concentrator has it; it may join all the same
    /// `here`: intervals of the load profile up to this instant are stored already. Epoch: not known.
    Instant stored_to{};
    friend bool operator==(const MeterLease&, const MeterLease&) = default;
};
struct ListedMeter {
    DeviceNumber number;
    MeterRole role{};
    MeterLease lease{};
    friend bool operator==(const ListedMeter&, const ListedMeter&) = default;
};
struct MeterList {
    std::uint32_t version = 0;
    std::vector<ListedMeter> meters;
    friend bool operator==(const MeterList&, const MeterList&) = default;
};
inline constexpr std::size_t meter_list_size_max = 1'024;
dlms::Data to_data(const MeterList& list);
Result<MeterList> meter_list_from_data(const dlms::Data& data);

/// Keys of one meter, wrapped under the concentrator's key-encryption key (RFC 3394 over reading EK ||
/// reading AK || mesh join key, 48 octets; wrapped 56). Of a collector: the mesh join key alone (wrapped 24).
struct WrappedMeterKeys {
    DeviceNumber number;
    Buffer wrapped;
    friend bool operator==(const WrappedMeterKeys&, const WrappedMeterKeys&) = default;
};
struct WrappedKeys {
    std::uint32_t version = 0;
    std::vector<WrappedMeterKeys> meters;
    friend bool operator==(const WrappedKeys&, const WrappedKeys&) = default;
};
dlms::Data to_data(const WrappedKeys& keys);
Result<WrappedKeys> wrapped_keys_from_data(const dlms::Data& data);

/// One planned profile: read every `period_s`, `delay_s` after the period's end, at most `rows_max` rows per
/// answer, back to `depth_s`.
struct PlannedProfile {
    ObisCode profile;
    std::uint32_t period_s = 900, delay_s = 20, depth_s = 30 * 86'400;
    std::uint8_t rows_max = 6;
    friend bool operator==(const PlannedProfile&, const PlannedProfile&) = default;
};
struct ReadingPlan {
    std::uint32_t version = 0;
    std::vector<PlannedProfile> profiles;
    friend bool operator==(const ReadingPlan&, const ReadingPlan&) = default;
};
dlms::Data to_data(const ReadingPlan& plan);
Result<ReadingPlan> reading_plan_from_data(const dlms::Data& data);

struct Limits {
    std::uint32_t version = 0;
    std::uint32_t journal_entries_max = 2'000'000;
    std::uint16_t heartbeat_s = 60;
    std::uint8_t transactions_max = 16;  ///< relayed meter transactions at once
    friend bool operator==(const Limits&, const Limits&) = default;
};
dlms::Data to_data(const Limits& limits);
Result<Limits> limits_from_data(const dlms::Data& data);

/// Read [from, to] of this meter's profile again.
struct BackfillRange {
    DeviceNumber number;
    ObisCode profile;
    Instant from{}, to{};
    friend bool operator==(const BackfillRange&, const BackfillRange&) = default;
};
struct Backfill {
    std::uint32_t version = 0;
    std::vector<BackfillRange> ranges;
    friend bool operator==(const Backfill&, const Backfill&) = default;
};
dlms::Data to_data(const Backfill& backfill);
Result<Backfill> backfill_from_data(const dlms::Data& data);

enum class NodeState : std::uint8_t {
    unseen = 0,
    joining = 1,
    joined = 2,
    suspect = 3,
    offline = 4,
    parked = 5,
    dark = 6,    ///< without power, told or inferred
    deleted = 7  ///< on the list, offline for a week
};
std::string_view to_string(NodeState state);
struct TopologyNode {
    DeviceNumber number;
    NodeState state{};
    std::uint16_t short_address = 0;
    DeviceNumber parent;  ///< all zeros: the concentrator itself (or none while not joined)
    std::uint8_t hops = 0;
    std::int8_t rssi_dbm = 0;         ///< as the parent hears it
    std::uint32_t etx_percent = 100;  ///< expected transmissions to the parent x 100
    Instant last_heard{};
    std::vector<DeviceNumber> route;  ///< relays of the primary route, concentrator side first
    std::vector<DeviceNumber> alternative;
    /// Not 0: wired to `parent`, a collector, under this sub-address; its hop on the wire counts as one.
    std::uint8_t sub_address = 0;
    friend bool operator==(const TopologyNode&, const TopologyNode&) = default;
};
dlms::Data to_data(const TopologyNode& node);
Result<std::vector<TopologyNode>> topology_from_data(const dlms::Data& array);

struct Statistics {
    std::uint64_t reads = 0, reads_first_try = 0, reads_alternative = 0, reads_failed = 0;
    std::uint64_t frames_sent = 0, frames_received = 0, frames_refused = 0;
    friend bool operator==(const Statistics&, const Statistics&) = default;
};
dlms::Data to_data(const Statistics& statistics);
Result<Statistics> statistics_from_data(const dlms::Data& data);

}  // namespace wattmesh::dcu
