#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "concentrator/mesh/image_sender.h"
#include "protocol/base/cipher.h"
#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "protocol/dcu/journal.h"
#include "protocol/dcu/objects.h"
#include "protocol/mesh/frame.h"

namespace wattmesh::concentrator {

struct RootSettings {
    DeviceNumber concentrator;
    /// Should differ from every neighbour's; pan_of(number) is a good choice. Where it does not, one of the
    /// two moves.
    std::uint16_t pan = 1;
    mesh::PhyRate rate = mesh::PhyRate::kbit50;
    int window_max = 6;           ///< reads outstanding at once, adapted between 1 and this
    int image_share_percent = 1;  ///< of any radio's time that blocks of a firmware image may take
};
/// PAN identifier made from the concentrator's number.
std::uint16_t pan_of(const DeviceNumber& concentrator);

/// The meter's answer: sap u8 | APDU.
struct MeshAnswer {
    std::uint32_t handle = 0;
    Buffer payload;
    bool first_try = false;
    bool alternative_used = false;
};
struct MeshFailure {
    std::uint32_t handle = 0;
    dcu::ReadFault reason{};
};  ///< not_joined, no_answer or outage
/// Also when the route changed for good, or a meter moved between radio and collectors.
struct MeshJoined {
    DeviceNumber meter;
    dcu::MeterLink link;
};
/// What the head-end says of a meter that roams (dcu::MeterLease).
struct MemberLease {
    DeviceNumber meter;
    std::uint32_t join_counter = 0;
    bool here = true;
};
struct MeshLost {
    DeviceNumber meter;
};  ///< offline: several reads failed over every route
struct MeshUnknown {
    DeviceNumber meter;
};  ///< asked to join, is not on the list; at most once per hour and meter
/// Offline for a week: its address is free again. It may join anew at any time.
struct MeshDeleted {
    DeviceNumber meter;
};
struct MeshPower {
    DeviceNumber meter;
    bool on = false;
    bool inferred = false;  ///< only when off: nobody has said so
};
/// One power cut, however many meters it takes. Told some ten seconds after the first last gasp.
struct MeshOutage {
    dcu::Outage outage;
    Instant began{};  ///< first word of it
};
/// The last dark member is back, or for five minutes none has come back.
struct MeshRestored {
    dcu::OutageEnd end;
};
/// Somebody asked to join under this number with a wrong key; at most once per hour and meter.
struct MeshImpostor {
    DeviceNumber meter;
};
/// Two devices answer under this number, with its key. Neither is a member any more, until the list gives the
/// number another key, or no place.
struct MeshCloned {
    DeviceNumber meter;
};
/// It took packets of others with an acknowledgement and dropped them, in use and on trial. It is given no
/// further net key, and may join again after a while, on probation.
struct MeshEvicted {
    DeviceNumber meter;
};
/// Another concentrator's network talks in our PAN; at most once per hour and concentrator, and when we move.
struct MeshPanClash {
    dcu::PanClash clash;
};
/// Two collectors claim this meter in turn; it stays for an hour where it is.
struct MeshContested {
    DeviceNumber meter;
};
/// So many meters hang on this collector's wire without a place.
struct MeshCollectorFull {
    DeviceNumber collector;
    int refused = 0;
};
/// A firmware image for meters of this mesh. `octets` is the vendor's signed file, 1 to mesh::image_size_max.
struct ImageOrder {
    std::uint32_t number = 0;  ///< above that of every image distributed before to any of these meters
    Buffer octets{};
    std::vector<DeviceNumber> meters{};
    Duration patience{86'400'000'000};  ///< so long those that are away are waited for
};
/// A meter has said where it is with the image.
struct MeshImageNews {
    std::uint32_t number = 0;
    std::size_t blocks = 0;  ///< of the image
    ImageSender::News news;
};
/// Everybody has said that it is done with the image, or the time is over.
struct MeshImageEnded {
    std::uint32_t number = 0;
    ImageSender::Progress progress;
};
using MeshEvent =
    std::variant<MeshAnswer, MeshFailure, MeshJoined, MeshLost, MeshUnknown, MeshImpostor, MeshContested,
                 MeshCollectorFull, MeshDeleted, MeshPower, MeshOutage, MeshRestored, MeshPanClash,
                 MeshEvicted, MeshCloned, MeshImageNews, MeshImageEnded>;

/// Root of the mesh, sans-IO: join manager, link database, routes, requests. The owner moves host-frame
/// payloads between this and the radio module, calls tick() at next_deadline(), and keeps save_state()
/// durable whenever state_dirty().
class MeshRoot {
public:
    MeshRoot(RootSettings settings, Ciphers& ciphers, Random& random);
    ~MeshRoot();
    MeshRoot(const MeshRoot&) = delete;
    MeshRoot& operator=(const MeshRoot&) = delete;

