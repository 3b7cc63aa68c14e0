#include "protocol/sts/content.h"

#include <cassert>

#include "protocol/sts/checksum.h"

namespace wattmesh::sts {
namespace {

/// The block from the most significant bit on: subclass (4), content (44), checksum (16).
struct Fields {
    std::uint8_t subclass = 0;
    std::uint64_t content = 0;
};

constexpr std::uint8_t section_subclass[] = {3, 4, 8, 9};
constexpr unsigned first_of_currency = 4;

std::uint64_t with_tid(std::uint8_t upper, Tid tid, std::uint16_t value) {
    assert(upper < 16 && tid <= tid_last);
    return std::uint64_t{upper} << 40 | std::uint64_t{tid.value} << 16 | value;
}

Fields fields_of(const Credit& credit) {
    return {static_cast<std::uint8_t>(credit.commodity), with_tid(credit.random, credit.tid, credit.amount)};
}
Fields fields_of(const CurrencyCredit& credit) {
    assert(credit.amount < 1u << 20);
    return {static_cast<std::uint8_t>(first_of_currency + static_cast<unsigned>(credit.commodity)),
            with_tid(static_cast<std::uint8_t>(credit.amount >> 16), credit.tid,
                     static_cast<std::uint16_t>(credit.amount))};
}
Fields fields_of(const MeterTest& test) {
    const unsigned bits = control_bits(test.form);
    assert(test.control >> bits == 0 && test.manufacturer >> (44 - bits) == 0);
    return {static_cast<std::uint8_t>(test.form), test.control << (44 - bits) | test.manufacturer};
}
Fields fields_of(const Management& management) {
    return {static_cast<std::uint8_t>(management.command),
            with_tid(management.random, management.tid, management.value)};
}
Fields fields_of(const KeySection& section) {
    assert(section.number >= 1 && section.number <= 4 && section.attributes < 1u << 12);
    std::uint64_t content = section.attributes;
    for (const std::uint8_t octet : section.key_part.reveal()) content = content << 8 | octet;
    return {section_subclass[section.number - 1], content};
}

std::uint8_t upper(std::uint64_t content) { return static_cast<std::uint8_t>(content >> 40 & 15); }
Tid tid_in(std::uint64_t content) { return {static_cast<std::uint32_t>(content >> 16 & tid_last.value)}; }

std::variant<Content, Refusal> decode_credit(const Fields& in) {
    const auto commodity = static_cast<Commodity>(in.subclass % first_of_currency);
    if (in.subclass < first_of_currency)
        return Credit{commodity, upper(in.content), tid_in(in.content),
                      static_cast<std::uint16_t>(in.content)};
    if (in.subclass < 2 * first_of_currency) {
        const auto amount = static_cast<std::uint32_t>(upper(in.content)) << 16 | (in.content & 0xFFFF);
        return CurrencyCredit{commodity, tid_in(in.content), static_cast<std::uint32_t>(amount)};
    }
    return Refusal::function;
}

std::variant<Content, Refusal> decode_test(const Fields& in) {
    if (in.subclass > static_cast<std::uint8_t>(MeterTest::Form::extended)) return Refusal::function;
    const auto form = static_cast<MeterTest::Form>(in.subclass);
    const unsigned rest = 44 - control_bits(form);
    const std::uint64_t manufacturer = in.content & ((std::uint64_t{1} << rest) - 1);
    return MeterTest{form, in.content >> rest, static_cast<std::uint16_t>(manufacturer)};
}

std::variant<Content, Refusal> decode_management(const Fields& in) {
    for (std::uint8_t i = 0; i < 4; ++i) {
        if (in.subclass != section_subclass[i]) continue;
        std::array<std::uint8_t, 4> part{};
        for (unsigned octet = 0; octet < 4; ++octet)
            part[octet] = static_cast<std::uint8_t>(in.content >> (24 - 8 * octet));
        return KeySection{static_cast<std::uint8_t>(i + 1), static_cast<std::uint16_t>(in.content >> 32),
                          Secret<4>{part}};
    }
    if (in.subclass > static_cast<std::uint8_t>(Command::extended)) return Refusal::function;
    return Management{static_cast<Command>(in.subclass), upper(in.content), tid_in(in.content),
                      static_cast<std::uint16_t>(in.content)};
}

}  // namespace

TokenClass class_of(const Content& content) {
    if (content.index() < 2) return TokenClass::credit;
    return std::holds_alternative<MeterTest>(content) ? TokenClass::test : TokenClass::management;
}

std::uint8_t subclass_of(const Content& content) {
    return std::visit([](const auto& kind) { return fields_of(kind).subclass; }, content);
}

std::optional<Tid> tid_of(const Content& content) {
    if (const auto* credit = std::get_if<Credit>(&content)) return credit->tid;
    if (const auto* credit = std::get_if<CurrencyCredit>(&content)) return credit->tid;
    if (const auto* management = std::get_if<Management>(&content)) return management->tid;
    return std::nullopt;
}

Block encode(const Content& content) {
    const Fields fields = std::visit([](const auto& kind) { return fields_of(kind); }, content);
    Block block{class_of(content), std::uint64_t{fields.subclass} << 60 | fields.content << 16};
    block.bits |= checksum(block, std::holds_alternative<CurrencyCredit>(content));
    return block;
}

std::variant<Content, Refusal> decode(const Block& block) {
    const Fields in{static_cast<std::uint8_t>(block.bits >> 60),
                    block.bits >> 16 & ((std::uint64_t{1} << 44) - 1)};
    if (block.token_class == TokenClass::reserved) return Refusal::function;
    const bool currency = block.token_class == TokenClass::credit && in.subclass >= first_of_currency &&
                          in.subclass < 2 * first_of_currency;
    if (!checksum_holds(block, currency)) return Refusal::checksum;
    switch (block.token_class) {
        case TokenClass::credit:
            return decode_credit(in);
        case TokenClass::test:
            return decode_test(in);
        default:
            return decode_management(in);
    }
}

}  // namespace wattmesh::sts
