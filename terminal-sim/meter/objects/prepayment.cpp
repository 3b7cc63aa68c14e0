#include <algorithm>
#include <limits>

#include "protocol/cosem/measurement.h"
#include "protocol/cosem/payment.h"
#include "terminal-sim/meter/meter.h"
#include "terminal-sim/meter/objects/charge.h"

/// Payment objects of a meter that sells by token: what it has, what came, and the gateway that takes the
/// same twenty digits as the keypad. Amounts are Wh, or with a price hundred-thousandths of the currency.
namespace wattmesh::sim {

using namespace dlms;

namespace {

constexpr ObisCode account_name = object_name(0, 0, 19, 0, 0), credit_name = object_name(0, 0, 19, 10, 0),
                   charge_name = object_name(0, 0, 19, 20, 0), sts_name = object_name(0, 0, 19, 50, 0);

std::int32_t narrowed(std::int64_t amount) {
    using Limits = std::numeric_limits<std::int32_t>;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(amount, Limits::min(), Limits::max()));
}

/// Bits of current_credit_status from the first on: in credit, low, next enabled, selectable, selected, in
/// use, out of credit.
BitString status_bits(const PrepaidMeter& meter) {
    const bool out = meter.relay() == Relay::open, low = meter.balance() <= meter.settings().low_credit;
    const bool emergency = meter.state().emergency;
    return {8,
            {static_cast<std::uint8_t>((meter.balance() > 0 ? 0x80 : 0) | (low ? 0x40 : 0) |
                                       (low && !emergency ? 0x10 : 0) | (emergency ? 0x0C : 0) |
                                       (out ? 0x02 : 0))}};
}

ReadOutcome read_account(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::account;
    const PrepaidMeter now = meter.prepaid_at(what.now);
    const bool money = now.settings().price.has_value();
    switch (what.attribute) {
        case 2:
            return account_mode_and_status.write({PaymentMode::prepayment_mode, AccountStatus::active});
        case 3:
            return current_credit_in_use.write(now.state().emergency ? 1 : 0);
        case 4:
            return current_credit_status.write(status_bits(now));
        case 5:
            return available_credit.write(narrowed(std::max<std::int64_t>(0, now.balance())));
        case 6:
            return amount_to_clear.write(narrowed(std::max<std::int64_t>(0, -now.balance())));
        case 9:
            return credit_reference_list.write({credit_name, prepaid_object::emergency_credit});
        case 10:
            return charge_reference_list.write({charge_name});
        case 11:
            return credit_charge_configuration.write({{credit_name, charge_name, {3, {0x00}}}});
        case 12:
            return token_gateway_configuration.write({{credit_name, 100}});
        case 13:
        case 14:
            return account_activation_time.write(cosem::unspecified_time);
        case 15:
            return money ? currency.write({{"EUR"}, -5, CurrencyUnit::monetary})
                         : currency.write({{"Wh"}, 0, CurrencyUnit::consumption});
        case 16:
            return low_credit_threshold.write(narrowed(now.settings().low_credit));
        case 18:
            return max_provision.write(0);
        default:
            return aggregated_debt.write(0);
    }
}

/// The token credit and the emergency credit.
ReadOutcome read_credit(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::credit;
    const PrepaidMeter now = meter.prepaid_at(what.now);
    const bool emergency = what.object.name == prepaid_object::emergency_credit;
    const std::int64_t balance = now.balance(), reserve = now.settings().emergency;
    switch (what.attribute) {
        case 2:
            return current_credit_amount.write(narrowed(
                emergency ? std::clamp<std::int64_t>(reserve + std::min<std::int64_t>(0, balance), 0, reserve)
                          : balance));
        case 3:
            return credit_type.write(emergency ? CreditType::emergency_credit : CreditType::token_credit);
        case 4:
            return priority.write(emergency ? 2 : 1);
        case 5:
            return warning_threshold.write(narrowed(emergency ? 0 : now.settings().low_credit));
        case 7:
            return credit_configuration.write({5, {static_cast<std::uint8_t>(emergency ? 0x60 : 0x08)}});
        case 8:
            if (emergency)
                return credit_status.write(now.state().emergency                  ? CreditStatus::in_use
                                           : balance <= now.settings().low_credit ? CreditStatus::selectable
                                                                                  : CreditStatus::enabled);
            return credit_status.write(balance > 0 ? CreditStatus::in_use : CreditStatus::exhausted);
        case 9:
            return preset_credit_amount.write(narrowed(emergency ? reserve : 0));
        case 10:
            return credit_available_threshold.write(narrowed(emergency ? now.settings().low_credit : 0));
        case 11:
            return period.write(cosem::unspecified_time);
        default:
            return limit.write(narrowed(emergency ? -reserve : 0));
    }
}

ReadOutcome read_gateway(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::token_gateway;
    const PrepaidSide& side = *meter.prepaid();
    const bool none = side.token.empty();
    switch (what.attribute) {
        case 3:
            return token_time.write(none ? cosem::unspecified_time : cosem::raw({.at = side.token_at}));
        case 4:
            return none ? token_description.write({})
                        : token_description.write({to_buffer(as_bytes(to_string(side.refusal)))});
        case 5:
            return token_delivery_method.write(side.token_from);
        case 6:
            return token_status.write(none ? TokenStatus{StatusCode::token_format_ok, {0, {}}}
                                           : token_status_of(side.refusal));
        default:
            return token.write(to_buffer(as_bytes(side.token)));
    }
}

ActionOutcome enter(Meter& meter, const SimObject::Call& what) {
    using namespace cosem::token_gateway;
    const auto octets = cosem::token_gateway::enter.read(what.argument);
    if (!octets) return {AccessResult::type_unmatched, {}};
    const auto entry = meter.enter_token({octets->begin(), octets->end()}, DeliveryMethod::remote, what.now);
    const ReadOutcome status = token_status.write(token_status_of(entry.refusal));
    return {AccessResult::success, std::get<Data>(status)};
}

ReadOutcome read_sts(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::iec_62055_41_attributes;
    const PrepaidMeter& prepaid = meter.prepaid()->meter;
    const sts::KeyAttributes& key = prepaid.state().key;
    switch (what.attribute) {
        case 2: {
            const std::string digits{prepaid.settings().pan.digits()};
            const std::string number{prepaid.settings().pan.meter_number()};
            const std::string issuer = digits.substr(0, digits.size() - number.size() - 1);
            return meter_pan.write({static_cast<std::uint32_t>(std::stoul(issuer)), std::stoull(number),
                                    static_cast<std::uint8_t>(digits.back() - '0')});
        }
        case 3:
            return commodity.write("ELECTRICITY");
        case 4:
            return token_carrier_types.write({2, 7});  // keypad, and this gateway
        case 5:
            return encryption_algorithm.write(
                static_cast<std::uint8_t>(sts::algorithm_of(prepaid.state().decoder_key)));
        case 6:
            return supply_group_code.write(key.supply_group.value);
        case 7:
            return tariff_index.write(key.tariff_index);
        case 8:
            return key_revision_number.write(key.revision);
        case 9:
            return key_type.write(static_cast<std::uint8_t>(key.type));
        case 10:
            return key_expiry_number.write(key.expiry);
        case 11:
            return no_of_kct_supported.write(
                sts::algorithm_of(prepaid.state().decoder_key) == sts::Algorithm::ea07 ? 2 : 4);
        default:
            return sts_certificate_no.write("");
    }
}

ReadOutcome read_load_side(const Meter& meter, const SimObject::Read& what) {
    if (what.attribute == 3) return cosem::register_::scaler_unit.write({-1, cosem::Unit::volt});
    return Data{static_cast<std::uint16_t>(meter.load_side_decivolts(what.now))};
}

}  // namespace

