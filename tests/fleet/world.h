#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "concentrator/core.h"
#include "headend/frontend/core.h"
#include "security/ciphers.h"
#include "terminal-sim/field/field.h"
#include "tests/fleet/firmware.h"
#include "tests/fleet/slow_disk.h"
#include "tests/fleet/slow_store.h"
#include "tests/fleet/town.h"
#include "tests/fleet/wanted.h"
#include "tests/fleet/wires.h"

namespace wattmesh::fleet {

/// What was done to the system in a run; printed with every verdict.
struct FaultCounts {
    std::uint64_t cuts = 0, silent_cuts = 0, head_crashes = 0, concentrator_crashes = 0, disks_restored = 0,
                  database_outages = 0, database_slow = 0, meters_killed = 0, meters_moved = 0,
                  collectors_killed = 0, power_cuts = 0, keys_renewed = 0, head_hangs = 0;
};

/// The whole system in one thread: meters and radio, two concentrators with their journals, two front-ends on
/// one database, and the network between them. Everything that is chance comes from the seed.
class World {
public:
    /// How concentrators find a front-end: one address behind which either answers by chance, or the first
    /// front-end's with the second one's as backup.
    enum class Addresses : std::uint8_t { shared, primary_and_backup };
    /// `folder` holds the concentrators' disks during the run.
    World(std::uint64_t seed, HeadModel& model, std::filesystem::path folder, int apart_percent = 100,
          Addresses addresses = Addresses::shared);
    ~World();

    /// Lets time pass.
    void run_until(Instant end);
    Instant now() const { return timeline_.now(); }
    Instant start() const { return start_; }
    Timeline& timeline() { return timeline_; }

    // Faults. A thing that is down already stays down.
    void cut(std::size_t site, bool silent);
    /// No way to any front-end for a while.
    void isolate(std::size_t site, Duration span);
    void crash_head(std::size_t head, Duration down);
    /// `restore`: it comes back with the disk as it was when remember_disk() was called last.
    /// Stopped as by SIGSTOP: connections stay open and are still taken, nothing is answered; later it goes
    /// on with what came meanwhile.
    void hang_head(std::size_t head, Duration span);
    void crash_concentrator(std::size_t site, Duration down, bool restore);
    /// Crashes it shortly to copy its disk.
    void remember_disk(std::size_t site);
    void database(const DatabaseWeather& weather) { weather_ = weather; }
    void kill_meter(std::size_t index, Duration down);
    /// Takes a meter off its wire or its radio and, after a while, puts it on a collector's wire or on radio.
    void move_meter(std::size_t index, std::optional<std::size_t> collector, Duration between);
    void kill_collector(std::size_t index, Duration down);
    /// Everybody of a concentrator without power, with a last gasp; the concentrator goes on.
    void cut_power(std::size_t site, Duration dark);
    /// Its mesh gets another net key.
    void renew_key(std::size_t site);
    /// Everything is up, as if no fault had ever happened.
    void heal();

    /// Whether this front-end has the site's session, ready.
    bool has_session(std::size_t head, std::size_t site) const;
    /// Counts of moves since the beginning; those of the concentrator begin anew when it does.
    dcu::UplinkState uplink_state(std::size_t site) const;
    bool reads(std::size_t site, const DeviceNumber& meter) const;
    /// Meters that nobody reads, or more than one concentrator.
    std::size_t owners_wrong();
    const Scene& scene() const { return scene_; }
    sim::Field& field() { return *field_; }
    Wanted& wanted() { return *wanted_; }
    FirmwareDepot& depot() { return depot_; }
    /// Whose firmware the meters believe.
    PrivateKey& vendor() { return *vendor_; }
    FaultCounts& faults() { return faults_; }
    std::uint64_t lost_answers() const { return lost_answers_; }
    std::uint64_t failed_calls() const { return failed_calls_; }
    /// One line of what the parts think of themselves, for a failing seed.
    std::string describe() const;
    /// Radio trace, octets on the wires and stored rows in one number.
    std::uint64_t trace_hash() const;

private:
    struct Site;
    struct Head;
    void start_site(std::size_t index);
    void stop_site(std::size_t index);
    void start_head(std::size_t index);
    void stop_head(std::size_t index);
    void perform(Site& site);
    void perform(Head& head);
    void perform_action(Site& site, const concentrator::Action& action);
    void open_uplink(std::size_t index, std::size_t way);
    void probe_uplink(std::size_t index, std::size_t way);
    bool hangs(std::size_t head) const;
    void to_head(std::size_t head, LinkId link, const Buffer& bytes);
    void head_closed(std::size_t head, LinkId link);
    void wake(Site& site);
    void tick_head(std::size_t index, std::uint64_t life);
    void drain_radio();

    Scene scene_;
    Instant start_;
    Timeline timeline_;
    Chance chance_;
    Addresses addresses_;
    security::OpensslCiphers ciphers_;
    HeadModel& model_;
    DatabaseWeather weather_;
    std::filesystem::path folder_;
    std::unique_ptr<Wires> wires_;
    std::unique_ptr<Wanted> wanted_;
    NoRenewals renewals_;
    FirmwareDepot depot_;
    std::unique_ptr<PrivateKey> vendor_;
    std::unique_ptr<sim::Field> field_;
    std::vector<std::unique_ptr<Site>> sites_;
    std::vector<std::unique_ptr<Head>> heads_;
    FaultCounts faults_;
    std::uint64_t lost_answers_ = 0, failed_calls_ = 0;
};

}  // namespace wattmesh::fleet
