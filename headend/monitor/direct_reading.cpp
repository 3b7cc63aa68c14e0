#include "headend/monitor/direct_reading.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "protocol/dlms/apdu.h"
#include "protocol/dlms/date_time.h"

namespace wattmesh::headend::monitor {
namespace {

using frontend::Batch, frontend::StoreOutcome;

constexpr std::uint16_t profile_class = 7, clock_class = 8, register_class = 3, push_setup_class = 40;
constexpr std::size_t scalers_max = 64, push_setups_max = 4;
/// A meter's clock may run ahead a little; a row beyond that would carry the cursor away.
constexpr Duration ahead_max = std::chrono::minutes{5};
/// The journal of what a meter pushed; no profile has this name.
constexpr ObisCode push_journal{{0, 0, 25, 9, 0, 255}};

std::uint64_t interval_number(Instant at, Duration period) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, at.time_since_epoch() / period));
}

dlms::Selection rows_between(Instant from, Instant to) {
    const dlms::CaptureObject clock{clock_class, obis::clock, 2, 0};
    return dlms::RangeSelection{
        clock, dlms::date_time_octets({from, 0, 0}), dlms::date_time_octets({to, 0, 0}), {}};
}

bool is_ciphered(Bytes apdu) { return !apdu.empty() && apdu.front() >= 0xDB && apdu.front() <= 0xDF; }

/// When the meter says that it pushed; when it came, where that makes no sense.
Instant pushed_at(const dlms::DataNotification& notification, Instant came) {
    if (notification.date_time.size() != 12) return came;
    const auto time = dlms::decode_date_time(notification.date_time);
    if (!time || time->at > came + ahead_max || time->at < came - std::chrono::hours{24}) return came;
    return time->at;
}

}  // namespace

struct DirectReading::Device {
    Device(DeviceNumber its_number, TaskPlan& its_plan, TaskId its_task)
        : number(its_number), plan(its_plan), task(its_task) {}
    bool busy() const { return plan.state(task) == TaskState::begun; }

    DeviceNumber number;
    TaskPlan& plan;
    TaskId task;
    OwnerEpoch epoch;
    Instant due{}, registers_due{};
    std::size_t profile = 0, register_ = 0;  ///< being read
    Sequence cursor;
    Instant position{};  ///< rows up to here are stored, or are not there
    std::deque<Push> pushes;
    std::map<ObisCode, std::vector<dlms::CaptureObject>> push_lists;
    std::map<ObisCode, std::pair<int, int>> scalers;
    std::optional<std::pair<dlms::Data, Instant>>
        notified;  ///< an authentic push whose values are to be taken
    frontend::Guard guard;

    template <class Done>
    auto expect(Instant now, Done done) {
        plan.heard(task, now);
        return guard.expect(std::move(done));
    }
};

DirectReading::DirectReading(DirectReadingSettings settings, Ports ports)
    : settings_(std::move(settings)),
      ports_(std::move(ports)),
      schedule_(plan_.add_schedule({.answer_max = settings_.answer_max,
                                    .retry_first = settings_.retry_first,
                                    .retry_longest = settings_.retry_longest})) {}

DirectReading::~DirectReading() = default;

JournalId DirectReading::journal_of(DeviceNumber meter, const ObisCode& profile) {
    JournalId journal{{'W', 'M', 'D', 'R'}};
    auto out = std::copy(meter.bcd.begin(), meter.bcd.end(), journal.octets.begin() + 4);
    std::copy(profile.groups.begin(), profile.groups.end(), out);
    return journal;
}

void DirectReading::admitted(DeviceNumber device, OwnerEpoch epoch, link::Carried) {
    auto& entry = devices_[device];
    const Instant now = ports_.now();
    if (!entry) {
        entry = std::make_unique<Device>(device, plan_, plan_.add(schedule_, now));
        by_task_.resize(std::max(by_task_.size(), static_cast<std::size_t>(entry->task) + 1));
        by_task_[static_cast<std::size_t>(entry->task)] = entry.get();
    }
    entry->guard.cancel();
    entry->epoch = epoch;
    entry->due = now;
    if (entry->busy()) finish(*entry, now);
    plan_.hasten(entry->task, now);
}

