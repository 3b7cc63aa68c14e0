#include "protocol/cosem/measurement.h"
#include "protocol/cosem/profile_generic.h"
#include "terminal-sim/meter/meter.h"

namespace wattmesh::sim {

using namespace dlms;

void ObjectMaker::profiles(SimObjects& objects) {
    objects.push_back(
        {.spec = &cosem::data::spec,
         .name = obis::profile_status,
         .read = [](const Meter& meter, const auto&) -> ReadOutcome { return Data{meter.status_}; }});
    objects.push_back(
        {.spec = &cosem::data::spec,
         .name = object_name(0, 0, 96, 11, 0),
         .read = [](const Meter& meter, const auto&) -> ReadOutcome { return Data{meter.last_event_}; }});
    static constexpr auto read = [](const Profile& profile, const SimObject::Read& what) {
        return profile.get(what.attribute, what.selection);
    };
    objects.push_back({.spec = &cosem::profile_generic::spec,
                       .name = obis::load_profile,
                       .read = [](const Meter& meter, const SimObject::Read& what) {
                           return read(meter.load_profile_, what);
                       }});
    objects.push_back(
        {.spec = &cosem::profile_generic::spec,
         .name = obis::daily_profile,
         .read = [](const Meter& meter, const SimObject::Read& what) { return read(meter.daily_, what); }});
    objects.push_back(
        {.spec = &cosem::profile_generic::spec,
         .name = obis::event_log,
         .read = [](const Meter& meter, const SimObject::Read& what) { return read(meter.events_, what); }});
}

}  // namespace wattmesh::sim
