#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "protocol/sts/amount.h"
#include "security/software_module.h"
#include "tests/security/folder.h"

namespace wattmesh::security {

using namespace sts;
using namespace std::chrono_literals;

constexpr Instant noon = std::chrono::sys_days{std::chrono::year{2014} / 3 / 1} + 13h;

inline VendingKey vk_b() { return *VendingKey::from(*from_hex("abababababababab949494949494949401234567")); }
inline VendingKey vk_a() { return *VendingKey::from(*from_hex("abababababababab")); }
inline MeterPan meter(const char* pan = "600727000000000009") {
    return std::get<MeterPan>(MeterPan::parse(pan));
}

/// Key N of the published sets: SGC 201457, KRN 1, base date 2014.
inline VendingKeyTerms terms_n() {
    return {.name = {{201457}, 1}, .units_limit = 1'000'000, .currency_limit = 100'000'000};
}
inline MeterKeyName key_n() { return {meter(), {{201457}, 1}}; }
inline Tid tid_of_minute(Instant at) { return *tid_at(BaseDate::y2014, at); }
inline TokenRequest request(std::string id, std::uint32_t units = 1, Instant at = noon) {
    return {std::move(id), key_n(),
            Credit{Commodity::electricity, 5, tid_of_minute(at), *encode_units(units)}};
}

struct Fixed : Random {
    void fill(std::span<std::uint8_t> out) override { std::fill(out.begin(), out.end(), std::uint8_t{0x5A}); }
};

/// A software module in a folder of its own, with one of the published keys.
struct House {
    House() { open(); }
    void open() {
        module.reset();
        module =
            std::make_unique<SoftwareModule>(SoftwareModuleSettings{folder.path / "module"}, master, random);
    }
    SoftwareModule& with(const VendingKeyTerms& terms) {
        const auto key = terms.derivation == Derivation::dkga02 ? vk_a() : vk_b();
        module->load_key(terms, key, VendingKeyFile::check_value(terms.derivation, key));
        return *module;
    }
    std::filesystem::path log() const { return folder.path / "module" / "calls.log"; }
    std::filesystem::path keys() const { return folder.path / "module" / "vending.keys"; }

    Folder folder;
    FileMasterKey master{Key256{}};
    Fixed random;
    std::unique_ptr<SoftwareModule> module;
};

inline std::string digits(const ModuleAnswer& answer) {
    return to_string(std::get<Issued>(answer).tokens.front());
}
inline ModuleRefusal refusal(const ModuleAnswer& answer) { return std::get<ModuleRefusal>(answer); }

}  // namespace wattmesh::security
