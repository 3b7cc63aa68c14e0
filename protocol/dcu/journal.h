#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/base/result.h"
#include "protocol/base/time.h"
#include "protocol/dlms/object.h"

/// What the concentrator's logical device shows: journal and versioned objects, shared by concentrator and
/// head-end.
namespace wattmesh::dcu {

/// What an entry tells.
enum class EntryKind : std::uint8_t {
    interval_rows = 1,  ///< payload: ProfileRows
    sealed_apdu = 2,    ///< payload: ciphered APDU, unopened
    meter_joined = 3,   ///< payload: MeterLink (also written when the route changes)
    meter_lost = 4,     ///< payload: empty
    read_failed = 5,    ///< payload: ReadFailure
    unknown_meter = 6,  ///< asked to join and is not on the meter list; payload: empty
    gap = 7,            ///< entries were overwritten unacknowledged; payload: GapRange
    started = 8,        ///< the concentrator's program started; payload: empty
    pushed = 9,  ///< never in a concentrator's journal: a meter that calls in sent it; payload: plain APDU
    power_lost = 10,     ///< payload: PowerLoss
    power_back = 11,     ///< payload: empty
    outage = 12,         ///< one power cut of several meters, about the concentrator; payload: Outage
    outage_end = 13,     ///< payload: OutageEnd
    meter_deleted = 14,  ///< offline for a week, its address is free; payload: empty
    join_forged = 15,    ///< somebody asked to join under this number with a wrong key; payload: empty
    reported = 16,   ///< never in a concentrator's journal: a terminal's own event; payload: its code, body
    pan_clash = 17,  ///< another concentrator's network in the same PAN; payload: PanClash
    relay_evicted = 18,  ///< it dropped packets of others; put out of the mesh for a while; payload: empty
    meter_cloned =
        19,           ///< two devices have this number and its key: both are out of the mesh; payload: empty
    image_told = 20,  ///< what a meter said of a firmware image; payload: ImageTold (firmware.h)
};

/// One line of the journal. Its key is (journal id, sequence); sequences of one journal have no holes.
struct Entry {
    Sequence sequence;
    DeviceNumber meter;  ///< all zeros when the entry is about the concentrator itself
    EntryKind kind{};
    Instant time{};               ///< when it was written, concentrator clock, UTC
    bool clock_doubtful = false;  ///< the concentrator had no trusted time yet
    Buffer payload;               ///< <= entry_payload_size_max
    friend bool operator==(const Entry&, const Entry&) = default;
};
inline constexpr std::size_t entry_payload_size_max = 2'048;
inline constexpr std::size_t route_length_max = 16;  ///< relays, and a collector

/// Journal row as the profile shows it: structure{uint64 sequence, octet-string meter, enum kind,
/// octet-string(12) time with status bit doubtful, octet-string payload}.
dlms::Data to_data(const Entry& entry);
Result<Entry> entry_from_data(const dlms::Data& row);

/// Rows of a meter's profile exactly as the meter answered, plus which profile. Payload: A-XDR
/// structure{octet-string(6) profile, array of rows}.
struct ProfileRows {
    ObisCode profile;
    dlms::Data rows;
    friend bool operator==(const ProfileRows&, const ProfileRows&) = default;
};
Buffer encode(const ProfileRows& rows);
Result<ProfileRows> decode_profile_rows(Bytes payload);

/// One interval row, from wire to table. Raw integers; the channel map gives register, scaler and unit.
struct IntervalRow {
    static constexpr std::size_t channel_count_max = 8;
    Instant at{};               ///< end of the interval, UTC
    std::uint8_t status = 0;    ///< the meter's profile status (0-0:96.10.1)
    std::uint8_t channels = 0;  ///< how many of `values` are meant
    std::array<std::optional<std::int64_t>, channel_count_max> values{};
    friend bool operator==(const IntervalRow&, const IntervalRow&) = default;
};
/// Types the rows of a profile whose columns are clock, status, channel 1..n. Null-data is as in the row
/// before, a clock one `period` later; in the first row a null clock or status is a fault, a null channel no
/// value.
Result<std::vector<IntervalRow>> interval_rows(const ProfileRows& rows, Duration period);

struct MeterLink {
    std::uint16_t short_address = 0;
    DeviceNumber parent;
    std::uint8_t hops = 0;
    std::int8_t rssi_dbm = 0;
    /// Not 0: wired to `parent`, a collector, under this sub-address; short address and signal are then 0.
    std::uint8_t sub_address = 0;
    std::vector<DeviceNumber> route;  ///< relays, concentrator side first; a collector is among them
    std::uint32_t join_counter = 0;   ///< of the join it came in by; 0: over a wire
    friend bool operator==(const MeterLink&, const MeterLink&) = default;
};
Buffer encode(const MeterLink& link);
Result<MeterLink> decode_meter_link(Bytes payload);

/// Why a planned read brought nothing.
enum class ReadFault : std::uint8_t {
    not_joined = 1,
    no_answer = 2,
    not_authentic = 3,
    refused = 4,
    malformed = 5,
    no_key = 6,
    outage = 7  ///< it has no power, as far as is known
};
std::string_view to_string(ReadFault fault);
struct ReadFailure {
    ReadFault fault{};
    Instant from{}, to{};
    friend bool operator==(const ReadFailure&, const ReadFailure&) = default;
};
Buffer encode(const ReadFailure& failure);
Result<ReadFailure> decode_read_failure(Bytes payload);

/// Told by a last gasp, or taken from the silence around one.
struct PowerLoss {
    bool inferred = false;
    friend bool operator==(const PowerLoss&, const PowerLoss&) = default;
};
Buffer encode(const PowerLoss& loss);
Result<PowerLoss> decode_power_loss(Bytes payload);

/// A power cut as the mesh saw it. Of `members` meters and collectors on the air before, `reported` said that
/// their power is gone or had it said by a neighbour; `inferred` have been silent since.
struct Outage {
    std::uint16_t members = 0, reported = 0, inferred = 0;
    friend bool operator==(const Outage&, const Outage&) = default;
};
Buffer encode(const Outage& outage);
Result<Outage> decode_outage(Bytes payload);
/// `back` have come back since the outage was told, `missing` have not.
struct OutageEnd {
    std::uint16_t back = 0, missing = 0;
    friend bool operator==(const OutageEnd&, const OutageEnd&) = default;
};
Buffer encode(const OutageEnd& end);
Result<OutageEnd> decode_outage_end(Bytes payload);

/// Two networks that use one PAN, as one of the concentrators sees it.
struct PanClash {
    DeviceNumber other;          ///< whose beacons say so; nobody can check them
    std::uint16_t pan = 0;       ///< the PAN of both
    std::uint16_t moved_to = 0;  ///< where this concentrator and its meters are now; 0: the other shall go
    friend bool operator==(const PanClash&, const PanClash&) = default;
};
Buffer encode(const PanClash& clash);
Result<PanClash> decode_pan_clash(Bytes payload);

struct GapRange {
    Sequence first, last;
    friend bool operator==(const GapRange&, const GapRange&) = default;
};
Buffer encode(const GapRange& gap);
Result<GapRange> decode_gap_range(Bytes payload);

/// A line of the journal directory: structure{octet-string(16) id, octet-string(6) profile, uint64 first,
/// uint64 last, uint64 acknowledged}. Oldest first; the last line is the journal that is being written. Slots
/// are not re-used while the program runs.
struct JournalInfo {
    JournalId id;
    ObisCode profile;      ///< 0-128:99.1.<slot>*255
    Sequence first, last;  ///< last 0 = empty
    Sequence acknowledged;
    friend bool operator==(const JournalInfo&, const JournalInfo&) = default;
};
dlms::Data to_data(const JournalInfo& info);
Result<std::vector<JournalInfo>> directory_from_data(const dlms::Data& directory);

/// structure{octet-string(16) id, uint64 sequence}: written to `objects::journal_acknowledge`.
struct Acknowledgement {
    JournalId id;
    Sequence sequence;
    friend bool operator==(const Acknowledgement&, const Acknowledgement&) = default;
};
dlms::Data to_data(const Acknowledgement& acknowledgement);
Result<Acknowledgement> acknowledgement_from_data(const dlms::Data& data);

/// GET of `count` entries that follow `after` in the journal shown at `profile`.
dlms::RangeSelection entries_after(Sequence after, std::uint32_t count);

}  // namespace wattmesh::dcu