    /// White list with join keys; may be called again. Meters that are gone are evicted.
    void set_meters(const std::vector<std::pair<DeviceNumber, Key128>>& meters);
    /// After set_meters(), whose members are ours when they are not named here. Who is elsewhere by a later
    /// join than its last one with us is let go, and may come back by a still later one.
    void set_leases(const std::vector<MemberLease>& leases);
    /// Which members of the white list are collectors. What hangs on their wires is asked through them, many
    /// in one exchange, as long as send() names meters of the white list.
    void set_collectors(const std::vector<DeviceNumber>& collectors);
    /// One request, one answer (payload sap u8 | APDU both ways, <= payload_size_max). Answer or failure
    /// comes as an event with the returned handle. Retries, the alternative route and duplicate suppression
    /// are inside. One at a time per meter, others wait. Priority: 0 control, 1 event, 2 on demand, 3
    /// schedule, 4 probe. `deadline` counts from `now`, waiting included.
    std::uint32_t send(DeviceNumber meter, Buffer payload, int priority, Instant now, Duration deadline);
    static constexpr std::size_t payload_size_max = 201;

    void receive(Bytes host_frame_payload, Instant now);
    void tick(Instant now);
    Instant next_deadline() const;
    std::optional<Buffer> take_output();
    std::optional<MeshEvent> take_event();

    /// The module's connection came (back): INIT goes out again. Not needed before the first tick().
    void module_connected(Instant now);

    /// Gives every member another net key, and uses it when all have it or a day has passed; the one before
    /// is heard for ten minutes more. By itself long before a frame counter comes to its end.
    void update_key(Instant now);

    /// Brings this image into these meters, by broadcast and with what is left of the time when nothing else
    /// is to be done; takes the place of one under way. The same order again after a restart goes on where
    /// the meters are. They verify it and are not told to activate it. False: too large, or nothing to send.
    [[nodiscard]] bool distribute_image(ImageOrder order, Instant now);
    void stop_image();
    std::optional<ImageSender::Progress> image_progress() const;  ///< nothing: none is under way

    std::vector<dcu::TopologyNode> topology() const;
    /// Relays of the route the next read of this meter would take first, concentrator side first; nothing
    /// when there is none. Cheap, and changes nothing.
    std::optional<std::vector<DeviceNumber>> route(DeviceNumber meter) const;
    dcu::Statistics statistics() const;
    std::uint16_t pan() const;  ///< in use; not the one of the settings after a clash
    int in_flight() const;      ///< requests that have neither answer nor failure yet

    /// Net key, short addresses, join counters, frame counter with a jump. Secret: keep it like a key. Clears
    /// state_dirty().
    Buffer save_state();
    /// Before the first tick(). False: not a state of this version, nothing was changed.
    [[nodiscard]] bool restore_state(Bytes state);
    bool state_dirty() const;

private:
    Instant own_time(Instant now);
    struct Core;  // mesh_core.h
    std::unique_ptr<Core> core_;
    Instant called_at_{};  ///< by the owner's clock
    Duration ahead_{};     ///< the owner's clock, of ours
};

}  // namespace wattmesh::concentrator
