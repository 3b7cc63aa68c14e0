#include "terminal-sim/meter/prepaid_meter.h"

#include <cassert>
#include <limits>

#include "protocol/sts/amount.h"

namespace wattmesh::sim {

using namespace sts;
using Kind = PrepaidEvent::Kind;

namespace {

constexpr std::int64_t wh_per_tenth_kwh = 100;
constexpr Duration hour = std::chrono::hours{1};

/// Wrong by being a guess; a token that is known and refused is none.
bool is_guess(Refusal refusal) { return refusal == Refusal::checksum || refusal == Refusal::function; }

BaseDate next_base(BaseDate base) { return base == BaseDate::y1993 ? BaseDate::y2014 : BaseDate::y2035; }

}  // namespace

std::string_view to_string(Relay relay) {
    switch (relay) {
        case Relay::closed:
            return "closed";
        case Relay::open:
            return "open";
        case Relay::armed:
            return "armed";
        case Relay::waiting:
            return "waiting";
    }
    return "?";
}

PrepaidMeter::PrepaidMeter(PrepaidSettings settings) : settings_(std::move(settings)) {
    state_.key = settings_.key;
    state_.decoder_key = settings_.decoder_key;
    state_.balance = settings_.balance;
    if (state_.balance > 0) state_.relay = Relay::closed;
}

PrepaidMeter::PrepaidMeter(PrepaidSettings settings, PrepaidState state)
    : settings_(std::move(settings)), state_(std::move(state)) {}

TokenEntry PrepaidMeter::enter(std::string_view digits, Instant now) {
    TokenEntry entry;
    const auto token = parse_token(digits);
    if (!token) return {Refusal::format, {}, 0, 0, {}};
    if (extract_class(*token).token_class == TokenClass::test) return test(*token);
    if (now < state_.locked_until) return {Refusal::locked_out, {}, 0, 0, {}};
    const HeldKey key = held();
    Opening opening = open(*token, &key);
    entry.refusal = opening.refusal;
    entry.content = std::move(opening.content);
    if (entry.refusal == Refusal::none && entry.content) {
        const auto tid = tid_of(*entry.content);
        if (tid) entry.refusal = state_.tids.judge(*tid);
        if (entry.refusal == Refusal::none) {
            if (const auto* credit = std::get_if<Credit>(&*entry.content)) entry.refusal = take(*credit, now);
            if (const auto* credit = std::get_if<CurrencyCredit>(&*entry.content))
                entry.refusal = take(*credit, now);
            if (const auto* order = std::get_if<Management>(&*entry.content))
                entry.refusal = take(*order, now);
            if (const auto* section = std::get_if<KeySection>(&*entry.content))
                entry.refusal = take_section(*section, entry, now);
        }
        if (entry.refusal == Refusal::none) {
            if (tid) state_.tids.store(*tid);
            state_.wrong_entries = 0;
        }
    } else if (is_guess(entry.refusal)) {
        wrong(now);
    }
    settle(now);
    return entry;
}

void PrepaidMeter::wrong(Instant now) {
    if (++state_.wrong_entries <= wrong_entries_free) return;
    Duration lock = lock_out_first;
    for (unsigned i = wrong_entries_free + 1; i < state_.wrong_entries && lock < lock_out_longest; ++i)
        lock *= 2;
    state_.locked_until = now + std::min(lock, lock_out_longest);
    tell(Kind::locked_out, now);
}

Refusal PrepaidMeter::add(std::int64_t amount, Instant now) {
    if (amount > settings_.balance_max || state_.balance > settings_.balance_max - amount)
        return Refusal::overflow;
    state_.balance += amount;
    if (state_.balance > 0) state_.emergency = false;  // paid back: it may be asked for again
    tell(Kind::credit_added, now);
    return Refusal::none;
}

Refusal PrepaidMeter::take(const Credit& credit, Instant now) {
    if (settings_.price || credit.commodity != Commodity::electricity) return Refusal::function;
    return add(decode_units(credit.amount) * wh_per_tenth_kwh, now);
}

Refusal PrepaidMeter::take(const CurrencyCredit& credit, Instant now) {
    if (!settings_.price || credit.commodity != Commodity::electricity) return Refusal::function;
    const CurrencyCount count = decode_currency(credit.amount);
    if (count > settings_.balance_max || count < -CurrencyCount{settings_.balance_max})
        return Refusal::overflow;
    return add(static_cast<std::int64_t>(count), now);
}

Refusal PrepaidMeter::take(const Management& order, Instant) {
    switch (order.command) {
        case Command::power_limit:
            state_.power_limit = decode_units(order.value);
            return Refusal::none;
        case Command::phase_unbalance:
            state_.phase_unbalance_limit = decode_units(order.value);
            return Refusal::none;
        case Command::clear_credit:
            if (order.value != every_register && order.value != (settings_.price ? 4 : 0))
                return Refusal::range;
            state_.balance = 0;
            state_.price_rest = 0;
            state_.emergency = false;
            return Refusal::none;
        case Command::clear_tamper:
            state_.tampered = false;
            return Refusal::none;
        default:
            return Refusal::function;
    }
}

Refusal PrepaidMeter::take_section(const KeySection& section, TokenEntry& entry, Instant now) {
    const Algorithm algorithm = algorithm_of(state_.decoder_key);
    entry.sections_wanted = algorithm == Algorithm::ea07 ? 2 : 4;
    if (section.number > entry.sections_wanted) return Refusal::function;
    if (section.number == 1 && !may_change(state_.key.type, flags_of(section).type)) return Refusal::key_type;
    if (now - sections_since_ > key_change_window) sections_.clear();
    std::erase_if(sections_, [&](const KeySection& held) { return held.number == section.number; });
    if (sections_.empty()) sections_since_ = now;
    sections_.push_back(section);
    entry.sections = static_cast<unsigned>(sections_.size());
    if (entry.sections < entry.sections_wanted) return Refusal::none;
    const auto key = assemble(sections_, algorithm);
    sections_.clear();
    if (!key) return Refusal::range;
    change_key(*key, now);
    return Refusal::none;
}

void PrepaidMeter::change_key(const NewKey& key, Instant now) {
    KeyAttributes& held = state_.key;
    held.revision = key.revision;
    held.type = key.type;
    held.tariff_index = key.tariff_index;
    held.expiry = key.expiry;
    if (key.supply_group) held.supply_group = *key.supply_group;
    state_.decoder_key = key.key;
    ++state_.key_changes;
    if (key.rollover) {
        held.base = next_base(held.base);
        state_.tids.forget();
    }
    tell(Kind::key_changed, now);
}

TokenEntry PrepaidMeter::test(const Token& token) const {
    Opening opening = open(token, nullptr);
    TokenEntry entry{opening.refusal, std::move(opening.content), 0, 0, {}};
    if (entry.refusal != Refusal::none) return entry;
    const auto& wanted = std::get<MeterTest>(*entry.content);
    if (wanted.form == MeterTest::Form::extended) {
        entry.refusal = Refusal::function;
        return entry;
    }
    if (wanted.manufacturer != 0 && settings_.manufacturer != 0 &&
        wanted.manufacturer != settings_.manufacturer) {
        entry.refusal = Refusal::manufacturer;
        return entry;
    }
    const auto show = [&](std::uint64_t bit, const char* name, const std::string& value) {
        if ((wanted.control & bit) != 0) entry.shown.emplace_back(name, value);
    };
    const auto limit = [](std::optional<std::uint32_t> watts) {
        return watts ? std::to_string(*watts) : "none";
    };
    char group[8];
    std::snprintf(group, sizeof group, "%06u", state_.key.supply_group.value);
    show(0x1, "relay", std::string{to_string(state_.relay)});
    show(0x4, "total_wh", std::to_string(state_.used));
    show(0x8, "krn", std::to_string(state_.key.revision));
    show(0x10, "ti", std::to_string(state_.key.tariff_index));
    show(0x40, "power_limit_w", limit(state_.power_limit));
    show(0x80, "tamper", state_.tampered ? "yes" : "no");
    show(0x400, "phase_unbalance_w", limit(state_.phase_unbalance_limit));
    show(0x2000, "ea", std::to_string(static_cast<int>(algorithm_of(state_.decoder_key))));
    show(0x4000, "key_change_tokens", algorithm_of(state_.decoder_key) == Algorithm::ea07 ? "2" : "4");
    show(0x8000, "sgc", group);
    show(0x10000, "ken", std::to_string(state_.key.expiry));
    show(0x20000, "meter", std::string{settings_.pan.meter_number()});
    return entry;
}

void PrepaidMeter::consume(std::int64_t wh, Duration elapsed, Instant now) {
    assert(wh >= 0);
    if (state_.relay != Relay::closed || wh == 0) return;
    state_.used += wh;
    if (settings_.price) {
        state_.price_rest += wh * *settings_.price;
        state_.balance -= state_.price_rest / 1000;
        state_.price_rest %= 1000;
    } else {
        state_.balance -= wh;
    }
    // One Wh less: counts are whole, and a short time with one in it is no overload.
    const bool over = state_.power_limit && elapsed.count() > 0 &&
                      (wh - 1) * hour.count() > std::int64_t{*state_.power_limit} * elapsed.count();
    if (over) state_.overloaded = true;
    settle(now);
}

bool PrepaidMeter::take_emergency(Instant now) {
    if (state_.emergency || state_.balance > settings_.low_credit || state_.balance <= -settings_.emergency)
        return false;
    state_.emergency = true;
    tell(Kind::emergency_taken, now);
    settle(now);
    return true;
}

void PrepaidMeter::press_button(Instant now) {
    state_.overloaded = false;
    settle(now);
    if (state_.relay != Relay::armed) return;
    state_.relay = Relay::closed;
    tell(Kind::relay_closed, now);
}

void PrepaidMeter::command_closed(Instant now) {
    press_button(now);
    if (state_.relay != Relay::waiting) return;
    state_.relay = Relay::closed;
    tell(Kind::relay_closed, now);
}

void PrepaidMeter::tamper(Instant now) {
    state_.tampered = true;
    settle(now);
}

bool PrepaidMeter::supplies() const {
    const std::int64_t floor = state_.emergency ? -settings_.emergency : 0;
    return state_.balance > floor && !state_.tampered && !state_.overloaded;
}

/// Relay and warning follow from the balance.
void PrepaidMeter::settle(Instant now) {
    const bool low = state_.balance <= settings_.low_credit;
    if (low && !state_.warned) tell(Kind::credit_low, now);
    state_.warned = low;
    if (!supplies()) {
        if (state_.relay == Relay::closed) tell(Kind::relay_opened, now);
        state_.relay = Relay::open;
    } else if (state_.relay == Relay::open) {
        const auto [relay, kind] = [&]() -> std::pair<Relay, Kind> {
            switch (settings_.reconnection) {
                case cosem::Reconnection::by_hand:
                    return {Relay::armed, Kind::relay_armed};
                case cosem::Reconnection::by_command:
                    return {Relay::waiting, Kind::relay_waiting};
                default:
                    return {Relay::closed, Kind::relay_closed};
            }
        }();
        state_.relay = relay;
        tell(kind, now);
    }
}

std::int64_t PrepaidMeter::energy_left() const {
    if (state_.relay != Relay::closed) return 0;
    const std::int64_t left = state_.balance + (state_.emergency ? settings_.emergency : 0);
    if (!settings_.price) return left;
    if (*settings_.price <= 0) return std::numeric_limits<std::int64_t>::max();
    return (left * 1000 - state_.price_rest + *settings_.price - 1) / *settings_.price;
}

}  // namespace wattmesh::sim
