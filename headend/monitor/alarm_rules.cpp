#include "headend/monitor/alarm_rules.h"

#include <algorithm>
#include <array>

namespace wattmesh::headend::monitor {
namespace {

using namespace std::chrono_literals;
using database::AlarmPriority;

/// Three of four need nobody within the hour: the mix that EEMUA 191 asks for is 80 low, 15 medium, 5 high.
constexpr std::array rules{
    AlarmRule{
        .word = "power_cut",
        .title = "Power cut",
        .priority = AlarmPriority::high,
        .guidance =
            "Several meters lost their power at once. Compare with planned work, tell the network's control "
            "room, and follow on the page of power cuts who comes back.",
        .on_delay = 0s,
        .off_delay = 0s,
        .explains = true},
    AlarmRule{
        .word = "concentrator_offline",
        .title = "Concentrator offline",
        .priority = AlarmPriority::medium,
        .guidance =
            "The unit does not call in. A power cut under it has an alarm of its own; without one look at "
            "its modem's signal and the carrier, then send somebody. Its journal keeps the readings.",
        .on_delay = 3min,
        .off_delay = 30s,
        .explains = true,
        .hidden_by = true,
        .roll_up_from = 10,
        .rolled = "%d concentrators offline in %s"},
    AlarmRule{
        .word = "meter_lost",
        .title = "Meter without contact",
        .priority = AlarmPriority::low,
        .guidance =
            "The mesh lost the meter and no power cut explains it. Look at its neighbours on the topology; "
            "several at once point to a dead relay or a jammed channel.",
        .on_delay = 15min,
        .off_delay = 1min,
        .hidden_by = true,
        .roll_up_from = 5,
        .rolled = "%d meters without contact under %s"},
    AlarmRule{
        .word = "journal_gap",
        .title = "Journal entries lost",
        .priority = AlarmPriority::medium,
        .guidance =
            "The concentrator overwrote entries before they were copied. The head-end orders the readings "
            "again by itself; look why the link or the database was away for so long.",
        .off_delay = 0s},
    AlarmRule{.word = "rejected_entries",
              .title = "Entries rejected",
              .priority = AlarmPriority::low,
              .guidance = "Entries could not be understood or stored; they are kept raw on the page of the "
                          "quarantine. Look "
                          "for a wrong clock, a wrong register map or new firmware."},
    AlarmRule{
        .word = "reading_conflicts",
        .title = "Conflicting readings",
        .priority = AlarmPriority::medium,
        .guidance =
            "A second, different value came for a stored reading. The first stays. Look for a meter number "
            "used twice or a disk that was put back; do not bill these days before."},
    AlarmRule{
        .word = "unknown_meter",
        .title = "Unknown meter asks to join",
        .priority = AlarmPriority::low,
        .guidance =
            "A device that is on no list asks to join the mesh. Import its shipment or assign it to its "
            "concentrator; a number that nobody knows is to be looked for on site."},
    AlarmRule{
        .word = "join_forged",
        .title = "Forged join",
        .priority = AlarmPriority::high,
        .guidance =
            "Somebody asked to join under a meter's number with a wrong key. Treat it as an attack until the "
            "meter was seen on site, and tell the security officer. Reset when it is cleared up.",
        .latched = true},
    AlarmRule{.word = "meter_cloned",
              .title = "Meter number used twice",
              .priority = AlarmPriority::high,
              .guidance = "Two devices answer under one number and with its key; both are out of the mesh "
                          "and not read, so that "
                          "none is billed for the other. Do not bill its last days before it was seen on "
                          "site. It comes back "
                          "with a new mesh key, or when it is taken off its list and put on it again.",
              .latched = true},
    AlarmRule{
        .word = "relay_evicted",
        .title = "Relay put out of the mesh",
        .priority = AlarmPriority::medium,
        .guidance =
            "A meter took packets of others and dropped them, in use and on trial; it is out of the mesh for "
            "an "
            "hour or more, and then on probation. Have it looked at on site: a broken radio, or somebody "
            "who has its keys. Reset when it is cleared up.",
        .latched = true},
    AlarmRule{
        .word = "pan_clash",
        .title = "Two meshes on one PAN",
        .priority = AlarmPriority::low,
        .guidance =
            "Two concentrators that hear each other use the same PAN. The one with the higher number moves "
            "by "
            "itself, with its meters, at most once a day. If it comes again, give one of them another PAN in "
            "its settings, or look for somebody who forges beacons.",
        .off_delay = 0s},
    AlarmRule{.word = "clock_doubtful",
              .title = "Clock doubtful",
              .priority = AlarmPriority::medium,
              .guidance = "The concentrator writes with a clock that nobody confirmed; its readings are "
                          "marked. It gets the "
                          "time at its next log-in: look why it had none.",
              .on_delay = 5min,
              .off_delay = 0s},
    AlarmRule{
        .word = "certificate_expiring",
        .title = "Certificate about to expire",
        .priority = AlarmPriority::medium,
        .guidance =
            "The concentrator should have renewed it by itself. Let it log in anew; if it does not renew, "
            "enrol it again before the day, or it stays outside.",
        .raise_at = -30,
        .clear_at = -31},
    AlarmRule{
        .word = "audit_broken",
        .title = "Audit log broken",
        .priority = AlarmPriority::high,
        .guidance =
            "Records of the audit log are altered or missing, or a dump was put back. Run `headend audit "
            "verify`; after a restore `headend restored`. Else call the security officer and change nothing.",
        .latched = true},
    AlarmRule{
        .word = "disconnects_capped",
        .title = "Too many disconnects asked for",
        .priority = AlarmPriority::high,
        .guidance =
            "More disconnects were asked for within an hour than are allowed. Press the stop on the page of "
            "the jobs, find out who ordered them, then release it.",
        .latched = true},
    AlarmRule{
        .word = "relay_failed",
        .title = "Switching failed",
        .priority = AlarmPriority::medium,
        .guidance =
            "Meters of an order were not switched, or nobody knows whether they were. Open the job, read "
            "those meters' state and order again what is missing."},
    AlarmRule{
        .word = "aggregates_behind",
        .title = "Aggregates behind",
        .priority = AlarmPriority::medium,
        .guidance =
            "Hours, days and balances on the pages are older than they should be. Look whether the monitor "
            "runs and what the database's disk does.",
        .off_delay = 1min,
        .raise_at = 600,
        .clear_at = 120},
    AlarmRule{
        .word = "database_trouble",
        .title = "Database was away",
        .priority = AlarmPriority::high,
        .guidance =
            "The database did not answer for a while; concentrators kept what they had and it is worked off "
            "by itself. Find out why, and watch the completeness until it is whole."},
};

}  // namespace

std::span<const AlarmRule> alarm_rules() { return rules; }

const AlarmRule* find_alarm_rule(std::string_view word) {
    const auto found = std::ranges::find(rules, word, &AlarmRule::word);
    return found == rules.end() ? nullptr : &*found;
}

}  // namespace wattmesh::headend::monitor
