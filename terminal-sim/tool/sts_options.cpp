#include "terminal-sim/tool/sts_options.h"

#include "platform/clock.h"
#include "protocol/sts/amount.h"
#include "security/ciphers.h"
#include "security/sts_ciphers.h"
#include "terminal-sim/tool/running.h"

namespace wattmesh::sim {
namespace {

using namespace sts;
using platform::Settings;
using platform::SettingsError;

template <class Key>
std::optional<Key> key_option(const Settings& settings, const std::string& name, const char* sizes) {
    if (!settings.has(name)) return std::nullopt;
    const auto octets = from_hex(settings.required<std::string>(name));
    const auto key = octets ? Key::from(*octets) : std::nullopt;
    if (!key) throw SettingsError("--" + name + ": is not a key of " + sizes + " hexadecimal digits");
    return key;
}

std::optional<MeterPan> meter_of(const Settings& settings) {
    if (!settings.has("pan")) return std::nullopt;
    const auto parsed = MeterPan::parse(settings.required<std::string>("pan"));
    if (const auto* fault = std::get_if<PanFault>(&parsed))
        throw StsRefusal("check_digit_error", std::string{explain(*fault)});
    return std::get<MeterPan>(parsed);
}

SupplyGroup group_of(const Settings& settings, const std::string& name) {
    const auto text = settings.required<std::string>(name);
    if (text.size() != 6 || text.find_first_not_of("0123456789") != std::string::npos)
        throw SettingsError("--" + name + ": has six digits");
    return {static_cast<std::uint32_t>(std::stoul(text))};
}

KeyAttributes attributes_of(const Settings& settings, const std::string& prefix, KeyAttributes like) {
    const auto small = [&](const char* name, int fallback, int low, int high) {
        return static_cast<std::uint8_t>(settings.optional_in<int>(prefix + name, fallback, low, high));
    };
    if (settings.has(prefix + "sgc")) like.supply_group = group_of(settings, prefix + "sgc");
    like.revision = small("krn", like.revision, 1, 9);
    like.type = static_cast<KeyType>(small("kt", static_cast<int>(like.type), 0, 3));
    like.tariff_index = small("ti", like.tariff_index, 0, 99);
    like.expiry = small("ken", like.expiry, 0, 255);
    if (settings.has(prefix + "bdt")) {
        const auto base =
            base_date(static_cast<unsigned>(settings.required_in<int>(prefix + "bdt", 0, 9999)));
        if (!base) throw SettingsError("--" + prefix + "bdt: is none of 1993, 2014 and 2035");
        like.base = *base;
    }
    return like;
}

/// Two digits, 07 or 11.
std::optional<Algorithm> algorithm_option(const Settings& settings) {
    if (!settings.has("ea")) return std::nullopt;
    const auto number = settings.required_in<int>("ea", 1, 99);
    if (number != 7 && number != 11) throw SettingsError("--ea: is neither 07 nor 11 (09 was withdrawn)");
    return static_cast<Algorithm>(number);
}

void derive(StsKey& key) {
    security::OpensslDerivationCiphers ciphers;
    auto derived = KeyDerivation{*key.derivation, *key.vending_key, ciphers}.derive(
        key.attributes, key.algorithm, *key.meter);
    if (const auto* fault = std::get_if<DerivationFault>(&derived))
        throw StsRefusal("key_error", std::string{explain(*fault)});
    key.key = std::get<DecoderKey>(derived);
}

Derivation derivation_option(const Settings& settings, const std::string& name, const VendingKey& key) {
    return static_cast<Derivation>(settings.optional_in<int>(name, key.size() == 8 ? 2 : 4, 1, 4));
}

/// "25.6" with one decimal is 256. Nothing for what is no number, is finer than that or longer than fits.
std::optional<CurrencyCount> decimal(std::string_view text, std::size_t decimals) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    const auto point = text.find('.');
    const std::string_view whole = text.substr(0, point),
                           fraction = point == std::string_view::npos ? "" : text.substr(point + 1);
    if (whole.empty() || whole.size() > 30 || fraction.size() > decimals) return std::nullopt;
    CurrencyCount count = 0;
    for (const auto part : {whole, fraction}) {
        for (const char letter : part) {
            if (letter < '0' || letter > '9') return std::nullopt;
            count = count * 10 + (letter - '0');
        }
    }
    for (std::size_t i = fraction.size(); i < decimals; ++i) count *= 10;
    return negative ? -count : count;
}

CurrencyCount amount_of(const Settings& settings, std::size_t decimals) {
    const auto count = decimal(settings.required<std::string>("amount"), decimals);
    if (!count)
        throw SettingsError("--amount: is no number with at most " + std::to_string(decimals) + " decimals");
    return *count;
}

std::uint16_t units_of(const Settings& settings, std::size_t decimals) {
    const CurrencyCount count = amount_of(settings, decimals);
    const auto field =
        count < 0 || count > units_max ? std::nullopt : encode_units(static_cast<std::uint64_t>(count));
    if (!field)
        throw StsRefusal(Refusal::range, decimals == 1 ? "a token holds 0 to 1820162.4 units"
                                                       : "a token holds 0 to 18201624 W");
    return *field;
}

/// "all", decimal, or hexadecimal with 0x.
std::uint64_t bits_of(const std::string& text, const std::string& option, unsigned bits) {
    const std::uint64_t all = (std::uint64_t{1} << bits) - 1;
    if (text == "all") return all;
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    const std::string digits = hexadecimal ? text.substr(2) : text;
    if (digits.empty() || digits.size() > 15 ||
        digits.find_first_not_of(hexadecimal ? "0123456789abcdefABCDEF" : "0123456789") != std::string::npos)
        throw SettingsError(option + ": is neither all nor a number, hexadecimal with 0x");
    const std::uint64_t value = std::stoull(digits, nullptr, hexadecimal ? 16 : 10);
    if (value > all)
        throw StsRefusal(Refusal::range, option + ": has more than " + std::to_string(bits) + " bits");
    return value;
}

Tid tid_option(const Settings& settings, BaseDate base) {
    const Instant at = sts_instant_of(settings).value_or(platform::ScaledClock{}.now());
    const auto tid = tid_at(base, at);
    if (!tid || ordinary(*tid) > tid_last)
        throw StsRefusal("tid_error",
                         "there is no token identifier for that time: those of base date 1993, 2014 and "
                         "2035 last 31.9 years each (--bdt)");
    return ordinary(*tid);
}

std::uint8_t random_option(const Settings& settings) {
    std::uint8_t octet = 0;
    security::SystemRandom{}.fill({&octet, 1});
    return static_cast<std::uint8_t>(settings.optional_in<int>("rnd", octet & 15, 0, 15));
}

/// What does not depend on the time is refused first: --at is mostly the present.
Content credit_of(const Settings& settings, unsigned subclass, BaseDate base) {
    if (subclass > 7) throw StsRefusal(Refusal::function);
    const auto commodity = static_cast<Commodity>(subclass % 4);
    if (subclass < 4) {
        const std::uint16_t amount = units_of(settings, 1);
        return Credit{commodity, random_option(settings), tid_option(settings, base), amount};
    }
    const auto field = encode_currency(amount_of(settings, 5));
    if (!field) throw StsRefusal(Refusal::range, "a currency token does not reach so far");
    return CurrencyCredit{commodity, tid_option(settings, base), *field};
}

std::uint16_t value_of(const Settings& settings, Command command) {
    switch (command) {
        case Command::power_limit:
        case Command::phase_unbalance:
            return units_of(settings, 0);
        case Command::clear_tamper:
            return 0;
        case Command::clear_credit:
        case Command::extended: {
            const char* const option = settings.has("control") ? "control" : "amount";
            return static_cast<std::uint16_t>(
                bits_of(settings.required<std::string>(option), std::string{"--"} + option, 16));
        }
        default:
            throw StsRefusal(Refusal::function);
    }
}

Content management_of(const Settings& settings, unsigned subclass, BaseDate base) {
    const auto command = static_cast<Command>(subclass);
    const std::uint16_t value = value_of(settings, command);
    return Management{command, random_option(settings), tid_option(settings, base), value};
}

}  // namespace

