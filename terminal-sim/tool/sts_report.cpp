#include "terminal-sim/tool/sts_report.h"

#include <fmt/format.h>

#include "protocol/sts/amount.h"
#include "protocol/sts/key_change.h"
#include "terminal-sim/tool/data_text.h"

namespace wattmesh::sim {
namespace {

using namespace sts;

struct CommodityWords {
    const char *name, *unit;
};
constexpr CommodityWords commodity_words[] = {
    {"electricity", "kWh"}, {"water", "m3"}, {"gas", "m3"}, {"time", "min"}};

const CommodityWords& words_of(Commodity commodity) {
    return commodity_words[static_cast<std::size_t>(commodity)];
}

const char* name_of(Command command) {
    switch (command) {
        case Command::power_limit:
            return "set maximum power limit";
        case Command::clear_credit:
            return "clear credit";
        case Command::tariff_rate:
            return "set tariff rate (reserved)";
        case Command::clear_tamper:
            return "clear tamper condition";
        case Command::phase_unbalance:
            return "set maximum phase unbalance";
        case Command::water_factor:
            return "set water meter factor (reserved)";
        case Command::extended:
            return "extended";
    }
    return "?";
}

const char* name_of(MeterTest::Form form) {
    constexpr const char* names[] = {"meter test, two-digit make", "meter test, four-digit make",
                                     "extended read"};
    return names[static_cast<std::size_t>(form)];
}

void add_facts(StsReport& to, const Credit& credit) {
    const auto& words = words_of(credit.commodity);
    to.add("name", fmt::format("credit {}", words.name));
    to.add("amount", tenths_text(decode_units(credit.amount))).add("unit", words.unit);
    to.add("field", fmt::format("{:04x}", credit.amount)).add("rnd", std::int64_t{credit.random});
}
void add_facts(StsReport& to, const CurrencyCredit& credit) {
    to.add("name", fmt::format("currency credit {}", words_of(credit.commodity).name));
    to.add("amount", currency_text(decode_currency(credit.amount))).add("unit", "currency");
    to.add("field", fmt::format("{:05x}", credit.amount));
}
void add_facts(StsReport& to, const MeterTest& test) {
    to.add("name", name_of(test.form)).add("control", fmt::format("{:#x}", test.control));
    to.add("manufacturer", std::int64_t{test.manufacturer});
}
void add_facts(StsReport& to, const Management& management) {
    to.add("name", name_of(management.command));
    switch (management.command) {
        case Command::power_limit:
        case Command::phase_unbalance:
            to.add("amount", std::to_string(decode_units(management.value))).add("unit", "W");
            break;
        case Command::clear_credit:
            to.add("register", management.value == every_register ? "all" : std::to_string(management.value));
            break;
        default:
            break;
    }
    to.add("field", fmt::format("{:04x}", management.value)).add("rnd", std::int64_t{management.random});
}
void add_facts(StsReport& to, const KeySection& section) {
    to.add("name", fmt::format("key change, section {}", section.number));
    const unsigned attributes = section.attributes;
    switch (section.number) {
        case 1: {
            const SectionFlags flags = flags_of(section);
            to.add("krn", std::int64_t{flags.revision}).add("kt", static_cast<std::int64_t>(flags.type));
            to.add("ken_high", static_cast<std::int64_t>(attributes >> 8));
            to.add("rollover", flags.rollover).add("three_tokens", flags.three_tokens);
            break;
        }
        case 2:
            to.add("ti", static_cast<std::int64_t>(attributes & 0xFF));
            to.add("ken_low", static_cast<std::int64_t>(attributes >> 8));
            break;
        default:
            to.add(section.number == 3 ? "sgc_low" : "sgc_high", static_cast<std::int64_t>(attributes));
    }
}

struct Written {
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(bool truth) const { return truth ? "true" : "false"; }
};

}  // namespace

StsReport& StsReport::add_content(const Content& content, BaseDate base) {
    add("class", static_cast<std::int64_t>(class_of(content)))
        .add("subclass", std::int64_t{subclass_of(content)});
    std::visit([&](const auto& kind) { add_facts(*this, kind); }, content);
    if (const auto tid = tid_of(content))
        add("tid", std::int64_t{tid->value}).add("at", iso_text(instant_of(base, *tid)));
    return *this;
}

std::string StsReport::json() const {
    std::string line = "{";
    for (const auto& [name, value] : facts_) {
        if (line.size() > 1) line += ',';
        const std::string written = std::visit(Written{}, value);
        line += std::holds_alternative<std::string>(value)
                    ? fmt::format(R"("{}":"{}")", name, json_escaped(written))
                    : fmt::format(R"("{}":{})", name, written);
    }
    return line + "}\n";
}

std::string StsReport::text(const std::string& headline) const {
    std::string lines = headline + "\n";
    for (const auto& [name, value] : facts_)
        lines += fmt::format("  {:<12} {}\n", name, std::visit(Written{}, value));
    return lines;
}

}  // namespace wattmesh::sim