void ObjectMaker::prepayment(SimObjects& objects, const TableKey& key) {
    const auto add = [&](const cosem::ClassSpec& spec, ObisCode name,
                         decltype(SimObject::read) read) -> SimObject& {
        objects.push_back({.spec = &spec, .name = name, .audience = for_management, .read = read});
        return objects.back();
    };
    add(cosem::account::spec, account_name, read_account);
    add(cosem::credit::spec, credit_name, read_credit);
    SimObject& emergency = add(cosem::credit::spec, prepaid_object::emergency_credit, read_credit);
    emergency.methods = {3};
    emergency.act = [](Meter& meter, const SimObject::Call& what) -> ActionOutcome {
        return {meter.take_emergency(what.now) ? AccessResult::success : AccessResult::other_reason, {}};
    };
    add(cosem::charge::spec, charge_name, read_charge);
    SimObject& gateway = add(cosem::token_gateway::spec, prepaid_object::token_gateway, read_gateway);
    gateway.methods = {1};
    gateway.act = enter;
    add(cosem::iec_62055_41_attributes::spec, sts_name, read_sts);
    if (const auto* behind = key.model->find(cosem::Quantity::load_side_voltage))
        add(cosem::register_::spec, behind->name, read_load_side);
}

}  // namespace wattmesh::sim