void DirectReading::ended(DeviceNumber device) {
    const auto found = devices_.find(device);
    if (found == devices_.end()) return;
    plan_.remove(found->second->task);
    by_task_[static_cast<std::size_t>(found->second->task)] = nullptr;
    devices_.erase(found);
}

void DirectReading::pushed(DeviceNumber device, OwnerEpoch, Buffer apdu, Instant now) {
    const auto found = devices_.find(device);
    if (found == devices_.end()) return;
    if (found->second->pushes.size() >= settings_.pushes_max) {
        ++counters_.pushes_dropped;
        return;
    }
    ++counters_.pushes;
    found->second->pushes.push_back({std::move(apdu), now});
    found->second->due = std::min(found->second->due, now);  // it has something to tell
    plan_.hasten(found->second->task, now);
}

void DirectReading::tick(Instant now) {
    for (const auto task : plan_.expire(now)) {
        auto& device = *by_task_[static_cast<std::size_t>(task)];
        device.guard.cancel();  // a port never answered
        fail(device, "nobody answered for too long");
    }
    const auto free = settings_.devices_at_once - std::min(settings_.devices_at_once, busy());
    for (const auto task : plan_.take(now, free)) {
        auto& device = *by_task_[static_cast<std::size_t>(task)];
        device.profile = device.register_ = 0;
        next_step(device);
    }
}

/// Pushes first, then profile by profile, then registers.
void DirectReading::next_step(Device& device) {
    if (!device.pushes.empty()) return begin_push(device);
    if (device.due > ports_.now()) return finish(device, device.due);
    if (device.profile < settings_.profiles.size()) return begin_profile(device);
    if (device.register_ < settings_.registers.size() && ports_.now() >= device.registers_due)
        return read_register(device);
    if (ports_.now() >= device.registers_due) device.registers_due = ports_.now() + settings_.registers_every;
    Instant next = device.registers_due;
    for (const auto& plan : settings_.profiles) {
        const Instant interval_end{plan.period * (ports_.now().time_since_epoch() / plan.period + 1)};
        next = std::min(next, interval_end + plan.delay);
    }
    finish(device, next);
}

void DirectReading::finish(Device& device, Instant due) {
    device.due = due;
    plan_.done(device.task, ports_.now(), due);
}

void DirectReading::fail(Device& device, const std::string& what) {
    ++counters_.failures;
    if (device.busy()) plan_.failed(device.task, ports_.now());  // else the plan ended it
    device.due = plan_.due(device.task);
    ports_.log("meter " + to_string(device.number) + ": " + what);
}

Batch DirectReading::batch_for(const Device& device, const ObisCode& profile) const {
    Batch batch;
    batch.concentrator = device.number;
    batch.journal = journal_of(device.number, profile);
    batch.epoch = device.epoch;
    batch.from = batch.to = device.cursor;
    batch.received = batch.session_since = ports_.now();
    return batch;
}

void DirectReading::begin_profile(Device& device) {
    const auto& plan = settings_.profiles[device.profile];
    ports_.store.cursor(journal_of(device.number, plan.profile), device.number,
                        device.expect(ports_.now(), [this, &device, &plan](std::optional<Sequence> cursor) {
                            if (!cursor) return fail(device, "the store does not say how far it was read");
                            device.cursor = *cursor;
                            const Instant stored{plan.period * static_cast<std::int64_t>(cursor->value)};
                            device.position = std::max(stored, ports_.now() - plan.depth);
                            read_rows(device);
                        }));
}

void DirectReading::read_rows(Device& device) {
    const auto& plan = settings_.profiles[device.profile];
    const Instant newest{plan.period * (ports_.now().time_since_epoch() / plan.period)};
    if (device.position >= newest) {
        ++device.profile;
        return next_step(device);
    }
    const Instant to = std::min(newest, device.position + plan.period * settings_.rows_max);
    ports_.on_demand.read(device.number, {profile_class, plan.profile, 2},
                          rows_between(device.position + std::chrono::seconds{1}, to),
                          device.expect(ports_.now(), [this, &device, to](const OnDemandResult& result) {
                              on_rows(device, result, to);
                          }));
}