StsKey sts_key_of(const Settings& settings) {
    StsKey key;
    key.key = key_option<DecoderKey>(settings, "dk", "16 or 32");
    key.vending_key = key_option<VendingKey>(settings, "vk", "16 or 40");
    key.meter = meter_of(settings);
    if (key.key && key.vending_key) throw SettingsError("give --dk or --vk, not both");
    if (key.vending_key) key.derivation = derivation_option(settings, "dkga", *key.vending_key);
    const bool short_key = key.key ? key.key->size() == 8 : key.derivation == Derivation::dkga02;
    key.algorithm = algorithm_option(settings).value_or(short_key ? Algorithm::ea07 : Algorithm::ea11);
    if (key.key && algorithm_of(*key.key) != key.algorithm)
        throw SettingsError("--dk: has 16 digits for --ea 07, 32 for --ea 11");
    KeyAttributes like;
    like.base = key.algorithm == Algorithm::ea07 ? BaseDate::y1993 : BaseDate::y2014;
    key.attributes = attributes_of(settings, "", like);
    if (key.vending_key) {
        if (!key.meter || !settings.has("sgc"))
            throw SettingsError("--vk needs --pan and --sgc, which the meter's key is derived from");
        derive(key);
    }
    return key;
}

bool sts_key_changes(const Settings& settings) {
    for (const char* name : {"to-sgc", "to-krn", "to-ti", "to-kt", "to-ken", "to-bdt", "to-vk", "to-dk"})
        if (settings.has(name)) return true;
    return settings.optional<bool>("rollover", false);
}

