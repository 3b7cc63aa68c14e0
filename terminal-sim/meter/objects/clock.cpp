#include "protocol/cosem/clock.h"

#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

using namespace dlms;

namespace {

/// Wildcards: daylight saving never begins or ends.
constexpr RawDateTime never_date{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0x00}};

}  // namespace

void ObjectMaker::clock(SimObjects& objects) {
    using namespace cosem::clock;
    objects.push_back({.spec = &spec,
                       .name = obis::clock,
                       .audience = for_everybody,
                       .read = [](const Meter& meter, const SimObject::Read& what) -> ReadOutcome {
                           switch (what.attribute) {
                               case 2:
                                   return date_time_octets({.at = meter.shown_time(what.now)});
                               case 3:
                                   return time_zone.write(0);  // meters run on UTC
                               case 4:
                                   return status.write(0);
                               case 5:
                                   return daylight_savings_begin.write(never_date);
                               case 6:
                                   return daylight_savings_end.write(never_date);
                               case 7:
                                   return daylight_savings_deviation.write(0);
                               case 8:
                                   return daylight_savings_enabled.write(false);
                               default:
                                   return clock_base.write(ClockBase::internal_crystal);
                           }
                       },
                       .writable = {2},
                       .methods = {1, 3, 6},
                       .act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
                           const Instant shown = meter.shown_time(what.now);
                           const auto to_nearest = [&](Duration step) {
                               const auto rest = Duration{epoch_us(shown) % step.count()};
                               return rest * 2 < step ? shown - rest : shown - rest + step;
                           };
                           Instant wanted = shown;
                           if (what.method == 1) wanted = to_nearest(std::chrono::minutes{15});
                           if (what.method == 3) wanted = to_nearest(std::chrono::minutes{1});
                           if (what.method == 6) {
                               const auto by = what.argument.integer().value_or(0);
                               if (by < -900 || by > 900) return {AccessResult::other_reason, {}};
                               wanted = shown + std::chrono::seconds{by};
                           }
                           meter.perform({Deed::Kind::clock_set, what.now, wanted, {}});
                           return {};
                       },
                       .write =
                           [](Meter& meter, const Data& value, Instant now) {
                               const auto wanted = date_time(value);
                               if (!wanted) return AccessResult::type_unmatched;
                               meter.perform({Deed::Kind::clock_set, now, wanted->at, {}});
                               return AccessResult::success;
                           }});
}

}  // namespace wattmesh::sim
