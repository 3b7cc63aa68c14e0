#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "protocol/dlms/apdu.h"
#include "protocol/dlms/profile_columns.h"
#include "protocol/dlms/security.h"
#include "security/ciphers.h"

/// bench_codec [--repetitions N]: rows per second through the DLMS codec, one thread. A GET response of 96
/// rows (clock of 12 octets, status, four uint32; 3.6 kB) into typed columns, plain and ciphered (suite 0,
/// authenticated and encrypted, tag verified), and back; and in the same run what OpenSSL alone and memcpy
/// take for the same octets. Every figure is the median of repetitions that take turns. One JSON line on
/// stdout.
namespace {

using namespace wattmesh;
using dlms::ColumnKind;

constexpr std::size_t rows_per_apdu = 96, apdus = 32;
constexpr std::size_t header_size = 5, tag_size = 12;  // of ciphering: security control, counter; tag
const std::vector<std::uint8_t> tags{0x09, 0x11, 0x06, 0x06, 0x06, 0x06};
const SystemTitle meter{{0x4D, 0x4D, 0x4D, 0x00, 0x00, 0xBC, 0x61, 0x4E}};
const SystemTitle client{{0x4D, 0x4D, 0x4D, 0x00, 0x00, 0x00, 0x00, 0x01}};
const std::array<std::uint8_t, 16> encryption_key{0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
                                                  0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F};
const std::array<std::uint8_t, 16> authentication_key{0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7,
                                                      0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF};

/// In memory: what a durable store does between its blocks.
class Counter final : public CounterStore {
public:
    std::optional<std::uint32_t> next() override { return ++sent_; }
    bool accept(std::uint32_t received) override {
        if (received <= accepted_) return false;
        accepted_ = received;
        return true;
    }
    void raise(std::uint32_t next) override { sent_ = std::max(sent_ + 1, next) - 1; }

private:
    std::uint32_t sent_ = 0, accepted_ = 0;
};

void require(bool what, const char* why) {
    if (what) return;
    std::fprintf(stderr, "bench_codec: %s\n", why);
    std::exit(1);
}

dlms::ProfileColumns empty_columns() {
    return dlms::ProfileColumns{{.kinds = {ColumnKind::clock, ColumnKind::integer, ColumnKind::integer,
                                           ColumnKind::integer, ColumnKind::integer, ColumnKind::integer},
                                 .capture_period = std::chrono::minutes{15}}};
}

/// GET response with a day of quarter hours.
Buffer response() {
    std::vector<dlms::Data> rows;
    const Instant start = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22};
    for (std::uint32_t i = 0; i < rows_per_apdu; ++i)
        rows.push_back(dlms::structure(
            {dlms::date_time_octets({start + i * std::chrono::minutes{15}, -60, 0}), std::uint8_t{0},
             1'000'000 + i * 250, 2'000 + i, 300'000 + i * 7, 40'000'000 + i}));
    return encode(dlms::GetResponse{.invoke = 0xC1, .outcome = dlms::array(std::move(rows))});
}

/// The encoded value in a GET response.
Bytes value_of(Bytes apdu) {
    Reader in{apdu};
    in.expect(0xC4).expect(0x01).skip(1);
    in.expect(0x00);
    const Bytes value = in.rest();
    require(in.ok(), "no GET response");
    return value;
}

void decode(dlms::ProfileColumns& columns, Bytes apdu) {
    const auto rows = columns.decode(value_of(apdu), 4);
    require(rows && *rows == rows_per_apdu, "rows did not decode");
}

/// OpenSSL alone: one context with its key set, a new nonce per APDU, the tag verified, in place.
class BareGcm {
public:
    BareGcm() : cipher_(EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr)), context_(EVP_CIPHER_CTX_new()) {
        require(cipher_ && context_ &&
                    EVP_DecryptInit_ex(context_, cipher_, nullptr, encryption_key.data(), nullptr) > 0,
                "no AES-128-GCM");
        additional_[0] = 0x30;
        std::copy(authentication_key.begin(), authentication_key.end(), additional_.begin() + 1);
        std::copy(meter.octets.begin(), meter.octets.end(), nonce_.begin());
    }
    ~BareGcm() {
        EVP_CIPHER_CTX_free(context_);
        EVP_CIPHER_free(cipher_);
    }
    BareGcm(const BareGcm&) = delete;
    BareGcm& operator=(const BareGcm&) = delete;

    /// `content` is counter, text and tag.
    bool open(std::span<std::uint8_t> content) {
        std::memcpy(nonce_.data() + 8, content.data(), 4);
        std::uint8_t* text = content.data() + 4;
        const auto size = static_cast<int>(content.size() - 4 - tag_size);
        std::uint8_t rest[16];
        int done = 0;
        return EVP_DecryptInit_ex(context_, nullptr, nullptr, nullptr, nonce_.data()) > 0 &&
               EVP_DecryptUpdate(context_, nullptr, &done, additional_.data(), 17) > 0 &&
               EVP_DecryptUpdate(context_, text, &done, text, size) > 0 &&
               EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, tag_size, text + size) > 0 &&
               EVP_DecryptFinal_ex(context_, rest, &done) > 0;
    }