StsKey sts_new_key_of(const Settings& settings, const StsKey& old_key) {
    StsKey key = old_key;
    key.attributes = attributes_of(settings, "to-", old_key.attributes);
    if (const auto given = key_option<DecoderKey>(settings, "to-dk", "16 or 32")) {
        key.key = given;
        key.vending_key.reset();
    } else {
        if (const auto vending = key_option<VendingKey>(settings, "to-vk", "16 or 40"))
            key.vending_key = vending;
        if (!key.vending_key)
            throw SettingsError("a key change needs --to-dk, --to-vk or --vk for the new key");
        if (!key.meter) throw SettingsError("--to-vk needs --pan, which the meter's key is derived from");
        key.derivation = derivation_option(settings, "to-dkga", *key.vending_key);
        derive(key);
    }
    if (algorithm_of(*key.key) != old_key.algorithm)
        throw StsRefusal("key_error",
                         "a key change keeps the encryption algorithm: the new key has another length");
    return key;
}

std::optional<Instant> sts_instant_of(const Settings& settings) {
    if (!settings.has("at")) return std::nullopt;
    std::string text = settings.required<std::string>("at");
    if (text.size() > 10 && text[10] == ' ') text[10] = 'T';
    if (text.size() == 16 && text[10] == 'T') text += ":00Z";
    if (text.size() == 19 && text[10] == 'T') text += "Z";
    const auto at = parse_instant(text);
    if (!at) throw SettingsError("--at: is neither Unix seconds nor like 2026-11-22T10:00:00Z");
    return at;
}

Content sts_content_of(const Settings& settings, const KeyAttributes& key) {
    const auto token_class = settings.optional_in<int>("class", 0, 0, 3);
    const auto subclass = static_cast<unsigned>(settings.optional_in<int>("subclass", 0, 0, 15));
    switch (token_class) {
        case 0:
            return credit_of(settings, subclass, key.base);
        case 1: {
            if (subclass > 2) throw StsRefusal(Refusal::function);
            const auto form = static_cast<MeterTest::Form>(subclass);
            return MeterTest{
                form, bits_of(settings.required<std::string>("control"), "--control", control_bits(form)), 0};
        }
        case 2:
            return management_of(settings, subclass, key.base);
        default:
            throw StsRefusal(Refusal::function);
    }
}

}  // namespace wattmesh::sim
