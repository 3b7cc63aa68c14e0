#include "terminal-sim/meter/prepaid_side.h"

#include <algorithm>
#include <cassert>

#include "terminal-sim/meter/meter.h"

/// A meter that sells by token: its balance follows the load, its breaker the balance.
namespace wattmesh::sim {

using cosem::token_gateway::DeliveryMethod;
using cosem::token_gateway::StatusCode;
using sts::Refusal;

namespace {

constexpr std::size_t import = 0;  // channel of Energies
constexpr Duration millisecond = std::chrono::milliseconds{1};

}  // namespace

cosem::token_gateway::TokenStatus token_status_of(Refusal refusal) {
    const auto code = [&] {
        switch (refusal) {
            case Refusal::none:
                return StatusCode::token_execution_ok;
            case Refusal::format:
                return StatusCode::token_format_failure;
            case Refusal::checksum:
            case Refusal::function:
            case Refusal::no_key:
                return StatusCode::authentication_failure;
            case Refusal::range:
            case Refusal::overflow:
                return StatusCode::token_execution_failure;
            default:
                return StatusCode::validation_failure;
        }
    }();
    return {code, {8, {static_cast<std::uint8_t>(refusal)}}};
}

void Meter::install_prepaid() {
    assert(supply_ != nullptr);
    rare();  // things are due by themselves
    prepaid_ = std::make_unique<PrepaidSide>(PrepaidSide{PrepaidMeter{*settings_.prepaid}});
    prepaid_->counted = registers(settings_.installed_at).total().channels[import];
    prepaid_->counted_at = settings_.installed_at;
    follow_credit(settings_.installed_at);
}

PrepaidMeter Meter::prepaid_at(Instant now) const {
    PrepaidMeter live = prepaid_->meter;
    live.consume(registers(now).total().channels[import] - prepaid_->counted, now - prepaid_->counted_at,
                 now);
    return live;
}

void Meter::settle_credit(Instant now) {
    prepaid_->meter = prepaid_at(now);
    prepaid_->counted = registers(now).total().channels[import];
    prepaid_->counted_at = now;
}

/// Counts, lets the breaker follow, and finds when to look next. Power is constant within a quarter hour of
/// true time, so the instant at which the last Wh is used is known as soon as the quarter hour begins. The
/// ledger is not asked about times to come: it keeps what it is asked.
void Meter::follow_credit(Instant now) {
    settle_credit(now);
    prepaid_->meter.take_events();
    const bool wanted = prepaid_->meter.relay() == Relay::closed && !prepaid_->held_open;
    if (closed(now) != wanted) {
        if (!wanted) status_ |= profile_status_bit::disconnected;
        supply_->set(wanted, now);
        log(clock_.shown(now), wanted ? event::breaker_closed : event::breaker_opened);
    }
    prepaid_->look_at.reset();
    if (!wanted) return;
    const IntervalNumber quarter = interval_of(now);
    const Instant start = from_epoch_us(quarter * interval_s * 1'000'000);
    const auto used = [&](Duration elapsed) { return load_.during(quarter, elapsed).channels[import]; };
    const Duration since = std::chrono::floor<std::chrono::milliseconds>(now - start);
    const std::int64_t end = used(now - start) + prepaid_->meter.energy_left();
    Duration low = since, high = SummaryLoad::whole;
    if (used(high) >= end) {
        while (high - low > millisecond) {
            const Duration middle = low + (high - low) / 2 / millisecond * millisecond;
            (used(middle) >= end ? high : low) = middle;
        }
    }
    prepaid_->look_at = start + high;
}

std::int64_t Meter::load_side_decivolts(Instant now) const {
    constexpr std::int64_t generator = 2'300;
    if (closed(now)) return electrical(0, now).decivolts;
    return rare_ && rare_->fed_from_behind ? generator : 0;
}

TokenEntry Meter::enter_token(const std::string& digits, DeliveryMethod from, Instant now) {
    assert(prepaid_);
    advance(now);
    settle_credit(now);
    PrepaidSide& side = *prepaid_;
    TokenEntry entry = side.meter.enter(digits, now);
    side.token = digits.substr(0, sts::token_digits);
    side.token_at = clock_.shown(now);
    side.token_from = from;
    side.refusal = entry.refusal;
    follow_credit(now);
    latest_ = std::max(latest_, now);
    const bool changed = entry.refusal == Refusal::none && entry.content &&
                         !std::holds_alternative<sts::MeterTest>(*entry.content);
    if (changed)
        remember_call(115, prepaid_object::token_gateway, 1, dlms::octet_string(as_bytes(digits)), now);
    return entry;
}

bool Meter::take_emergency(Instant now) {
    assert(prepaid_);
    advance(now);
    settle_credit(now);
    const bool given = prepaid_->meter.take_emergency(now);
    follow_credit(now);
    latest_ = std::max(latest_, now);
    if (given) remember_call(112, prepaid_object::emergency_credit, 3, std::int8_t{0}, now);
    return given;
}

/// By the head-end, or by the customer's button; the balance has the last word.
void Meter::switch_prepaid(bool close, Instant now) {
    settle_credit(now);
    prepaid_->held_open = !close;
    rare().ready_for_reconnection = false;
    if (close) prepaid_->meter.command_closed(now);
    follow_credit(now);
}

}  // namespace wattmesh::sim
