#include <fmt/format.h>

#include <cstdio>

#include "platform/arguments.h"
#include "protocol/sts/mismatch.h"
#include "protocol/sts/opening.h"
#include "security/sts_ciphers.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/sts_options.h"
#include "terminal-sim/tool/sts_report.h"

namespace wattmesh::sim {
namespace {

using namespace sts;
using platform::SettingsError;
using platform::UsageError;

constexpr int exit_refused = 3;

/// Upper case is for octets on a wire; keys of this world are written small.
std::string key_text(const DecoderKey& key) {
    std::string text;
    for (const std::uint8_t octet : key.reveal()) text += fmt::format("{:02x}", octet);
    return text;
}

class StsCall {
public:
    explicit StsCall(const Call& call)
        : call_(call), settings_(call.settings), json_(settings_.optional<bool>("json", false)) {}

    int derive() {
        const StsKey key = sts_key_of(settings_);
        if (!key.derivation) throw SettingsError("sts derive: needs --vk, --pan and --sgc");
        StsReport report;
        const std::string text = key_text(*key.key);
        report.add("key", text).add("ea", static_cast<std::int64_t>(key.algorithm));
        report.add("dkga", static_cast<std::int64_t>(*key.derivation));
        report.add("pan", std::string{key.meter->digits()});
        if (json_) return print(report.json());
        return print(text + "\n");
    }

    int make() {
        const int token_class = settings_.optional<int>("class", 0),
                  subclass = settings_.optional<int>("subclass", 0);
        const bool key_section =
            token_class == 2 && (subclass == 3 || subclass == 4 || subclass == 8 || subclass == 9);
        if (key_section || sts_key_changes(settings_)) return make_key_change();
        const StsKey key = sts_key_of(settings_);
        const Content content = sts_content_of(settings_, key.attributes);
        if (const auto* test = std::get_if<MeterTest>(&content)) return print_made(seal(*test), content, key);
        const HeldKey held = held_of(key);
        const Token token = seal(content, held.cipher);
        const Refusal refusal = open(token, &held).refusal;  // no vendor gives out what a meter would refuse
        if (refusal != Refusal::none) throw StsRefusal(refusal);
        return print_made(token, content, key);
    }

    int decode() {
        std::string digits;
        for (std::size_t i = 1; i < call_.words.size(); ++i) digits += call_.words[i] + " ";
        if (digits.empty()) throw UsageError("sts decode: give the 20 digits of a token");
        const auto token = parse_token(digits);
        if (!token) throw StsRefusal(Refusal::format);
        const StsKey key = sts_key_of(settings_);
        const bool encrypted = open(*token, nullptr).refusal == Refusal::no_key;
        if (encrypted && !key.key)
            throw SettingsError("sts decode: the token is encrypted; give --dk, or --vk, --pan and --sgc");
        std::optional<HeldKey> held;
        if (key.key) held.emplace(held_of(key));
        const Opening opening = open(*token, held ? &*held : nullptr);
        return print_opening(*token, opening, key);
    }

    int print_refusal(const StsRefusal& refusal) {
        StsReport report;
        if (json_) {
            report.add("accepted", false).add("reason", refusal.reason()).add("why", refusal.what());
            print(report.json());
        } else {
            print(fmt::format("refused: {}: {}\n", refusal.reason(), refusal.what()));
        }
        return exit_refused;
    }

private:
    static int print(const std::string& text) {
        std::fputs(text.c_str(), stdout);
        return 0;
    }

    static HeldKey held_of(const StsKey& key) {
        if (!key.key) throw SettingsError("give the meter's key: --dk, or --vk, --pan and --sgc");
        return {key.attributes, BlockCipher{*key.key}};
    }

    int print_made(const Token& token, const Content& content, const StsKey& key) {
        StsReport report;
        if (json_) report.add("token", to_string(token));
        report.add("digits", grouped(token)).add_content(content, key.attributes.base);
        return print(json_ ? report.json() : report.text(to_string(token)));
    }

    int make_key_change() {
        const StsKey old_key = sts_key_of(settings_);
        const HeldKey held = held_of(old_key);
        const StsKey new_key = sts_new_key_of(settings_, old_key);
        const KeyAttributes& to = new_key.attributes;
        if (!may_change(old_key.attributes.type, to.type)) throw StsRefusal(Refusal::key_type);
        if (const auto at =
                sts_instant_of(settings_)) {  // an old key may be expired: that is how one leaves it
            const auto tid = tid_at(to.base, *at);
            if (!tid || !serves(to.expiry, *tid))
                throw StsRefusal(Refusal::key_expired,
                                 "the new key would have expired already (--to-ken, --to-bdt)");
        }
        const bool rollover =
            to.base != old_key.attributes.base || settings_.optional<bool>("rollover", false);
        for (const KeySection& section : key_change(to, *new_key.key, rollover))
            print_made(seal(section, held.cipher), section, old_key);
        return 0;
    }

    int print_opening(const Token& token, const Opening& opening, const StsKey& key) {
        StsReport report;
        const bool accepted = opening.refusal == Refusal::none;
        if (json_) {
            report.add("accepted", accepted).add("token", to_string(token));
            if (!accepted) {
                report.add("reason", std::string{to_string(opening.refusal)});
                report.add("why", std::string{explain(opening.refusal)});
            }
        }
        if (opening.content) report.add_content(*opening.content, key.attributes.base);
        if (opening.refusal == Refusal::checksum) add_hint(report, token, key);
        const std::string headline =
            accepted ? "accepted"
                     : fmt::format("refused: {}: {}", to_string(opening.refusal), explain(opening.refusal));
        print(json_ ? report.json() : report.text(headline));
        return accepted ? 0 : exit_refused;
    }

    /// With the vending key at hand: which part of the record does not fit.
    static void add_hint(StsReport& report, const Token& token, const StsKey& key) {
        if (!key.vending_key) return;
        security::OpensslDerivationCiphers ciphers;
        KeyDerivation derivation{*key.derivation, *key.vending_key, ciphers};
        const auto found = find_mismatch(token, key.attributes, key.algorithm, *key.meter, derivation);
        if (!found) return;
        std::string value;
        switch (found->what) {
            case Mismatch::What::tariff_index:
                value = fmt::format("--ti {:02}", found->attributes.tariff_index);
                break;
            case Mismatch::What::revision:
                value = fmt::format("--krn {}", found->attributes.revision);
                break;
            case Mismatch::What::key_type:
                value = fmt::format("--kt {}", static_cast<int>(found->attributes.type));
                break;
            case Mismatch::What::base_date:
                value = fmt::format("--bdt {}", code_of(found->attributes.base));
                break;
        }
        report.add("hint", fmt::format("it opens with another {}: {}", to_string(found->what), value));
    }

    const Call& call_;
    const platform::Settings& settings_;
    bool json_;
};

}  // namespace

int run_sts(const Call& call) {
    const std::string what = call.words.empty() ? "" : call.words[0];
    if (what != "derive" && what != "make" && what != "decode")
        throw UsageError("sts: say `sts derive`, `sts make` or `sts decode TOKEN`; `sts --help` explains");
    StsCall sts{call};
    try {
        if (what == "decode") return sts.decode();
        if (call.words.size() > 1) throw UsageError("sts " + what + ": takes options only");
        return what == "derive" ? sts.derive() : sts.make();
    } catch (const StsRefusal& refusal) {
        return sts.print_refusal(refusal);
    }
}

}  // namespace wattmesh::sim