void DirectReading::on_rows(Device& device, const OnDemandResult& result, Instant to) {
    const auto& plan = settings_.profiles[device.profile];
    if (!result.ok()) return fail(device, "reading " + to_string(plan.profile) + ": " + result.fault);
    auto rows = dcu::interval_rows({plan.profile, result.value}, plan.period);
    if (!rows) {
        ++counters_.rejected;
        return fail(device,
                    "rows of " + to_string(plan.profile) + ": " + std::string{to_string(rows.error().fault)});
    }
    const auto foreign = std::erase_if(*rows, [&](const dcu::IntervalRow& row) {
        return row.at <= device.position || row.at > to + ahead_max;
    });
    counters_.rejected += foreign;  // not what was asked for
    Batch batch = batch_for(device, plan.profile);
    for (const auto& row : *rows)
        batch.to.value = std::max(batch.to.value, interval_number(row.at, plan.period));
    const auto go_on = [this, to](Device& one) {
        one.position = to;
        read_rows(one);
    };
    if (batch.to == batch.from) return go_on(device);
    const std::size_t count = rows->size();
    batch.intervals.push_back({device.number, plan.profile, *std::move(rows), batch.to, false});
    store(device, std::move(batch), [this, count, go_on](Device& one) {
        counters_.rows += count;
        go_on(one);
    });
}

void DirectReading::store(Device& device, Batch batch, std::function<void(Device&)> then) {
    const Sequence to = batch.to;
    ports_.store.store(
        std::move(batch),
        device.expect(ports_.now(), [this, &device, to, then = std::move(then)](StoreOutcome outcome) {
            switch (outcome) {
                case StoreOutcome::stored:
                    ++counters_.batches;
                    device.cursor = to;
                    return then(device);
                case StoreOutcome::superseded: {
                    const auto number = device.number;
                    const auto epoch = device.epoch;
                    finish(device, never);
                    return ports_.superseded(number, epoch);
                }
                case StoreOutcome::lost_race:
                    ++counters_.lost_races;
                    return fail(device, "another process stored it first");
                case StoreOutcome::unavailable:
                    return fail(device, "the store does not take it");
            }
        }));
}

void DirectReading::read_register(Device& device) {
    const ObisCode code = settings_.registers[device.register_];
    ports_.on_demand.read(device.number, {register_class, code, 2},
                          device.expect(ports_.now(), [this, &device, code](OnDemandResult result) {
                              const auto value = result.value.integer();
                              if (!result.ok() && result.fault != "refused")
                                  return fail(device, "reading " + to_string(code) + ": " + result.fault);
                              if (result.ok() && value) {
                                  ++counters_.registers;
                                  ports_.put(device.number, {code, *value, result.scaler, result.unit},
                                             ports_.now(), "scheduled");
                              }
                              ++device.register_;
                              next_step(device);
                          }));
}

void DirectReading::begin_push(Device& device) {
    const Push push = std::move(device.pushes.front());
    device.pushes.pop_front();
    if (!is_ciphered(push.apdu)) return on_plain_push(device, push, push.apdu, false);
    ports_.keys.access(
        {.meter = device.number, .role = Role::reading, .actor = "push", .disconnects = 0, .unasked = true},
        device.expect(ports_.now(), [this, &device, push](KeyAnswer answer) {
            if (const auto* fault = std::get_if<KeyFault>(&answer))
                return put_push(device, push, {}, std::string{to_string(*fault)});
            const auto plain = std::get<GuardedAccess>(answer).protection->open(push.apdu);
            if (!plain) return put_push(device, push, {}, std::string{to_string(plain.error().fault)});
            on_plain_push(device, push, *plain, true);
        }));
}

/// Whoever knows a number can say hello and push in clear: such a push is noted and makes us read, its values
/// are not believed.
void DirectReading::on_plain_push(Device& device, const Push& push, Bytes plain, bool authentic) {
    const bool is_notification = !plain.empty() && (plain.front() == 0x0F || plain.front() == 0xC2);
    if (!is_notification) return put_push(device, push, {}, "not a notification");
    device.due = std::min(device.due, ports_.now());
    const auto notification = plain.front() == 0x0F ? dlms::decode_data_notification(plain)
                                                    : Result<dlms::DataNotification>{Error{}};
    if (plain.front() == 0x0F && !notification)
        return put_push(device, push, {}, std::string{to_string(notification.error().fault)});
    if (authentic && notification)
        device.notified.emplace(notification->body, pushed_at(*notification, push.at));
    put_push(device, push, plain, {});
}

