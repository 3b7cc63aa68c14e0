#include "headend/vending/books_file.h"

#include <Poco/JSON/Parser.h>

#include "headend/console/json.h"
#include "headend/database/customers.h"
#include "headend/database/read_counter.h"
#include "headend/database/sales.h"
#include "headend/database/tariffs.h"
#include "headend/database/vend_journal.h"
#include "headend/vending/token_orders.h"

namespace wattmesh::headend::vending {
namespace {

using Object = Poco::JSON::Object::Ptr;
constexpr TenantId tenant{1};
constexpr std::size_t line_size_max = 64 * 1024;

std::int64_t number(const Object& object, const char* name, std::int64_t otherwise) {
    if (!object->has(name)) return otherwise;
    return object->getValue<Poco::Int64>(name);
}
std::int64_t number(const Object& object, const char* name) {
    if (!object->has(name)) throw BooksError(std::string{"'"} + name + "' is missing");
    return object->getValue<Poco::Int64>(name);
}
int small(const Object& object, const char* name, std::int64_t otherwise) {
    const auto value = number(object, name, otherwise);
    if (value < -2'000'000'000 || value > 2'000'000'000)
        throw BooksError(std::string{"'"} + name + "' is out of range");
    return static_cast<int>(value);
}
/// Where a member has a range of its own; a number beyond it is not cut off.
int within(const Object& object, const char* name, std::int64_t otherwise, int low, int high) {
    const auto value = number(object, name, otherwise);
    if (value < low || value > high)
        throw BooksError(std::string{"'"} + name + "' is from " + std::to_string(low) + " to " +
                         std::to_string(high));
    return static_cast<int>(value);
}
bool flag(const Object& object, const char* name, bool otherwise) {
    return object->has(name) ? object->getValue<bool>(name) : otherwise;
}
std::string text(const Object& object, const char* name) {
    if (!object->has(name)) throw BooksError(std::string{"'"} + name + "' is missing");
    return object->getValue<std::string>(name);
}
std::string text(const Object& object, const char* name, const char* otherwise) {
    return object->has(name) ? text(object, name) : otherwise;
}

template <class Each>
void each(const Object& object, const char* name, Each&& take) {
    const auto array = object->getArray(name);
    if (array.isNull()) return;
    for (std::size_t i = 0; i < array->size(); ++i) {
        const auto part = array->getObject(static_cast<unsigned>(i));
        if (part.isNull()) throw BooksError(std::string{"'"} + name + "' holds something that is no object");
        take(part);
    }
}

sts::MeterPan pan_from(const std::string& typed) {
    const auto parsed = sts::MeterPan::parse(typed);
    if (const auto* fault = std::get_if<sts::PanFault>(&parsed))
        throw BooksError("'meter': " + std::string{explain(*fault)});
    return std::get<sts::MeterPan>(parsed);
}

pricing::Month month_from(const std::string& typed) {
    const auto day = console::parse_day(typed + "-01");
    if (!day) throw BooksError("'" + typed + "' is not a month like 2026-11");
    const std::chrono::year_month_day date{*day};
    return {static_cast<int>(date.year()) * 12 + static_cast<int>(static_cast<unsigned>(date.month())) - 1};
}

void take_tariff(database::Connection& connection, const Object& line) {
    pricing::Tariff tariff{
        .id = {}, .name = text(line, "name"), .steps = {}, .levies = {}, .taxes = {}, .charge_per_month = {}};
    each(line, "steps", [&](const Object& step) {
        std::optional<pricing::Tenths> up_to;
        if (step->has("up_to"))
            up_to = pricing::Tenths{std::int64_t{within(step, "up_to", -1, 1, 100'000'000)} * 10};
        tariff.steps.push_back({up_to, {number(step, "price_mills")}});
    });
    each(line, "levies", [&](const Object& levy) {
        tariff.levies.push_back(
            {text(levy, "name"), {number(levy, "per_unit_mills", 0)}, {small(levy, "ppm", 0)}});
    });
    each(line, "taxes", [&](const Object& tax) {
        tariff.taxes.push_back({text(tax, "name"),
                                {small(tax, "ppm", 0)},
                                flag(tax, "on_levies", true),
                                flag(tax, "on_charges", true)});
    });
    tariff.charge_per_month = {number(line, "charge_per_month", 0)};
    tariff.charge_months_max = small(line, "charge_months_max", 1);
    tariff.free_units_count = flag(line, "free_units_count", true);
    tariff.debts_before_charges = flag(line, "debts_before_charges", false);
    tariff.tender_min = {number(line, "tender_min", 1)};
    tariff.tender_max = {number(line, "tender_max", pricing::money_max.minor)};
    if (const auto fault = fault_of(tariff)) throw BooksError(*fault);
    const auto from = console::parse_iso(text(line, "valid_from"));
    if (!from) throw BooksError("'valid_from' is not an instant like 2026-11-01T00:00:00Z");
    database::Tariffs tariffs{connection};
    tariffs.add_version(tariffs.put(tenant, text(line, "tariff")), *from, tariff);
}

database::Vendor known_vendor(database::Connection& connection, const std::string& name) {
    auto vendor = database::Vendors{connection}.find(tenant, name);
    if (!vendor) throw BooksError("there is no vendor '" + name + "'");
    return std::move(*vendor);
}

void take_vendor(database::Connection& connection, const Object& line) {
    database::Vendors vendors{connection};
    const auto name = text(line, "vendor");
    const auto id = vendors.put(tenant, name, {number(line, "credit_floor", 0)},
                                {{number(line, "fee_fixed", 0)}, {small(line, "fee_ppm", 0)}},
                                flag(line, "disabled", false));
    const auto array = line->getArray("terminals");
    for (std::size_t i = 0; !array.isNull() && i < array->size(); ++i)
        if (!vendors.put_terminal(id, array->getElement<std::string>(static_cast<unsigned>(i)), false))
            throw BooksError("another vendor has a terminal of this name");
}

void take_operator(database::Connection& connection, const Object& line) {
    const auto login = text(line, "operator");
    if (!database::Vendors{connection}.put_operator(login, known_vendor(connection, text(line, "vendor")).id))
        throw BooksError("there is no user '" + login + "' (headend user add --role vendor)");
}

void take_customer(database::Connection& connection, const Object& line) {
    const auto code = text(line, "tariff");
    const auto tariff = database::Tariffs{connection}.find(tenant, code);
    if (!tariff) throw BooksError("there is no tariff '" + code + "'");
    database::Customers{connection}.put({.tenant = tenant,
                                         .area = {small(line, "area", 1)},
                                         .number = text(line, "customer"),
                                         .name = text(line, "name"),
                                         .address = text(line, "address", ""),
                                         .tariff = *tariff,
                                         .free_units = {within(line, "free_units", 0, 0, 100'000) * 10},
                                         .opened = month_from(text(line, "opened"))});
}

database::PrepaidAccountId known_customer(database::Connection& connection, const std::string& number) {
    const auto id = database::Customers{connection}.find(tenant, number);
    if (!id) throw BooksError("there is no customer '" + number + "'");
    return *id;
}

void take_debt(database::Connection& connection, const Object& line) {
    const auto recovery = pricing::parse_recovery(text(line, "recovery"));
    if (!recovery) throw BooksError("'recovery' is percent, instalment, first_of_month or full");
    pricing::Debt debt{.id = {},
                       .name = text(line, "debt"),
                       .recovery = *recovery,
                       .original = {number(line, "amount")},
                       .balance = {number(line, "amount")},
                       .share = {small(line, "ppm", 0)},
                       .floor = {number(line, "floor", 0)},
                       .cap = {number(line, "cap", pricing::money_max.minor)},
                       .instalment = {number(line, "instalment", 0)},
                       .first_month = month_from(text(line, "first_month", "1970-01")),
                       .last_month = {}};
    const auto customer = text(line, "customer");
    if (!database::Customers{connection}.put_debt(
            known_customer(connection, customer),
            {debt, small(line, "priority", 0), flag(line, "held", false)}))
        throw BooksError("customer '" + customer + "' has a debt '" + debt.name +
                         "' of another amount: what is owed besides needs a name of its own");
}

/// The record as the line changes it: what the line does not say stays.
database::PrepaidMeter meter_in(const Object& line, const std::optional<database::PrepaidMeter>& before) {
    database::PrepaidMeter meter =
        before ? *before
               : database::PrepaidMeter{
                     .id = {}, .tenant = tenant, .pan = pan_from(text(line, "meter")), .supply_group = {}};
    const auto base =
        sts::base_date(static_cast<unsigned>(small(line, "base_year", database::year_of(meter.base))));
    const auto algorithm = small(line, "algorithm", static_cast<int>(meter.algorithm));
    if (!base || (algorithm != 7 && algorithm != 11))
        throw BooksError("'base_year' is 1993, 2014 or 2035, 'algorithm' 7 or 11");
    meter.supply_group = {
        static_cast<std::uint32_t>(within(line, "supply_group", meter.supply_group.value, 0, 999'999))};
    meter.key_revision = static_cast<std::uint8_t>(within(line, "key_revision", meter.key_revision, 1, 9));
    meter.tariff_index = static_cast<std::uint8_t>(within(line, "tariff_index", meter.tariff_index, 0, 99));
    meter.algorithm = static_cast<sts::Algorithm>(algorithm);
    meter.base = *base;
    if (line->has("blocked")) {
        meter.blocked_why.reset();
        if (!line->isNull("blocked")) meter.blocked_why = text(line, "blocked");
    }
    return meter;
}

bool same_key(const database::PrepaidMeter& one, const database::PrepaidMeter& other) {
    return key_of(one).vending_key == key_of(other).vending_key && one.tariff_index == other.tariff_index &&
           one.base == other.base;
}

void take_meter(database::Connection& connection, const Object& line) {
    database::Customers customers{connection};
    const auto before = customers.meter(pan_from(text(line, "meter")));
    const auto meter = meter_in(line, before);
    if (before && !same_key(*before, meter) && !flag(line, "other_key", false) &&
        database::CounterReader{connection}.past(before->id).key_changed)
        throw BooksError("meter " + std::string{meter.pan.meter_number()} + " got the key of supply group " +
                         std::to_string(before->supply_group.value) +
                         " by a key change: leave its key out, or say \"other_key\": true if it was seen to "
                         "hold this one");
    auto account = before ? customers.account_of(before->id) : std::nullopt;
    if (line->has("customer")) {
        account.reset();
        if (!line->isNull("customer")) account = known_customer(connection, text(line, "customer"));
    }
    const auto id = customers.put_meter(meter, account);
    if (!line->has("device")) return;
    std::optional<DeviceNumber> device;
    if (!line->isNull("device")) {
        device = DeviceNumber::parse(text(line, "device"));
        if (!device) throw BooksError("'device' is a meter's number of twelve decimal digits");
    }
    if (!customers.set_device(id, device))
        throw BooksError("there is no meter " + to_string(*device) +
                         ": import it first, or leave 'device' out");
}

void take(database::Connection& connection, const std::string& words) {
    const auto line = Poco::JSON::Parser{}.parse(words).extract<Object>();
    const auto kind = text(line, "kind");
    if (kind == "tariff") return take_tariff(connection, line);
    if (kind == "vendor") return take_vendor(connection, line);
    if (kind == "operator") return take_operator(connection, line);
    if (kind == "customer") return take_customer(connection, line);
    if (kind == "debt") return take_debt(connection, line);
    if (kind == "meter") return take_meter(connection, line);
    throw BooksError("'kind' is tariff, vendor, operator, customer, debt or meter");
}

}  // namespace

int take_books(database::Connection& connection, std::istream& in, Instant now) {
    int count = 0, place = 0;
    for (std::string line; std::getline(in, line);) {
        ++place;
        if (line.find_first_not_of(" \r\t") == std::string::npos) continue;
        const auto where = "line " + std::to_string(place) + ": ";
        if (line.size() > line_size_max) throw BooksError(where + "too long");
        try {
            take(connection, line);
        } catch (const Poco::Exception& error) {
            throw BooksError(where +
                             "not a JSON object with members of the right kind: " + error.displayText());
        } catch (const BooksError& error) {
            throw BooksError(where + error.what());
        } catch (const database::DatabaseError& error) {
            if (error.trouble() != database::Trouble::refused) throw;
            throw BooksError(where + "the database refuses it: " + error.what());
        }
        ++count;
    }
    database::VendJournal{connection}.append(now, "books", "owner", std::to_string(count) + " lines");
    return count;
}

namespace {

/// What a vendor's bank moved, as a sale of one line: the money's side of the ledger is the bank.
database::Intended moved(database::Connection& connection, database::SaleKind kind,
                         const database::Vendor& vendor, const BankMove& move) {
    database::Sale sale;
    sale.tenant = tenant;
    sale.kind = kind;
    sale.state = database::SaleState::issued;
    sale.key = move.reference;
    sale.operator_ = move.by;
    sale.vendor = vendor.id;
    sale.at = move.at;
    sale.day = std::chrono::floor<std::chrono::days>(move.at);
    sale.tender = move.amount;
    sale.pay_type = "bank";
    sale.reason = move.reason;
    const bool in = kind == database::SaleKind::deposit;
    const pricing::Line line{
        .kind = pricing::LineKind::fee, .name = in ? "deposit" : "withdrawal", .amount = move.amount};
    const auto bank = database::Vendors{connection}.account(tenant, "bank", "deposits");
    sale.lines.push_back({line, in ? bank : vendor.account, in ? vendor.account : bank});
    return database::Sales{connection}.intend(sale, nullptr);
}

}  // namespace

void deposit(database::Connection& connection, const std::string& vendor, const BankMove& move) {
    const auto known = known_vendor(connection, vendor);
    if (moved(connection, database::SaleKind::deposit, known, move) != database::Intended::stored)
        throw BooksError("the deposit with reference '" + move.reference + "' was taken before");
}

void withdraw(database::Connection& connection, const std::string& vendor, const BankMove& move) {
    const auto known = known_vendor(connection, vendor);
    const auto how = moved(connection, database::SaleKind::withdrawal, known, move);
    if (how == database::Intended::key_taken)
        throw BooksError("the withdrawal with reference '" + move.reference + "' was taken before");
    // The row is this transaction's now: what is below zero would be lent.
    if (how != database::Intended::stored || known_vendor(connection, vendor).credit < pricing::Money{})
        throw BooksError("vendor " + vendor + " has a credit of " + std::to_string(known.credit.minor) +
                         ": no more than that can be withdrawn");
}

}  // namespace wattmesh::headend::vending
