#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/dcu/journal.h"

/// Port of everything the concentrator keeps: journal, reading positions, objects, counters, mesh state.
namespace wattmesh::concentrator {

/// An entry before the store gives it a sequence.
struct Draft {
    DeviceNumber meter;
    dcu::EntryKind kind{};
    Instant time{};
    bool clock_doubtful = false;
    Buffer payload;  ///< <= dcu::entry_payload_size_max
};

/// How far a meter's profile is in the journal: everything up to `at` was read, pending ranges apart.
struct ReadPosition {
    DeviceNumber meter;
    ObisCode profile;
    Instant at{};
    friend bool operator==(const ReadPosition&, const ReadPosition&) = default;
};

/// Rows [from, to] that are still to be read: what the newest round left behind, or a backfill the head-end
/// asked for.
struct PendingRange {
    std::uint64_t id = 0;  ///< > 0, given by the reading engine, never used twice
    DeviceNumber meter;
    ObisCode profile;
    Instant from{}, to{};
    friend bool operator==(const PendingRange&, const PendingRange&) = default;
};

/// Highest invocation counter accepted from a meter.
struct ReceivedCounter {
    DeviceNumber meter;
    std::uint32_t value = 0;
};

/// What becomes durable together or not at all.
struct Commit {
    std::vector<Draft> entries;
    std::vector<ReadPosition> positions;
    std::vector<PendingRange> ranges;  ///< new, or with new bounds
    std::vector<std::uint64_t> ranges_done;
    std::vector<ReceivedCounter> received;
};

/// First octets of a MAC over a constant under the meter's key: another key, other counters from the
/// meter. Says nothing about the key.
using KeyCheck = std::array<std::uint8_t, 8>;
struct CounterRequest {
    DeviceNumber meter;
    KeyCheck key_check{};
    std::uint32_t floor = 0;  ///< the block begins at this counter or above
};
/// The client may send with counters [first, limit); they were never handed out before.
struct CounterBlock {
    DeviceNumber meter;
    std::uint32_t first = 0, limit = 0;
    std::uint32_t received = 0;  ///< highest counter accepted from the meter under this key
};

/// A versioned object (protocol/dcu/objects.h) as the head-end wrote it.
struct StoredObject {
    ObisCode code;
    std::uint32_t version = 0;
    Buffer raw;  ///< A-XDR
    friend bool operator==(const StoredObject&, const StoredObject&) = default;
};

/// The firmware image that was sent here for the meters, complete or not; there is one at most.
struct KeptImage {
    static constexpr std::uint32_t block_size = 4'096;
    static constexpr std::uint32_t size_max = 720 * 1'024;
    static constexpr std::size_t blocks_of(std::uint32_t size) {
        return (std::size_t{size} + block_size - 1) / block_size;
    }
    Buffer identifier;       ///< SHA-256 of the whole, 32 octets
    std::uint32_t size = 0;  ///< octets, 1 to size_max
    bool verified = false;   ///< all is there, and of this digest
    std::vector<bool> blocks;
    Buffer octets;  ///< undefined where a block is missing
    friend bool operator==(const KeptImage&, const KeptImage&) = default;
};
/// Another image takes the place of the one before, without a block yet.
struct ImageBegun {
    Buffer identifier;
    std::uint32_t size = 0;
};
struct ImageBlockCame {
    std::uint32_t number = 0;
    Buffer octets;
};
struct ImageVerified {};
using ImageChange = std::variant<ImageBegun, ImageBlockCame, ImageVerified>;

/// What was found at start.
struct Recovered {
    JournalId journal;                 ///< of this run
    std::optional<Instant> last_time;  ///< of the newest entry: the floor of the clock
    std::vector<dcu::JournalInfo> directory;
    std::vector<ReadPosition> positions;
    std::vector<PendingRange> ranges;
    std::uint64_t range_id_last = 0;
    std::vector<StoredObject> objects;
    Buffer mesh_state;
    std::optional<KeptImage> image{};
};

using Directory = std::vector<dcu::JournalInfo>;
enum class AcknowledgeOutcome : std::uint8_t { accepted, unknown_journal, beyond_end };

/// Every call is answered once through its callback on the loop, in the order of the calls; never inside the
/// call. An empty answer (nullopt, false) means that nothing was stored: the disk is full or broken.
class JournalStore {
public:
    template <class T>
    using Done = std::function<void(std::optional<T>)>;
    virtual ~JournalStore() = default;

    virtual void commit(Commit commit, Done<Directory> done) = 0;
    virtual void directory(Done<Directory> done) = 0;
    /// Entries that follow `after`, at most `count` and `octets_max` of payload (but at least one).
    virtual void read(JournalId journal, Sequence after, std::uint32_t count, std::size_t octets_max,
                      Done<std::vector<dcu::Entry>> done) = 0;
    /// Entries up to the sequence are the head-end's now. Beyond the end of the open journal a new journal
    /// begins (`next`).
    virtual void acknowledge(dcu::Acknowledgement acknowledgement, JournalId next,
                             Done<AcknowledgeOutcome> done) = 0;
    /// Erases what is acknowledged and was written before `before`.
    virtual void erase(Instant before, Done<Directory> done) = 0;
    virtual void limit(std::uint32_t entries_max) = 0;
    virtual void put_object(StoredObject object, std::function<void(bool)> done) = 0;
    virtual void put_mesh_state(Buffer state, std::function<void(bool)> done) = 0;
    virtual void put_image(ImageChange change, std::function<void(bool)> done) = 0;
    virtual void reserve_counters(std::vector<CounterRequest> meters, std::uint32_t block,
                                  Done<std::vector<CounterBlock>> done) = 0;
};

}  // namespace wattmesh::concentrator