private:
    EVP_CIPHER* cipher_;
    EVP_CIPHER_CTX* context_;
    std::array<std::uint8_t, 17> additional_{};
    std::array<std::uint8_t, 12> nonce_{};
};

/// Nanoseconds per APDU of every repetition.
struct Figure {
    std::vector<double> ns;

    template <class Work>
    void measure(Work work) {
        const auto from = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < apdus; ++i) work(i);
        const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - from;
        ns.push_back(spent.count() / apdus);
    }
    double median() {
        std::ranges::nth_element(ns, ns.begin() + static_cast<std::ptrdiff_t>(ns.size() / 2));
        return ns[ns.size() / 2];
    }
    double per_second(double things) { return things * 1e9 / median(); }
};

struct Figures {
    Figure plain, ciphered, encoded, get, bare, copied;
};

class Bench {
public:
    Bench() : plain_(apdus, response()), ciphered_(apdus), again_(apdus) {
        const auto key = Key128::from(encryption_key), authentication = Key128::from(authentication_key);
        const dlms::ClientKeys keys{*key, *authentication};
        sender_ = std::make_unique<dlms::SecurityContext>(keys, meter, client, ciphers_, sent_, unused_);
        receiver_ =
            std::make_unique<dlms::SecurityContext>(keys, client, meter, ciphers_, unused_, received_);
        copy_.resize(plain_[0].size());
        decode(columns_, plain_[0]);
        require(columns_.columns()[5].integers[95] == 40'000'095, "wrong values decoded");
        dlms::encode_rows(columns_.columns(), tags, encoded_, Bytes{plain_[0]}.first(4));
        require(encoded_ == plain_[0], "rows did not encode to what they came from");
    }

    std::size_t apdu_size() const { return plain_[0].size(); }

    void repeat(Figures& figures) {
        // Every APDU is protected anew: a counter is accepted once only.
        for (std::size_t i = 0; i < apdus; ++i) again_[i] = ciphered_[i] = *sender_->protect(plain_[i]);
        figures.plain.measure([&](std::size_t i) { decode(columns_, plain_[i]); });
        figures.ciphered.measure([&](std::size_t i) {
            const auto apdu = receiver_->open_in_place(ciphered_[i]);
            require(apdu.has_value(), "an APDU did not open");
            decode(columns_, *apdu);
        });
        figures.bare.measure([&](std::size_t i) {
            // behind tag, length (82 and two octets) and security control
            require(gcm_.open(std::span{again_[i]}.subspan(header_size)), "OpenSSL did not open an APDU");
        });
        figures.copied.measure([&](std::size_t i) {
            std::memcpy(copy_.data(), plain_[i].data(), copy_.size());
            asm volatile("" : : "r"(copy_.data()) : "memory");
        });
        figures.encoded.measure([&](std::size_t i) {
            dlms::encode_rows(columns_.columns(), tags, encoded_, Bytes{plain_[i]}.first(4));
        });
        figures.get.measure([&](std::size_t) {
            const Buffer apdu =
                encode(dlms::GetRequest{.invoke = 0xC1, .id = {3, obis::active_import_total, 2}});
            require(apdu.size() == 13, "no GET request");
        });
        require(encoded_ == plain_[0] && again_[0].size() > plain_[0].size(), "octets changed");
    }

private:
    security::OpensslCiphers ciphers_;
    Counter sent_, received_, unused_;
    std::unique_ptr<dlms::Protection> sender_, receiver_;
    BareGcm gcm_;
    std::vector<Buffer> plain_, ciphered_, again_;
    dlms::ProfileColumns columns_ = empty_columns();
    Buffer encoded_, copy_;
};

}  // namespace

int main(int argc, char** argv) {
    int repetitions = 601;
    if (argc == 3 && std::strcmp(argv[1], "--repetitions") == 0) repetitions = std::atoi(argv[2]);
    if ((argc != 1 && argc != 3) || repetitions < 1) {
        std::fprintf(stderr, "usage: bench_codec [--repetitions N], N above 0\n");
        return 2;
    }
    Bench bench;
    Figures warm, figures;
    for (int i = 0; i < 20; ++i) bench.repeat(warm);
    for (int i = 0; i < repetitions; ++i) bench.repeat(figures);
    const double bound_ns = figures.plain.median() + figures.bare.median();
    std::printf(
        "{\"bench\":\"codec\",\"rows_per_apdu\":%zu,\"apdu_octets\":%zu,\"decode_plain_rows_per_s\":%.0f,"
        "\"decode_ciphered_rows_per_s\":%.0f,\"encode_plain_rows_per_s\":%.0f,\"get_encode_per_s\":%.0f,"
        "\"aes_gcm_bound_rows_per_s\":%.0f,\"memcpy_bound_rows_per_s\":%.0f,\"ciphered_of_bound\":%.3f}\n",
        rows_per_apdu, bench.apdu_size(), figures.plain.per_second(rows_per_apdu),
        figures.ciphered.per_second(rows_per_apdu), figures.encoded.per_second(rows_per_apdu),
        figures.get.per_second(1), figures.bare.per_second(rows_per_apdu),
        figures.copied.per_second(rows_per_apdu), bound_ns / figures.ciphered.median());
    return 0;
}
