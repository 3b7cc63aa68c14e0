#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "protocol/sts/amount.h"
#include "protocol/sts/checksum.h"
#include "security/sts_ciphers.h"
#include "tests/protocol/sts/vectors.h"

using namespace wattmesh;
using namespace wattmesh::sts;
using namespace wattmesh::sts::test;

namespace {

constexpr std::size_t published_tokens = 84, published_key_changes = 11;

HeldKey held(const Row& row) { return {attributes(row), BlockCipher{derived(row)}}; }

std::uint64_t number(Bytes octets) {
    std::uint64_t value = 0;
    for (const auto octet : octets) value = value << 8 | octet;
    return value;
}

}  // namespace

TEST_CASE("sts vectors: decoder keys come from vending keys as published", "[protocol]") {
    std::size_t keys = 0;
    for (const auto& row : rows("tokens")) {
        if (!row->has("key")) continue;
        ++keys;
        CAPTURE(text(row, "token"));
        CHECK(to_hex(derived(row).reveal()) == to_hex(decoder_key(text(row, "key")).reveal()));
    }
    CHECK(keys == 56);
    for (const auto& row : rows("key_changes")) {
        const auto to = row->getObject("to");
        CHECK(to_hex(derived(to).reveal()) == to_hex(decoder_key(text(to, "key")).reveal()));
    }
}

TEST_CASE("sts vectors: every published token is made, and opened again", "[protocol]") {
    const auto all = rows("tokens");
    REQUIRE(all.size() == published_tokens);
    std::set<std::string> tables;
    for (const auto& row : all) {
        const std::string digits = text(row, "token");
        CAPTURE(digits, text(row, "table"));
        tables.insert(text(row, "table"));
        const Content wanted = content(row);
        if (const auto* test_token = std::get_if<MeterTest>(&wanted)) {
            CHECK(to_string(seal(*test_token)) == digits);
            CHECK(words(open(token(digits), nullptr).content.value()) == words(wanted));
            continue;
        }
        const HeldKey key = held(row);
        CHECK(to_string(seal(wanted, key.cipher)) == digits);
        const Opening opening = open(token(digits), &key);
        CHECK(opening.refusal == Refusal::none);
        REQUIRE(opening.content);
        CHECK(words(*opening.content) == words(wanted));
    }
    CHECK(tables == std::set<std::string>{"T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8"});
}

TEST_CASE("sts vectors: the TID is the one printed, the reserved minute is never used", "[protocol]") {
    for (const auto& row : rows("tokens")) {
        if (!row->has("key")) continue;
        CAPTURE(text(row, "token"));
        const HeldKey key = held(row);
        const auto tid = tid_of(open(token(text(row, "token")), &key).content.value()).value();
        if (row->has("tid")) CHECK(tid.value == row->getValue<std::uint32_t>("tid"));
        CHECK_FALSE(reserved(tid));
    }
}

TEST_CASE("sts vectors: amounts have the published fields, rounded in the customer's favour", "[protocol]") {
    for (const auto& row : rows("tokens")) {
        if (!row->has("field")) continue;
        CAPTURE(text(row, "token"));
        const auto field = static_cast<std::uint32_t>(hex(row, "field"));
        if (row->getValue<unsigned>("subclass") < 4) {
            CHECK(std::get<Credit>(content(row)).amount == field);
            continue;
        }
        std::string decoded = currency_text(decode_currency(field));
        decoded.erase(decoded.find('.'), 1);
        decoded.erase(decoded[0] == '-' ? 1 : 0,
                      decoded.find_first_not_of("-0") - (decoded[0] == '-' ? 1 : 0));
        CHECK(decoded == text(row, "decoded"));
        CHECK(encode_currency(decode_currency(field)) == field);
        if (!row->has("amount")) continue;
        const CurrencyCount wanted = CurrencyCount{std::stoll(text(row, "amount"))} * 100'000;
        CHECK(encode_currency(wanted) == field);
        CHECK((decode_currency(field) >= wanted));
    }
}

TEST_CASE("sts vectors: key change sets of two and four are made, and put together again", "[protocol]") {
    const auto all = rows("key_changes");
    REQUIRE(all.size() == published_key_changes);
    for (const auto& row : all) {
        const auto from = row->getObject("from"), to = row->getObject("to");
        const HeldKey old_key = held(from);
        const KeyAttributes wanted = attributes(to);
        const DecoderKey new_key = derived(to);
        const bool rollover = to->getValue<bool>("rollover");
        CHECK(rollover == (wanted.base != old_key.attributes.base));
        const auto sections = key_change(wanted, new_key, rollover);
        const auto tokens = row->getArray("tokens");
        REQUIRE(sections.size() == tokens->size());
        std::vector<KeySection> entered;
        for (unsigned i = 0; i < tokens->size(); ++i) {
            const auto digits = tokens->getElement<std::string>(i);
            CAPTURE(digits);
            CHECK(to_string(seal(sections[i], old_key.cipher)) == digits);
            entered.insert(entered.begin(),  // backwards: any order will do
                           std::get<KeySection>(open(token(digits), &old_key).content.value()));
        }
        const auto assembled = assemble(entered, algorithm(to));
        REQUIRE(assembled);
        CHECK(to_hex(assembled->key.reveal()) == to_hex(new_key.reveal()));
        CHECK(assembled->revision == wanted.revision);
        CHECK(assembled->tariff_index == wanted.tariff_index);
        CHECK(assembled->type == wanted.type);
        CHECK(assembled->expiry == wanted.expiry);
        CHECK(assembled->rollover == rollover);
        if (sections.size() == 4) CHECK(assembled->supply_group == wanted.supply_group);
    }
}

TEST_CASE("sts vectors: checksums, ciphers, check digits, HMAC and DES alone", "[protocol]") {
    for (const auto& row : rows("parts", "checksums")) {
        const Buffer bytes = from_hex(text(row, "bytes")).value();
        REQUIRE(bytes.size() == 7);
        const Block block{static_cast<TokenClass>(bytes[0]), number(Bytes{bytes}.subspan(1)) << 16};
        CHECK(checksum(block, row->getValue<bool>("currency")) == hex(row, "field"));
    }
    for (const auto& row : rows("parts", "ciphers")) {
        const BlockCipher cipher{decoder_key(text(row, "key"))};
        CHECK(cipher.encrypt(hex(row, "plain")) == hex(row, "cipher"));
        CHECK(cipher.decrypt(hex(row, "cipher")) == hex(row, "plain"));
        if (!row->has("token66")) continue;
        const std::string all = text(row, "token66");
        const Token wanted{static_cast<std::uint8_t>(all[0] - '0'), std::stoull(all.substr(1), nullptr, 16)};
        CHECK(insert_class({TokenClass::credit, hex(row, "cipher")}) == wanted);
    }
    for (const auto& row : rows("parts", "check_digits"))
        CHECK(std::string{check_digit(text(row, "payload"))} == text(row, "digit"));
    security::OpensslDerivationCiphers ciphers;
    const auto hmac = file("parts")->getObject("hmac"), des = file("parts")->getObject("des");
    const auto hash = ciphers.hmac_sha256(from_hex(text(hmac, "key")).value());
    for (int again = 0; again < 2; ++again)
        CHECK(to_hex(hash->compute(from_hex(text(hmac, "message")).value())) ==
              to_hex(from_hex(text(hmac, "hash")).value()));
    CHECK(ciphers.des_encrypt(*Secret<8>::from(from_hex(text(des, "key")).value()), hex(des, "plain")) ==
          hex(des, "cipher"));
}
