// vend set, vend load-key, vend deposit, vend check: what stands behind the counter.
#include <fstream>
#include <iostream>

#include "headend/command_line.h"
#include "headend/console/json.h"
#include "headend/database/vend_journal.h"
#include "headend/vending/adjust.h"
#include "headend/vending/books_file.h"
#include "security/software_module.h"

namespace wattmesh::headend {
namespace {

namespace pricing = vending::pricing;

struct AccountWords {
    std::string account, debt;
};

int set(Desk& desk, const std::string& file) {
    std::ifstream in{file};
    if (!in) throw std::runtime_error("cannot read " + file);
    database::Transaction transaction{desk.connection};
    const auto lines = vending::take_books(desk.connection, in, desk.clock->now());
    database::AuditRecord record{desk.clock->now(), actor(), "vend set", file};
    record.detail = std::to_string(lines) + " lines";
    record.reason = desk.raw.required<std::string>("reason");
    database::AuditLog{desk.connection}.append(record);
    transaction.commit();
    std::cerr << "Took " << lines << " lines.\n";
    return 0;
}

pricing::Money amount_of(const std::string& text) {
    std::int64_t minor = 0;
    std::istringstream digits{text};
    if (!(digits >> minor) || !digits.eof() || minor <= 0 || minor > pricing::money_max.minor)
        throw platform::UsageError("'" + text + "' is not an amount: a whole number of the smallest coin");
    return {minor};
}

/// deposit or withdraw.
int bank(Desk& desk, const std::string& verb, const std::string& name, const std::string& amount) {
    const vending::BankMove move{.amount = amount_of(amount),
                                 .reference = desk.raw.required<std::string>("reference"),
                                 .by = actor(),
                                 .reason = desk.raw.required<std::string>("reason"),
                                 .at = desk.clock->now()};
    const bool in = verb == "deposit";
    database::Transaction transaction{desk.connection};
    (in ? vending::deposit : vending::withdraw)(desk.connection, name, move);
    database::AuditRecord record{move.at, move.by, "vend " + verb, name};
    record.detail = amount + ", reference " + move.reference;
    record.reason = move.reason;
    database::AuditLog{desk.connection}.append(record);
    transaction.commit();
    std::cerr << "Vendor " << name << " has " << amount << (in ? " more" : " less") << " to sell for.\n";
    return 0;
}

template <std::size_t Size>
std::array<std::uint8_t, Size> octets_of(const platform::Settings& raw, const char* key) {
    const auto octets = from_hex(raw.required<std::string>(key));
    if (!octets || octets->size() != Size)
        throw platform::UsageError(std::string{"--"} + key + " takes " + std::to_string(Size * 2) +
                                   " hexadecimal digits");
    std::array<std::uint8_t, Size> result{};
    std::copy(octets->begin(), octets->end(), result.begin());
    return result;
}

/// A key of DKGA04: in a private file of 40 hexadecimal digits, or in a PKCS#11 token.
int load_key(Desk& desk, const std::string& place) {
    security::VendingKeyTerms terms;
    terms.name = {{static_cast<std::uint32_t>(desk.raw.optional_in<int>("sgc", -1, 0, 999'999))},
                  static_cast<std::uint8_t>(desk.raw.optional_in<int>("krn", 1, 1, 9))};
    if (!desk.raw.has("sgc")) throw platform::UsageError("--sgc says whose key it is");
    const auto base = sts::base_date(desk.raw.optional_in<unsigned>("base-year", 2014, 1993, 2035));
    if (!base) throw platform::UsageError("--base-year is 1993, 2014 or 2035");
    terms.base = *base;
    terms.expiry = static_cast<sts::KeyExpiry>(desk.raw.optional_in<int>("expiry", 255, 0, 255));
    constexpr std::int64_t units_max = 1'000'000'000'000;
    const auto units = desk.raw.required<std::int64_t>("units-limit");
    if (units < 1 || units > units_max)
        throw platform::UsageError("--units-limit is from 1 to " + std::to_string(units_max));
    terms.units_limit = static_cast<std::uint64_t>(units) * 10;
    const auto expected = octets_of<3>(desk.raw, "check");
    if (desk.settings.vending.module.empty()) throw std::runtime_error("vending.module is not configured");
    const auto master = security::open_master_key(desk.settings.master_key);
    security::SystemRandom random;
    security::SoftwareModule module{{desk.settings.vending.module, desk.settings.vending.production,
                                     desk.settings.vending.software_in_production},
                                    *master,
                                    random};
    if (place.starts_with("pkcs11:")) {
        module.load_token_key(terms, place, expected);
    } else {
        const auto text = security::read_private_file(place);
        std::string digits{text.reveal().begin(), text.reveal().end()};
        digits.erase(digits.find_last_not_of(" \r\n") + 1);
        auto octets = from_hex(digits);
        const auto key = octets ? sts::VendingKey::from(*octets) : std::nullopt;
        if (!key || key->size() != 20)
            throw std::runtime_error(place + " does not hold 40 hexadecimal digits");
        module.load_key(terms, *key, expected);
    }
    database::AuditLog{desk.connection}.append(
        {desk.clock->now(), actor(), "vend load-key", to_string(terms.name)});
    std::cerr << "Loaded vending key " << to_string(terms.name) << ".\n";
    return 0;
}

int foreign(Desk& desk) {
    for (const auto& call : database::VendJournal{desk.connection}.foreign(1'000)) {
        console::Json json;
        json.open_object()
            .field("call", static_cast<std::int64_t>(call.sequence))
            .field("at", call.at)
            .field("request", call.request);
        json.field("meter", call.meter_pan).field("tenths", call.tenths);
        std::cout << json.close_object().text() << "\n";
    }
    return 0;
}

void print(const database::Adjustment& one) { std::cout << vending::adjustment_json(one) << "\n"; }

int adjust(Desk& desk, const AccountWords& what, const std::string& amount) {
    const auto now = desk.clock->now();
    database::AdjustmentOrder order;
    order.account = what.account;
    order.debt = what.debt;
    if (!amount.empty()) order.amount = amount_of(amount);
    if (what.debt.empty()) order.reference = desk.raw.required<std::string>("reference");
    order.reason = desk.raw.required<std::string>("reason");
    order.key = "command " + std::to_string(epoch_us(now));
    order.by = actor();
    print(vending::order_adjustment(desk.connection, order, desk.settings.vending.front, now));
    return 0;
}

int waiting(Desk& desk) {
    for (const auto& one : database::Adjustments{desk.connection}.list(TenantId{1}, "", 10'000))
        if (one.state == "waiting") print(one);
    return 0;
}

int decide(Desk& desk, const std::string& verb, const std::string& number) {
    const auto id = console::parse_id(number);
    if (!id) throw platform::UsageError("'" + number + "' is not the number of an adjustment");
    const auto reason = desk.raw.required<std::string>("reason");
    print(vending::decide_adjustment(
        desk.connection,
        {.tenant = TenantId{1}, .id = *id, .yes = verb == "approve", .by = actor(), .why = reason},
        desk.clock->now()));
    return 0;
}

int check(Desk& desk) {
    desk.connection.execute("set statement_timeout = 0", "letting the check take its time");
    const auto troubles = database::VendJournal{desk.connection}.check();
    for (const auto& trouble : troubles) std::cout << trouble << "\n";
    if (troubles.empty()) std::cerr << "The books balance.\n";
    return troubles.empty() ? 0 : 1;
}

}  // namespace

int run_vend(const Words& words) {
    const auto arguments = parse_words(
        words, {"reason", "reference", "sgc", "krn", "base-year", "expiry", "units-limit", "check"});
    const auto& what = arguments.words();
    const auto is = [&](const char* verb, std::size_t count) {
        return what.size() == count && what[0] == verb;
    };
    Desk desk{arguments};
    if (is("set", 2)) return set(desk, what[1]);
    if (is("deposit", 3) || is("withdraw", 3)) return bank(desk, what[0], what[1], what[2]);
    if (is("write-off", 3) || is("write-off", 4))
        return adjust(desk, {.account = what[1], .debt = what[2]}, what.size() == 4 ? what[3] : "");
    if (is("pay-out", 2)) return adjust(desk, {.account = what[1], .debt = {}}, "");
    if (is("waiting", 1)) return waiting(desk);
    if (is("approve", 2) || is("refuse", 2)) return decide(desk, what[0], what[1]);
    if (is("load-key", 2)) return load_key(desk, what[1]);
    if (is("check", 1)) return check(desk);
    if (is("foreign", 1)) return foreign(desk);
    throw platform::UsageError(
        "say: headend vend "
        "set|deposit|withdraw|write-off|pay-out|waiting|approve|refuse|load-key|check|foreign "
        "(see --help)");
}

}  // namespace wattmesh::headend
