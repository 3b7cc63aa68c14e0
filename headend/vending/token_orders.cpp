#include "headend/vending/token_orders.h"

#include <stdexcept>

#include "protocol/sts/amount.h"
#include "security/ciphers.h"
#include "security/vending_request.h"

namespace wattmesh::headend::vending {
namespace {

using Request = security::SoftwareModule::Request;

Request parsed(const database::SaleToken& token) {
    auto request = security::parse_request(token.content);
    if (!request)
        throw std::runtime_error("token " + token.request + " is not a request that a module takes");
    return std::move(*request);
}

/// Chance that is the same when the request is made again: a nibble of its name's digest.
std::uint8_t nibble(const std::string& request) { return security::sha256(as_bytes(request))[0] & 0xF; }

database::SaleToken order(const database::PrepaidMeter& meter, const char* kind, std::optional<sts::Tid> tid,
                          const Request& request) {
    return {.request = request.id,
            .kind = kind,
            .supply_group = meter.supply_group,
            .key_revision = meter.key_revision,
            .tariff_index = meter.tariff_index,
            .base = meter.base,
            .tid = tid,
            .content = security::text_of(request)};
}

const sts::Credit* credit_in(const Request& request) {
    const auto* content = std::get_if<sts::Content>(&request.wanted);
    return content == nullptr ? nullptr : std::get_if<sts::Credit>(content);
}

/// What was made for the id says the same apart from identifier and chance.
bool carries(security::VendingModule& module, const security::Issued& issued, const Request& request) {
    const auto* wanted = credit_in(request);
    if (wanted == nullptr || issued.tokens.size() != 1) return false;
    const auto looked = module.inspect(issued.tokens.front(), request.key);
    const auto* opening = std::get_if<sts::Opening>(&looked);
    if (opening == nullptr || !opening->content) return false;
    const auto* found = std::get_if<sts::Credit>(&*opening->content);
    return found != nullptr && found->commodity == wanted->commodity && found->amount == wanted->amount;
}

}  // namespace

security::MeterKeyName key_of(const database::PrepaidMeter& meter) {
    return {meter.pan, {meter.supply_group, meter.key_revision}, meter.tariff_index, meter.algorithm};
}

std::string request_name(const std::string& terminal, const std::string& key, std::size_t place) {
    const auto digest = security::sha256(
        as_bytes(std::to_string(terminal.size()) + ":" + terminal + key + "#" + std::to_string(place)));
    return "sale." + to_hex(Bytes{digest}.first(20));
}

database::SaleToken credit_order(const database::PrepaidMeter& meter, std::string request, const char* kind,
                                 sts::Tid tid, pricing::Tenths units) {
    const auto field = sts::encode_units(static_cast<std::uint64_t>(units.count));
    if (!field) throw std::logic_error("more units than a token carries");
    const auto random = nibble(request);
    return order(meter, kind, tid,
                 {std::move(request), key_of(meter),
                  sts::Content{sts::Credit{sts::Commodity::electricity, random, tid, *field}}});
}

database::SaleToken command_order(const database::PrepaidMeter& meter, std::string request, sts::Tid tid,
                                  sts::Management command) {
    command.random = nibble(request);
    command.tid = tid;
    return order(meter, "management", tid, {std::move(request), key_of(meter), sts::Content{command}});
}

database::SaleToken key_order(const database::PrepaidMeter& meter, std::string request,
                              const KeyTarget& target) {
    auto to = key_of(meter);
    to.vending_key = target.vending_key;
    to.tariff_index = target.tariff_index;
    return order(meter, "key_change", std::nullopt, {std::move(request), key_of(meter), to});
}

security::ModuleAnswer make(security::VendingModule& module, const database::SaleToken& token, Instant now) {
    const auto request = parsed(token);
    const auto* to = std::get_if<security::MeterKeyName>(&request.wanted);
    auto answer = to != nullptr
                      ? module.change_key({request.id, request.key, *to}, now)
                      : module.issue({request.id, request.key, std::get<sts::Content>(request.wanted)}, now);
    const auto* refusal = std::get_if<security::ModuleRefusal>(&answer);
    if (refusal == nullptr || *refusal != security::ModuleRefusal::conflict) return answer;
    auto made = module.resolve(request.id);
    if (made && carries(module, *made, request)) return std::move(*made);
    return answer;
}

std::optional<pricing::Tenths> units_on(const database::SaleToken& token) {
    const auto request = parsed(token);
    const auto* credit = credit_in(request);
    if (credit == nullptr) return std::nullopt;
    return pricing::Tenths{sts::decode_units(credit->amount)};
}

std::optional<KeyTarget> target_of(const database::SaleToken& token) {
    const auto request = parsed(token);
    const auto* to = std::get_if<security::MeterKeyName>(&request.wanted);
    if (to == nullptr) return std::nullopt;
    return KeyTarget{to->vending_key, to->tariff_index};
}

}  // namespace wattmesh::headend::vending
