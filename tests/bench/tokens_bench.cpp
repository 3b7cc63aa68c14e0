#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "protocol/sts/amount.h"
#include "protocol/sts/derivation.h"
#include "protocol/sts/opening.h"
#include "security/sts_ciphers.h"

/// bench_tokens [--repetitions N]: prepayment tokens per second, one thread, from the amount to the twenty
/// digits: with the meter's key at hand under EA07 and EA11, and with the key derived for each (DKGA04 from a
/// cached vending key); tokens opened per second; and as a yardstick what OpenSSL does of single AES-128
/// blocks under a cached key. Every figure is the median of repetitions that take turns. One JSON line on
/// stdout.
namespace {

using namespace wattmesh;
using namespace wattmesh::sts;

constexpr std::uint32_t tokens = 2000;

void require(bool what, const char* why) {
    if (what) return;
    std::fprintf(stderr, "bench_tokens: %s\n", why);
    std::exit(1);
}

/// Nanoseconds per piece of work of every repetition.
struct Figure {
    std::vector<double> ns;

    template <class Work>
    void measure(Work work) {
        const auto from = std::chrono::steady_clock::now();
        for (std::uint32_t i = 0; i < tokens; ++i) work(i);
        const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - from;
        ns.push_back(spent.count() / tokens);
    }
    double per_second() {
        const auto middle = ns.begin() + static_cast<std::ptrdiff_t>(ns.size() / 2);
        std::ranges::nth_element(ns, middle);
        return 1e9 / *middle;
    }
};

struct Figures {
    Figure ea07, ea11, derived, ea07_opened, ea11_opened, aes;
};

/// Single blocks of AES-128 under one key.
class Aes {
public:
    Aes() : context_(EVP_CIPHER_CTX_new()) {
        const std::uint8_t key[16] = {1, 2, 3};
        require(context_ != nullptr &&
                    EVP_EncryptInit_ex(context_, EVP_aes_128_ecb(), nullptr, key, nullptr) > 0 &&
                    EVP_CIPHER_CTX_set_padding(context_, 0) > 0,
                "no AES-128");
    }
    ~Aes() { EVP_CIPHER_CTX_free(context_); }
    Aes(const Aes&) = delete;
    Aes& operator=(const Aes&) = delete;
    void encrypt(std::uint8_t* block) {
        int done = 0;
        require(EVP_EncryptUpdate(context_, block, &done, block, 16) > 0 && done == 16, "AES failed");
    }

private:
    EVP_CIPHER_CTX* context_;
};

DecoderKey decoder_key(const char* hex) { return DecoderKey::from(from_hex(hex).value()).value(); }
Credit credit(std::uint32_t i) {
    return {Commodity::electricity, static_cast<std::uint8_t>(i & 15), {5'871'715 + i}, *encode_units(1 + i)};
}

class Bench {
public:
    Bench() {
        // first rows of T1 and T4 of the published sets
        require(to_string(seal(Credit{Commodity::electricity, 5, {0x599863}, 1}, short_.cipher)) ==
                    "23716100501183194197",
                "wrong EA07 token");
        require(to_string(seal(Credit{Commodity::electricity, 5, {0x59982C}, 1}, long_.cipher)) ==
                    "59386323472137426967",
                "wrong EA11 token");
    }

    void repeat(Figures& figures) {
        figures.ea07.measure([&](std::uint32_t i) { made_[i] = make(i, short_.cipher); });
        figures.ea07_opened.measure([&](std::uint32_t i) { reopen(i, short_); });
        figures.ea11.measure([&](std::uint32_t i) { made_[i] = make(i, long_.cipher); });
        figures.ea11_opened.measure([&](std::uint32_t i) { reopen(i, long_); });
        figures.derived.measure([&](std::uint32_t i) {
            attributes_.tariff_index = static_cast<std::uint8_t>(i % 100);
            const auto key = derivation_.derive(attributes_, Algorithm::ea11, meter_);
            made_[i] = make(i, BlockCipher{std::get<DecoderKey>(key)});
        });
        figures.aes.measure([&](std::uint32_t) { aes_.encrypt(block_); });
    }

private:
    using Digits = std::array<char, token_digits>;
    static Digits make(std::uint32_t i, const BlockCipher& cipher) {
        return to_digits(seal(credit(i), cipher));
    }
    void reopen(std::uint32_t i, const HeldKey& key) {
        const auto token = parse_token({made_[i].data(), made_[i].size()});
        require(token && open(*token, &key).refusal == Refusal::none, "a token did not open");
    }

    HeldKey short_{{}, BlockCipher{decoder_key("e653341f9d5bf36f")}};
    HeldKey long_{{}, BlockCipher{decoder_key("f94b6ed353c3bfdb113e2d3a7ea3c41d")}};
    security::OpensslDerivationCiphers ciphers_;
    KeyDerivation derivation_{Derivation::dkga04, VendingKey::from(Buffer(20, 0xAB)).value(), ciphers_};
    KeyAttributes attributes_{.supply_group = {123457}};
    MeterPan meter_ = std::get<MeterPan>(MeterPan::parse("600727000000000009"));
    Aes aes_;
    std::uint8_t block_[16] = {};
    std::vector<Digits> made_ = std::vector<Digits>(tokens);
};

}  // namespace

int main(int argc, char** argv) {
    int repetitions = 301;
    if (argc == 3 && std::strcmp(argv[1], "--repetitions") == 0) repetitions = std::atoi(argv[2]);
    if ((argc != 1 && argc != 3) || repetitions < 1) {
        std::fprintf(stderr, "usage: bench_tokens [--repetitions N], N above 0\n");
        return 2;
    }
    Bench bench;
    Figures warm, figures;
    for (int i = 0; i < 20; ++i) bench.repeat(warm);
    for (int i = 0; i < repetitions; ++i) bench.repeat(figures);
    std::printf(
        "{\"bench\":\"tokens\",\"ea07_per_s\":%.0f,\"ea11_per_s\":%.0f,\"dkga04_ea11_per_s\":%.0f,"
        "\"ea07_opened_per_s\":%.0f,\"ea11_opened_per_s\":%.0f,\"openssl_aes_blocks_per_s\":%.0f}\n",
        figures.ea07.per_second(), figures.ea11.per_second(), figures.derived.per_second(),
        figures.ea07_opened.per_second(), figures.ea11_opened.per_second(), figures.aes.per_second());
    return 0;
}
