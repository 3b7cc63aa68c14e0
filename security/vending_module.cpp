#include "security/vending_module.h"

#include <cstdio>

namespace wattmesh::security {
namespace {

struct Words {
    std::string_view name, sentence;
};

constexpr Words words_of(ModuleRefusal refusal) {
    switch (refusal) {
        case ModuleRefusal::bad_request:
            return {"bad_request", "the request is not one that the module knows"};
        case ModuleRefusal::conflict:
            return {"conflict", "this request id was used for another token"};
        case ModuleRefusal::unknown_key:
            return {"unknown_key", "the module has no vending key of this supply group and revision"};
        case ModuleRefusal::not_active:
            return {"not_active", "the vending key is not active yet"};
        case ModuleRefusal::issuing_ended:
            return {"issuing_ended", "the vending key may no longer be used: load its refreshed key file"};
        case ModuleRefusal::key_expired:
            return {"key_expired", "the key has expired: the meter needs a key change to the next revision"};
        case ModuleRefusal::function:
            return {"function", "the vending key may not make this kind of token"};
        case ModuleRefusal::key_type:
            return {"key_type", "the meter's type of key does not take this"};
        case ModuleRefusal::limit_reached:
            return {"limit_reached",
                    "the vending key's credit limit is used up: load its refreshed key file"};
        case ModuleRefusal::not_derivable:
            return {"not_derivable", "this vending key makes no keys for the meter's encryption algorithm"};
    }
    return {"?", "?"};
}

constexpr auto end_is_near = std::chrono::days{30};

bool low(std::uint64_t used, std::uint64_t limit) { return limit - std::min(used, limit) < limit / 10; }

}  // namespace

std::string to_string(const VendingKeyName& name) {
    char text[16];
    std::snprintf(text, sizeof text, "%06u/%u", name.supply_group.value, unsigned{name.revision});
    return text;
}

std::string_view to_string(ModuleRefusal refusal) { return words_of(refusal).name; }
std::string_view explain(ModuleRefusal refusal) { return words_of(refusal).sentence; }

std::string_view to_string(ModuleAlarm alarm) {
    switch (alarm) {
        case ModuleAlarm::units_low:
            return "units_low";
        case ModuleAlarm::currency_low:
            return "currency_low";
        case ModuleAlarm::issuing_ends_soon:
            return "issuing_ends_soon";
        case ModuleAlarm::key_expires_soon:
            return "key_expires_soon";
    }
    return "?";
}

std::vector<ModuleAlarm> alarms_of(const VendingKeyState& state, Instant now) {
    std::vector<ModuleAlarm> alarms;
    const VendingKeyTerms& terms = state.terms;
    if (low(state.units, terms.units_limit)) alarms.push_back(ModuleAlarm::units_low);
    if (low(state.currency, terms.currency_limit)) alarms.push_back(ModuleAlarm::currency_low);
    if (terms.issued_until - end_is_near < now) alarms.push_back(ModuleAlarm::issuing_ends_soon);
    if (end_of(terms.base, terms.expiry) - end_is_near < now) alarms.push_back(ModuleAlarm::key_expires_soon);
    return alarms;
}

}  // namespace wattmesh::security