/// One entry of the journal of pushes, then on with the work; a push that is not understood is kept raw.
void DirectReading::put_push(Device& device, const Push& push, Bytes plain, const std::string& refusal) {
    if (!refusal.empty()) ++counters_.pushes_refused;
    Buffer payload = to_buffer(plain.first(std::min(plain.size(), dcu::entry_payload_size_max)));
    Buffer raw = to_buffer(Bytes{push.apdu}.first(std::min(push.apdu.size(), dcu::entry_payload_size_max)));
    ports_.store.cursor(
        journal_of(device.number, push_journal), device.number,
        device.expect(ports_.now(), [this, &device, at = push.at, refusal, payload = std::move(payload),
                                     raw = std::move(raw)](std::optional<Sequence> cursor) {
            if (!cursor) return fail(device, "the store does not take a push");
            device.cursor = *cursor;
            Batch batch = batch_for(device, push_journal);
            ++batch.to.value;
            if (refusal.empty())
                batch.events.push_back(
                    {{batch.to, device.number, dcu::EntryKind::pushed, at, false, payload}});
            else
                batch.rejected.push_back({batch.to, device.number, raw, "a push: " + refusal});
            store(device, std::move(batch),
                  [this](Device& one) { one.notified ? take_values(one) : next_step(one); });
        }));
}

void DirectReading::take_values(Device& device) {
    const auto [body, at] = *std::exchange(device.notified, std::nullopt);
    const auto setup = push_setup_of(body);
    if (!setup) return ask_scaler(device, self_described_values(body), 0, at);
    const auto known = device.push_lists.find(*setup);
    if (known != device.push_lists.end())
        return ask_scaler(device, pushed_values(body, known->second), 0, at);
    ports_.on_demand.read(
        device.number, {push_setup_class, *setup, 2},
        device.expect(ports_.now(), [this, &device, setup = *setup, body, at](const OnDemandResult& result) {
            auto objects = result.ok() ? push_objects(result.value) : std::nullopt;
            if (!objects) return next_step(device);  // nobody says what the values are
            if (device.push_lists.size() >= push_setups_max) device.push_lists.clear();
            auto values = pushed_values(body, *objects);
            device.push_lists[setup] = *std::move(objects);
            ask_scaler(device, std::move(values), 0, at);
        }));
}

/// Puts the values, those first whose scaler and unit are known.
void DirectReading::ask_scaler(Device& device, std::vector<PushedValue> values, std::size_t index,
                               Instant at) {
    for (; index < values.size(); ++index) {
        PushedValue& value = values[index];
        if (const auto known = device.scalers.find(value.register_);
            !value.scaler && known != device.scalers.end())
            std::tie(value.scaler, value.unit) = known->second;
        if (!value.scaler) break;
        ++counters_.registers;
        ports_.put(device.number, value, at, "pushed");
    }
    if (index == values.size()) return next_step(device);
    const ObisCode code = values[index].register_;
    ports_.on_demand.read(device.number, {register_class, code, 3},
                          device.expect(ports_.now(), [this, &device, values = std::move(values), index, at,
                                                       code](const OnDemandResult& result) {
                              const auto* pair = result.ok() ? result.value.elements() : nullptr;
                              const bool scaled = pair != nullptr && pair->size() == 2 &&
                                                  (*pair)[0].integer() && (*pair)[1].integer();
                              if (!scaled) return ask_scaler(device, values, index + 1, at);
                              if (device.scalers.size() >= scalers_max) device.scalers.clear();
                              device.scalers[code] = {static_cast<int>(*(*pair)[0].integer()),
                                                      static_cast<int>(*(*pair)[1].integer())};
                              ask_scaler(device, values, index, at);
                          }));
}

}  // namespace wattmesh::headend::monitor
