#pragma once
#include "protocol/cosem/parts.h"

/// Account (class 111), Credit (112), Charge (113), Token gateway (115) and IEC 62055-41 attributes (116).
/// Amounts are in the account's currency unit and scale. Source: Blue Book ed. 14, 4.6.
namespace wattmesh::cosem {

namespace account {
enum class PaymentMode : std::uint8_t { credit_mode = 1, prepayment_mode = 2 };
constexpr PaymentMode last_of(PaymentMode) { return PaymentMode::prepayment_mode; }
enum class AccountStatus : std::uint8_t { new_inactive = 1, active = 2, closed = 3 };
constexpr AccountStatus last_of(AccountStatus) { return AccountStatus::closed; }
struct ModeAndStatus {
    PaymentMode payment_mode = PaymentMode::credit_mode;
    AccountStatus account_status = AccountStatus::new_inactive;
    friend bool operator==(const ModeAndStatus&, const ModeAndStatus&) = default;
    static constexpr auto members() {
        return std::tuple{&ModeAndStatus::payment_mode, &ModeAndStatus::account_status};
    }
};
struct CreditCharge {
    ObisCode credit_reference, charge_reference;
    dlms::BitString collection_configuration;  ///< 3 bits
    friend bool operator==(const CreditCharge&, const CreditCharge&) = default;
    static constexpr auto members() {
        return std::tuple{&CreditCharge::credit_reference, &CreditCharge::charge_reference,
                          &CreditCharge::collection_configuration};
    }
};
struct TokenShare {
    ObisCode credit_reference;
    std::uint8_t token_proportion = 0;  ///< percent
    friend bool operator==(const TokenShare&, const TokenShare&) = default;
    static constexpr auto members() {
        return std::tuple{&TokenShare::credit_reference, &TokenShare::token_proportion};
    }
};
enum class CurrencyUnit : std::uint8_t { time = 0, consumption = 1, monetary = 2 };
constexpr CurrencyUnit last_of(CurrencyUnit) { return CurrencyUnit::monetary; }
struct Currency {
    dlms::Utf8String currency_name;  ///< "EUR"
    std::int8_t currency_scale = 0;
    CurrencyUnit currency_unit{};
    friend bool operator==(const Currency&, const Currency&) = default;
    static constexpr auto members() {
        return std::tuple{&Currency::currency_name, &Currency::currency_scale, &Currency::currency_unit};
    }
};

inline constexpr ClassName owner{111, "account"};
inline constexpr Attribute<ModeAndStatus> account_mode_and_status{owner, 2, "account_mode_and_status",
                                                                  Change::dynamic};
/// Position in credit_reference_list, from 0.
inline constexpr Attribute<std::uint8_t> current_credit_in_use{owner, 3, "current_credit_in_use",
                                                               Change::dynamic};
inline constexpr Attribute<dlms::BitString> current_credit_status{owner, 4, "current_credit_status",
                                                                  Change::dynamic};
inline constexpr Attribute<std::int32_t> available_credit{owner, 5, "available_credit", Change::dynamic};
inline constexpr Attribute<std::int32_t> amount_to_clear{owner, 6, "amount_to_clear", Change::dynamic};
inline constexpr Attribute<std::int32_t> clearance_threshold{owner, 7, "clearance_threshold", Change::fixed};
inline constexpr Attribute<std::int32_t> aggregated_debt{owner, 8, "aggregated_debt", Change::dynamic};
inline constexpr Attribute<std::vector<ObisCode>> credit_reference_list{owner, 9, "credit_reference_list",
                                                                        Change::fixed};
inline constexpr Attribute<std::vector<ObisCode>> charge_reference_list{owner, 10, "charge_reference_list",
                                                                        Change::fixed};
inline constexpr Attribute<std::vector<CreditCharge>> credit_charge_configuration{
    owner, 11, "credit_charge_configuration", Change::fixed};
inline constexpr Attribute<std::vector<TokenShare>> token_gateway_configuration{
    owner, 12, "token_gateway_configuration", Change::fixed};
inline constexpr Attribute<dlms::RawDateTime> account_activation_time{owner, 13, "account_activation_time",
                                                                      Change::fixed};
inline constexpr Attribute<dlms::RawDateTime> account_closure_time{owner, 14, "account_closure_time",
                                                                   Change::fixed};
inline constexpr Attribute<Currency> currency{owner, 15, "currency", Change::fixed};
inline constexpr Attribute<std::int32_t> low_credit_threshold{owner, 16, "low_credit_threshold",
                                                              Change::fixed};
inline constexpr Attribute<std::int32_t> next_credit_available_threshold{
    owner, 17, "next_credit_available_threshold", Change::fixed};
inline constexpr Attribute<std::uint16_t> max_provision{owner, 18, "max_provision", Change::fixed};
/// Seconds.
inline constexpr Attribute<std::int32_t> max_provision_period{owner, 19, "max_provision_period",
                                                              Change::fixed};
inline constexpr Method<> activate_account{owner, 1, "activate_account", Need::optional};
inline constexpr Method<> close_account{owner, 2, "close_account", Need::optional};
inline constexpr Method<> reset_account{owner, 3, "reset_account", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name,
                                            account_mode_and_status,
                                            current_credit_in_use,
                                            current_credit_status,
                                            available_credit,
                                            amount_to_clear,
                                            clearance_threshold,
                                            aggregated_debt,
                                            credit_reference_list,
                                            charge_reference_list,
                                            credit_charge_configuration,
                                            token_gateway_configuration,
                                            account_activation_time,
                                            account_closure_time,
                                            currency,
                                            low_credit_threshold,
                                            next_credit_available_threshold,
                                            max_provision,
                                            max_provision_period};
inline constexpr MethodSpec methods[]{activate_account, close_account, reset_account};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace account

namespace credit {
enum class CreditType : std::uint8_t {
    token_credit = 0,
    reserved_credit = 1,
    emergency_credit = 2,
    time_based_credit = 3,
    consumption_based_credit = 4,
};
constexpr CreditType last_of(CreditType) { return CreditType::consumption_based_credit; }
enum class CreditStatus : std::uint8_t {
    enabled = 0,
    selectable = 1,
    selected_or_invoked = 2,
    in_use = 3,
    exhausted = 4,
};
constexpr CreditStatus last_of(CreditStatus) { return CreditStatus::exhausted; }

inline constexpr ClassName owner{112, "credit"};
inline constexpr Attribute<std::int32_t> current_credit_amount{owner, 2, "current_credit_amount",
                                                               Change::dynamic};
inline constexpr Attribute<CreditType> credit_type{owner, 3, "credit_type", Change::fixed};
/// 1 is consumed first.
inline constexpr Attribute<std::uint8_t> priority{owner, 4, "priority", Change::fixed};
inline constexpr Attribute<std::int32_t> warning_threshold{owner, 5, "warning_threshold", Change::fixed};
inline constexpr Attribute<std::int32_t> limit{owner, 6, "limit", Change::fixed};
/// 5 bits: visual indication, confirmation, pay back, resettable, takes tokens.
inline constexpr Attribute<dlms::BitString> credit_configuration{owner, 7, "credit_configuration",
                                                                 Change::fixed};
inline constexpr Attribute<CreditStatus> credit_status{owner, 8, "credit_status", Change::dynamic};
inline constexpr Attribute<std::int32_t> preset_credit_amount{owner, 9, "preset_credit_amount",
                                                              Change::fixed};
inline constexpr Attribute<std::int32_t> credit_available_threshold{owner, 10, "credit_available_threshold",
                                                                    Change::fixed};
inline constexpr Attribute<dlms::RawDateTime> period{owner, 11, "period", Change::fixed};
inline constexpr Method<std::int32_t> update_amount{owner, 1, "update_amount", Need::optional};
inline constexpr Method<std::int32_t> set_amount_to_value{owner, 2, "set_amount_to_value", Need::optional};
inline constexpr Method<> invoke_credit{owner, 3, "invoke_credit", Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name,
                                            current_credit_amount,
                                            credit_type,
                                            priority,
                                            warning_threshold,
                                            limit,
                                            credit_configuration,
                                            credit_status,
                                            preset_credit_amount,
                                            credit_available_threshold,
                                            period};
inline constexpr MethodSpec methods[]{update_amount, set_amount_to_value, invoke_credit};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace credit

namespace charge {
enum class ChargeType : std::uint8_t {
    consumption_based_collection = 0,
    time_based_collection = 1,
    payment_event_based_collection = 2,
};
constexpr ChargeType last_of(ChargeType) { return ChargeType::payment_event_based_collection; }
struct Scaling {
    std::int8_t commodity_scale = 0, price_scale = 0;
    friend bool operator==(const Scaling&, const Scaling&) = default;
    static constexpr auto members() { return std::tuple{&Scaling::commodity_scale, &Scaling::price_scale}; }
};
struct Price {
    Buffer index;
    std::int16_t charge_per_unit = 0;
    friend bool operator==(const Price&, const Price&) = default;
    static constexpr auto members() { return std::tuple{&Price::index, &Price::charge_per_unit}; }
};
struct UnitCharge {
    Scaling charge_per_unit_scaling;
    ValueDefinition commodity_reference;
    std::vector<Price> charge_table;
    friend bool operator==(const UnitCharge&, const UnitCharge&) = default;
    static constexpr auto members() {
        return std::tuple{&UnitCharge::charge_per_unit_scaling, &UnitCharge::commodity_reference,
                          &UnitCharge::charge_table};
    }
};

inline constexpr ClassName owner{113, "charge"};
inline constexpr Attribute<std::int32_t> total_amount_paid{owner, 2, "total_amount_paid", Change::dynamic};
inline constexpr Attribute<ChargeType> charge_type{owner, 3, "charge_type", Change::fixed};
/// 1 is collected first.
inline constexpr Attribute<std::uint8_t> priority{owner, 4, "priority", Change::fixed};
inline constexpr Attribute<UnitCharge> unit_charge_active{owner, 5, "unit_charge_active", Change::fixed};
inline constexpr Attribute<UnitCharge> unit_charge_passive{owner, 6, "unit_charge_passive", Change::fixed};
inline constexpr Attribute<dlms::RawDateTime> unit_charge_activation_time{
    owner, 7, "unit_charge_activation_time", Change::fixed};
/// Seconds.
inline constexpr Attribute<std::uint32_t> period{owner, 8, "period", Change::fixed};
/// 2 bits: percentage based collection, continuous collection.
inline constexpr Attribute<dlms::BitString> charge_configuration{owner, 9, "charge_configuration",
                                                                 Change::fixed};
inline constexpr Attribute<TaggedDateTime> last_collection_time{owner, 10, "last_collection_time",
                                                                Change::dynamic};
inline constexpr Attribute<std::int32_t> last_collection_amount{owner, 11, "last_collection_amount",
                                                                Change::dynamic};
inline constexpr Attribute<std::int32_t> total_amount_remaining{owner, 12, "total_amount_remaining",
                                                                Change::dynamic};
/// Of a token, in 1/10000.
inline constexpr Attribute<std::uint16_t> proportion{owner, 13, "proportion", Change::fixed};
inline constexpr Method<std::vector<Price>> update_unit_charge{owner, 1, "update_unit_charge",
                                                               Need::optional};
inline constexpr Method<> activate_passive_unit_charge{owner, 2, "activate_passive_unit_charge",
                                                       Need::optional};
inline constexpr Method<> collect{owner, 3, "collect", Need::optional};
inline constexpr Method<std::int32_t> update_total_amount_remaining{owner, 4, "update_total_amount_remaining",
                                                                    Need::optional};
inline constexpr Method<std::int32_t> set_total_amount_remaining{owner, 5, "set_total_amount_remaining",
                                                                 Need::optional};

inline constexpr AttributeSpec attributes[]{logical_name,
                                            total_amount_paid,
                                            charge_type,
                                            priority,
                                            unit_charge_active,
                                            unit_charge_passive,
                                            unit_charge_activation_time,
                                            period,
                                            charge_configuration,
                                            last_collection_time,
                                            last_collection_amount,
                                            total_amount_remaining,
                                            proportion};
inline constexpr MethodSpec methods[]{update_unit_charge, activate_passive_unit_charge, collect,
                                      update_total_amount_remaining, set_total_amount_remaining};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace charge

namespace token_gateway {
enum class DeliveryMethod : std::uint8_t { remote = 0, local = 1, manual_entry = 2 };
constexpr DeliveryMethod last_of(DeliveryMethod) { return DeliveryMethod::manual_entry; }
enum class StatusCode : std::uint8_t {
    token_format_ok = 0,
    authentication_ok = 1,
    validation_ok = 2,
    token_execution_ok = 3,
    token_format_failure = 4,
    authentication_failure = 5,
    validation_failure = 6,
    token_execution_failure = 7,
    token_received_and_not_yet_processed = 8,
};
constexpr StatusCode last_of(StatusCode) { return StatusCode::token_received_and_not_yet_processed; }
struct TokenStatus {
    StatusCode status_code{};
    dlms::BitString data_value;
    friend bool operator==(const TokenStatus&, const TokenStatus&) = default;
    static constexpr auto members() {
        return std::tuple{&TokenStatus::status_code, &TokenStatus::data_value};
    }
};

inline constexpr ClassName owner{115, "token_gateway"};
inline constexpr Attribute<Buffer> token{owner, 2, "token", Change::dynamic};
inline constexpr Attribute<dlms::RawDateTime> token_time{owner, 3, "token_time", Change::dynamic};
inline constexpr Attribute<std::vector<Buffer>> token_description{owner, 4, "token_description",
                                                                  Change::dynamic};
inline constexpr Attribute<DeliveryMethod> token_delivery_method{owner, 5, "token_delivery_method",
                                                                 Change::dynamic};
inline constexpr Attribute<TokenStatus> token_status{owner, 6, "token_status", Change::dynamic};
/// The answer's value is a TokenStatus.
inline constexpr Method<Buffer> enter{owner, 1, "enter", Need::mandatory};

inline constexpr AttributeSpec attributes[]{logical_name,          token,       token_time, token_description,
                                            token_delivery_method, token_status};
inline constexpr MethodSpec methods[]{enter};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, methods};
}  // namespace token_gateway

namespace iec_62055_41_attributes {
/// The meter's primary account number (IEC 62055-41, 6.1.2).
struct MeterPan {
    std::uint32_t issuer_identification_number = 0;
    std::uint64_t decoder_reference_number = 0;  ///< 11 or 13 digits
    std::uint8_t pan_check_digit = 0;
    friend bool operator==(const MeterPan&, const MeterPan&) = default;
    static constexpr auto members() {
        return std::tuple{&MeterPan::issuer_identification_number, &MeterPan::decoder_reference_number,
                          &MeterPan::pan_check_digit};
    }
};
inline constexpr ClassName owner{116, "iec_62055_41_attributes"};
inline constexpr Attribute<MeterPan> meter_pan{owner, 2, "meter_pan", Change::fixed};
/// "ELECTRICITY"
inline constexpr Attribute<std::string> commodity{owner, 3, "commodity", Change::fixed};
inline constexpr Attribute<std::vector<std::uint8_t>> token_carrier_types{owner, 4, "token_carrier_types",
                                                                          Change::fixed};
inline constexpr Attribute<std::uint8_t> encryption_algorithm{owner, 5, "encryption_algorithm",
                                                              Change::fixed};
inline constexpr Attribute<std::uint32_t> supply_group_code{owner, 6, "supply_group_code", Change::fixed};
inline constexpr Attribute<std::uint8_t> tariff_index{owner, 7, "tariff_index", Change::fixed};
inline constexpr Attribute<std::uint8_t> key_revision_number{owner, 8, "key_revision_number", Change::fixed};
inline constexpr Attribute<std::uint8_t> key_type{owner, 9, "key_type", Change::fixed};
inline constexpr Attribute<std::uint8_t> key_expiry_number{owner, 10, "key_expiry_number", Change::fixed};
inline constexpr Attribute<std::uint8_t> no_of_kct_supported{owner, 11, "no_of_kct_supported", Change::fixed};
inline constexpr Attribute<std::string> sts_certificate_no{owner, 12, "sts_certificate_no", Change::fixed};

inline constexpr AttributeSpec attributes[]{logical_name,
                                            meter_pan,
                                            commodity,
                                            token_carrier_types,
                                            encryption_algorithm,
                                            supply_group_code,
                                            tariff_index,
                                            key_revision_number,
                                            key_type,
                                            key_expiry_number,
                                            no_of_kct_supported,
                                            sts_certificate_no};
inline constexpr ClassSpec spec{owner.id, 0, owner.name, attributes, {}};
}  // namespace iec_62055_41_attributes

}  // namespace wattmesh::cosem
