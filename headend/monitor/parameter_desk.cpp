#include "headend/monitor/parameter_desk.h"

#include "protocol/cosem/activity_calendar.h"

namespace wattmesh::headend::monitor {
namespace {

namespace calendar = cosem::activity_calendar;
using What = ErrandResult::What;

constexpr std::int8_t passive_half = calendar::calendar_name_passive.id - calendar::calendar_name_active.id;

}  // namespace

std::vector<MeterErrand::Step> steps_to(const std::vector<ParameterMember>& wanted,
                                        const std::vector<dlms::Data>& actual) {
    std::vector<MeterErrand::Step> steps;
    bool differs = false;
    for (std::size_t i = 0; i < wanted.size(); ++i) differs = differs || !same(wanted[i].value, actual.at(i));
    if (!differs) return steps;
    const auto& first = wanted.front().attribute;
    const bool whole = first.class_id == calendar::owner.id;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        auto attribute = wanted[i].attribute;
        if (whole)
            attribute.attribute = static_cast<std::int8_t>(attribute.attribute + passive_half);
        else if (same(wanted[i].value, actual[i]))
            continue;
        steps.emplace_back(MeterErrand::Write{attribute, typed_as(wanted[i].value, actual[i])});
    }
    if (whole) {
        auto call = calendar::activate_passive_calendar(first.object);
        steps.emplace_back(MeterErrand::Call{call.id, std::move(call.argument).value()});
    }
    return steps;
}

void ParameterDesk::read(DeviceNumber meter, const std::vector<ParameterMember>& members, Read done) {
    struct Reading {
        std::vector<dlms::Data> values;
        Read done;
        std::size_t wanted = 0;
        bool over = false;
    };
    const auto reading = std::make_shared<Reading>(Reading{{}, std::move(done), members.size()});
    for (const auto& member : members)
        on_demand_.read(meter, member.attribute,
                        [reading, alive = std::weak_ptr{alive_}](const OnDemandResult& read) {
                            if (!alive.lock() || reading->over) return;
                            reading->over = !read.ok();
                            if (!read.ok()) return reading->done(read.fault, {});
                            reading->values.push_back(read.value);
                            if (reading->values.size() == reading->wanted) reading->done("", reading->values);
                        });
}

void ParameterDesk::write(DeviceNumber meter, std::vector<MeterErrand::Step> steps, int disconnects,
                          const std::string& actor, std::function<void(const std::string&, bool)> done) {
    on_demand_.hold(meter, [this, meter, actor, disconnects, steps = std::move(steps), done = std::move(done),
                            alive = std::weak_ptr{alive_}]() mutable {
        if (!alive.lock()) return;
        KeyRequest request{
            .meter = meter, .role = Role::management, .actor = actor, .disconnects = disconnects};
        keys_.access(std::move(request), [this, meter, steps = std::move(steps), done = std::move(done),
                                          alive](KeyAnswer answer) mutable {
            if (!alive.lock()) return;
            if (const auto* fault = std::get_if<KeyFault>(&answer)) {
                on_demand_.release(meter);
                return done(std::string{to_string(*fault)}, false);
            }
            const auto errand = std::make_shared<MeterErrand>(meter, carry_, ciphers_, random_);
            errands_.insert(errand);
            errand->start(std::get<GuardedAccess>(std::move(answer)), radio_pdu_size_max, std::move(steps),
                          true,
                          [this, meter, ended = std::weak_ptr{errand}, done = std::move(done),
                           alive](const ErrandResult& result) {
                              if (!alive.lock()) return;
                              errands_.erase(ended.lock());
                              on_demand_.release(meter);
                              if (result.what == What::done) return done("", true);
                              if (result.what == What::unreached) return done(result.fault, false);
                              if (result.what == What::denied) return done("not_authentic", false);
                              done(result.what == What::refused ? "refused" : "no_answer", true);
                          });
        });
    });
}

}  // namespace wattmesh::headend::monitor
