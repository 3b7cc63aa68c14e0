#include "terminal-sim/tool/prepaid_options.h"

#include "terminal-sim/tool/sts_options.h"

namespace wattmesh::sim {
namespace {

constexpr std::int64_t wh_per_kwh = 1000, kwh_max = 10'000;

}  // namespace

std::optional<PrepaidSettings> prepaid_of(const platform::Settings& settings) {
    if (!settings.has("pan")) return std::nullopt;
    const StsKey key = sts_key_of(settings);
    if (!key.key)
        throw platform::SettingsError("--pan: a prepayment meter needs its key: --dk, or --vk and --sgc");
    PrepaidSettings prepaid{.pan = *key.meter, .key = key.attributes, .decoder_key = *key.key};
    const auto wh = [&](const char* name, std::int64_t fallback) {
        return settings.optional_in<std::int64_t>(name, fallback / wh_per_kwh, 0, kwh_max) * wh_per_kwh;
    };
    prepaid.balance = wh("credit", 0);
    prepaid.low_credit = wh("low-credit", prepaid.low_credit);
    prepaid.emergency = wh("emergency", prepaid.emergency);
    if (settings.optional<bool>("arming", false)) prepaid.reconnection = cosem::Reconnection::by_hand;
    return prepaid;
}

}  // namespace wattmesh::sim
