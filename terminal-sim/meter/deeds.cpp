#include <algorithm>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "terminal-sim/meter/meter.h"

/// What is done to a meter, and doing it again after a restart.
namespace wattmesh::sim {

using namespace dlms;

namespace {

/// Class, object and member in front of a deed's content.
constexpr std::size_t target_size = 9;

struct Target {
    std::uint16_t class_id = 0;
    ObisCode object;
    std::int8_t member = 0;
    Data value;
};

Target decode_target(Bytes content) {
    Reader in{content};
    Target target{.class_id = in.u16(), .object = {in.array<6>()}, .member = in.i8(), .value = {}};
    target.value = decode_data(in);
    return in.ok() ? target : Target{};
}

}  // namespace

Buffer deed_content(std::uint16_t class_id, const ObisCode& object, std::int8_t member, const Data& value) {
    Writer out;
    out.u16(class_id).bytes(object.groups).i8(member);
    encode_data(out, value);
    return out.take();
}

void Meter::perform(const Deed& deed) {
    advance(deed.at);
    const bool nested = std::exchange(applying_, true);
    apply(deed);
    applying_ = nested;
    latest_ = std::max(latest_, deed.at);
    remember(deed);
}

void Meter::apply(const Deed& deed) {
    switch (deed.kind) {
        case Deed::Kind::clock_set:
            set_clock(deed);
            break;
        case Deed::Kind::disconnected:
        case Deed::Kind::reconnected: {
            const bool close = deed.kind == Deed::Kind::reconnected;
            if (prepaid_) {
                switch_prepaid(close, deed.at);
                break;
            }
            if (!close) status_ |= profile_status_bit::disconnected;
            supply_->set(close, deed.at);
            if (rare_) rare_->ready_for_reconnection = false;
            log(clock_.shown(deed.at), close ? event::breaker_closed : event::breaker_opened);
            break;
        }
        case Deed::Kind::written: {
            auto target = decode_target(deed.content);
            store(target.object, target.member, std::move(target.value));
            skip_past_times(target.object, deed.at);
            break;
        }
        case Deed::Kind::called: {
            const auto target = decode_target(deed.content);
            const auto* object = find(target.object);
            if (object != nullptr && object->act != nullptr)
                object->act(*this, {*object, target.member, target.value, deed.at});
            break;
        }
    }
}

void Meter::set_clock(const Deed& deed) {
    const Instant before = clock_.shown(deed.at);
    log(before, event::clock_before);
    clock_.set(deed.at, deed.shown);
    log(deed.shown, event::clock_after);
    status_ |= profile_status_bit::clock_was_set;
    if (rare_) catch_up_schedule(before, deed.shown, deed.at);
}

void Meter::remember(Deed deed) {
    if (applying_) return;
    constexpr std::size_t many = 256;
    if (deed.kind == Deed::Kind::written && deeds_.size() > many)  // the last one counts
        std::erase_if(deeds_, [&](const Deed& old) {
            return old.kind == deed.kind && old.content.size() > target_size &&
                   std::equal(old.content.begin(), old.content.begin() + target_size, deed.content.begin());
        });
    deeds_.push_back(std::move(deed));
}

void Meter::remember_call(std::uint16_t class_id, const ObisCode& object, std::int8_t method,
                          const Data& argument, Instant now) {
    remember({Deed::Kind::called, now, {}, deed_content(class_id, object, method, argument)});
}

void Meter::replay(const std::vector<Deed>& deeds) {
    for (const auto& deed : deeds) {
        const bool of_breaker = deed.kind == Deed::Kind::disconnected || deed.kind == Deed::Kind::reconnected;
        if (!of_breaker || supply_ != nullptr) perform(deed);
    }
}

RareState& Meter::rare() {
    if (!rare_) rare_ = std::make_unique<RareState>();
    return *rare_;
}

std::optional<Data> Meter::attribute(const ObisCode& object, std::int8_t id) const {
    if (!rare_) return std::nullopt;
    const auto found = rare_->attributes.find({object, id});
    return found == rare_->attributes.end() ? std::nullopt : std::optional{found->second};
}

void Meter::store(const ObisCode& object, std::int8_t id, Data value) {
    rare().attributes.insert_or_assign({object, id}, std::move(value));
}

}  // namespace wattmesh::sim
