#include "headend/vending/reports.h"

#include <array>
#include <stdexcept>

#include "headend/console/json.h"

namespace wattmesh::headend::vending {
namespace {

using database::SalesReader;
using jobs::Cell;
using jobs::Decimal;
constexpr std::array<std::string_view, 5> report_words{"sales", "tax", "debt", "free_units", "anomalies"};

/// Cells of one utility's money, and what they add up to.
struct Books {
    const Shopfront& front;
    ReportTable table;

    Cell money(pricing::Money money) const { return Decimal{money.minor, front.decimals}; }
    static Cell units(pricing::Tenths units) { return Decimal{units.count, 1}; }
    static Cell day(std::chrono::sys_days day) { return console::iso_day(day); }
    void note(const std::string& what, pricing::Money sum) {
        table.heading.notes.push_back(what + ": " + money_text(front, sum));
    }
    void note(const std::string& what, pricing::Tenths sum) {
        table.heading.notes.push_back(what + ": " + jobs::to_string(Decimal{sum.count, 1}) + " kWh");
    }
    template <class Rows>
    const Rows& checked(const Rows& rows) {
        if (rows.size() > SalesReader::rows_max)
            throw std::length_error("This report has more than 100 000 rows: take a shorter span.");
        return rows;
    }
};

void fill_sales(SalesReader reader, const database::SalesSpan& span, Books& books) {
    books.table.heading.columns = {{"Day", 11},     {"Tariff", 14},  {"Vendor", 14},  {"Sales", 7},
                                   {"Payments", 9}, {"Paid", 12},    {"kWh", 10},     {"Free kWh", 9},
                                   {"Fees", 9},     {"Charges", 10}, {"Debts", 10},   {"Energy", 12},
                                   {"Levies", 10},  {"Taxes", 10},   {"Rounding", 9}, {"Into accounts", 12}};
    pricing::Money paid, into_accounts;
    pricing::Tenths sold;
    const auto days = reader.sales(span);
    for (const auto& day : books.checked(days)) {
        std::vector<Cell> row{Books::day(day.day),
                              day.tariff,
                              !day.vendor.empty()  ? day.vendor
                              : day.tariff.empty() ? "Paid out"
                                                   : "Counted by the server",
                              day.sales,
                              day.payments,
                              books.money(day.tender),
                              Books::units(day.units),
                              Books::units(day.free_units)};
        for (const auto& part : day.by_kind) row.push_back(books.money(part));
        books.table.rows.push_back(std::move(row));
        paid += day.tender;
        into_accounts += day.by_kind[static_cast<std::size_t>(pricing::LineKind::credit)];
        sold = sold + day.units;
    }
    books.note("Paid", paid);
    books.note("Sold", sold);
    books.note("Into accounts that the server counts, less what it charged", into_accounts);
}

void fill_tax(SalesReader reader, const database::SalesSpan& span, Books& books) {
    books.table.heading.columns = {{"Tax", 20},          {"Rate %", 9}, {"Sales", 9},
                                   {"Charged days", 12}, {"Taxed", 14}, {"Tax collected", 14}};
    pricing::Money sum;
    const auto taxes = reader.taxes(span);
    for (const auto& tax : books.checked(taxes)) {
        books.table.rows.push_back({tax.name, Decimal{tax.share.ppm, 4}, tax.sales, tax.charged_days,
                                    books.money(tax.base), books.money(tax.amount)});
        sum += tax.amount;
    }
    books.note("Tax collected", sum);
}

void fill_debt(SalesReader reader, const database::SalesSpan& span, Books& books) {
    books.table.heading.columns = {{"Account", 14},     {"Customer", 22}, {"Debt", 16},
                                   {"Recovery", 14},    {"Original", 12}, {"Paid in span", 12},
                                   {"Written off", 12}, {"Owed now", 12}, {"Held", 6}};
    pricing::Money paid, lost, owed;
    const auto debts = reader.debts(span);
    for (const auto& debt : books.checked(debts)) {
        books.table.rows.push_back({debt.account, debt.customer, debt.name, debt.recovery,
                                    books.money(debt.original), books.money(debt.paid),
                                    books.money(debt.written_off), books.money(debt.balance),
                                    std::string{debt.held ? "held" : ""}});
        paid += debt.paid;
        lost += debt.written_off;
        owed += debt.balance;
    }
    books.note("Paid in the span", paid);
    books.note("Written off in the span", lost);
    books.note("Owed now", owed);
}

void fill_free_units(SalesReader reader, const database::SalesSpan& span, Books& books) {
    books.table.heading.columns = {{"Day", 11},   {"Account", 14}, {"Customer", 24},
                                   {"Meter", 14}, {"Receipt", 10}, {"Free kWh", 10}};
    pricing::Tenths sum;
    const auto claims = reader.free_claims(span);
    for (const auto& claim : books.checked(claims)) {
        books.table.rows.push_back({Books::day(claim.day), claim.account, claim.customer, claim.meter,
                                    claim.sale ? Cell{claim.sale->value} : Cell{},
                                    Books::units(claim.units)});
        sum = sum + claim.units;
    }
    books.note("Claimed", sum);
}

void fill_anomalies(SalesReader reader, const database::SalesSpan& span, Books& books) {
    books.table.heading.columns = {
        {"What", 22}, {"Time (UTC)", 17}, {"Where", 26}, {"Detail", 60}, {"kWh", 10}};
    const auto found = reader.anomalies(span);
    for (const auto& one : books.checked(found)) {
        auto what = one.what;
        for (auto& c : what)
            if (c == '_') c = ' ';
        books.table.rows.push_back(
            {what, one.at, one.subject, one.detail, one.units ? Books::units(*one.units) : Cell{}});
    }
    books.table.heading.notes.push_back(std::to_string(found.size()) + " to look at");
}

struct Kind {
    const char* title;
    void (*fill)(SalesReader, const database::SalesSpan&, Books&);
};
constexpr std::array<Kind, 5> kinds_of_report{{{"Sales by day, tariff and vendor", fill_sales},
                                               {"Taxes", fill_tax},
                                               {"Debts", fill_debt},
                                               {"Free units to claim", fill_free_units},
                                               {"Anomalies of sales", fill_anomalies}}};

}  // namespace

std::string_view to_string(SalesReport report) { return report_words[static_cast<std::size_t>(report)]; }

std::optional<SalesReport> parse_sales_report(std::string_view word) {
    for (std::size_t i = 0; i < report_words.size(); ++i)
        if (report_words[i] == word) return static_cast<SalesReport>(i);
    return std::nullopt;
}

ReportTable sales_report(database::Connection& connection, SalesReport report,
                         const database::SalesSpan& span, const Shopfront& front) {
    const auto& kind = kinds_of_report[static_cast<std::size_t>(report)];
    Books books{front, {}};
    books.table.heading.title = std::string{kind.title} + ", " + front.utility;
    books.table.heading.notes = {"Days " + console::iso_day(span.first) + " to " +
                                 console::iso_day(span.last)};
    kind.fill(SalesReader{connection}, span, books);
    return std::move(books.table);
}

}  // namespace wattmesh::headend::vending
