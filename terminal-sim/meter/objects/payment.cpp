#include "protocol/cosem/payment.h"

#include "terminal-sim/meter/meter.h"
#include "terminal-sim/meter/objects/charge.h"

/// Payment objects of a meter in credit mode: to be read; nothing is bought here.
namespace wattmesh::sim {

using namespace dlms;

namespace {

constexpr ObisCode account_name = object_name(0, 0, 19, 0, 0), credit_name = object_name(0, 0, 19, 10, 0),
                   charge_name = object_name(0, 0, 19, 20, 0), gateway_name = object_name(0, 0, 19, 40, 0),
                   sts_name = object_name(0, 0, 19, 50, 0);

ReadOutcome read_account(const Meter&, const SimObject::Read& what) {
    using namespace cosem::account;
    switch (what.attribute) {
        case 2:
            return account_mode_and_status.write({PaymentMode::credit_mode, AccountStatus::active});
        case 3:
            return current_credit_in_use.write(0);
        case 4:
            return current_credit_status.write({8, {0x00}});
        case 9:
            return credit_reference_list.write({credit_name});
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
            return currency.write({{"EUR"}, -2, CurrencyUnit::monetary});
        case 18:
            return max_provision.write(0);
        default:
            return available_credit.write(0);  // and the other amounts
    }
}

ReadOutcome read_credit(const Meter&, const SimObject::Read& what) {
    using namespace cosem::credit;
    switch (what.attribute) {
        case 3:
            return credit_type.write(CreditType::token_credit);
        case 4:
            return priority.write(1);
        case 7:
            return credit_configuration.write({5, {0x08}});  // takes tokens
        case 8:
            return credit_status.write(CreditStatus::in_use);
        case 11:
            return period.write(cosem::unspecified_time);
        default:
            return current_credit_amount.write(0);
    }
}

ReadOutcome read_gateway(const Meter&, const SimObject::Read& what) {
    using namespace cosem::token_gateway;
    switch (what.attribute) {
        case 3:
            return token_time.write(cosem::unspecified_time);
        case 4:
            return token_description.write({});
        case 5:
            return token_delivery_method.write(DeliveryMethod::remote);
        case 6:
            return token_status.write({StatusCode::token_format_ok, {0, {}}});
        default:
            return token.write({});
    }
}

ReadOutcome read_sts(const Meter& meter, const SimObject::Read& what) {
    using namespace cosem::iec_62055_41_attributes;
    switch (what.attribute) {
        case 2:
            return meter_pan.write({600'727, meter.settings().number.integer() % 100'000'000'000, 0});
        case 3:
            return commodity.write("ELECTRICITY");
        case 4:
            return token_carrier_types.write({7});
        case 5:
            return encryption_algorithm.write(7);
        case 6:
            return supply_group_code.write(0);
        case 11:
            return no_of_kct_supported.write(4);
        case 12:
            return sts_certificate_no.write("");
        default:
            return tariff_index.write(0);  // and key revision, type and expiry
    }
}

}  // namespace

void ObjectMaker::payment(SimObjects& objects) {
    const auto add = [&](const cosem::ClassSpec& spec, ObisCode name, decltype(SimObject::read) read) {
        objects.push_back({.spec = &spec, .name = name, .audience = for_management, .read = read});
    };
    add(cosem::account::spec, account_name, read_account);
    add(cosem::credit::spec, credit_name, read_credit);
    add(cosem::charge::spec, charge_name, read_charge);
    add(cosem::token_gateway::spec, gateway_name, read_gateway);
    add(cosem::iec_62055_41_attributes::spec, sts_name, read_sts);
}

}  // namespace wattmesh::sim
