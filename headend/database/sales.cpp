#include "headend/database/sales.h"

#include <array>

#include "headend/database/prepaid_meter_row.h"
#include "headend/database/sale_json.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::array<std::string_view, 6> kinds{"sale",       "free",    "engineering",
                                                "key_change", "deposit", "payment"};
constexpr std::array<std::string_view, 4> states{"intended", "issued", "refused", "reversed"};
constexpr const char* sale_columns =
    "select id, tenant, kind, state, coalesce(terminal, 0), key, body_hash, operator, vendor, account, "
    "meter, tariff_version, at_us, "
    "day - date '1970-01-01', tender, pay_type, tenths, free_tenths, counted_tenths, charged_before, reason, "
    "response, completed_us, "
    "confirmed_us, copies from sale";

template <class Word, std::size_t Size>
Word word_of(const std::array<std::string_view, Size>& words, const std::string& text) {
    for (std::size_t i = 0; i < Size; ++i)
        if (words[i] == text) return static_cast<Word>(i);
    throw soci::soci_error("an unknown word in a sale");
}

std::chrono::sys_days day_of(int days) { return std::chrono::sys_days{std::chrono::days{days}}; }

Sale sale_of(const soci::row& row) {
    Sale sale;
    sale.id = row.get<SaleId>(0);
    sale.tenant = row.get<TenantId>(1);
    sale.kind = word_of<SaleKind>(kinds, row.get<std::string>(2));
    sale.state = word_of<SaleState>(states, row.get<std::string>(3));
    sale.terminal = row.get<TerminalId>(4);
    sale.key = row.get<std::string>(5);
    sale.body_hash = from_bytea(row.get<std::string>(6));
    sale.operator_ = row.get<std::string>(7);
    sale.vendor = row.get<VendorId>(8);
    sale.account = row.get<std::optional<PrepaidAccountId>>(9);
    sale.meter = row.get<std::optional<PrepaidMeterId>>(10);
    sale.tariff = row.get<std::optional<pricing::TariffVersionId>>(11);
    sale.at = row.get<Instant>(12);
    sale.day = day_of(row.get<int>(13));
    sale.tender = {row.get<long long>(14)};
    sale.pay_type = row.get<std::string>(15);
    sale.units = {row.get<long long>(16)};
    sale.free_units = {row.get<long long>(17)};
    sale.counted = {row.get<long long>(18)};
    sale.charged_before = {row.get<int>(19)};
    sale.reason = row.get<std::string>(20);
    if (row.get_indicator(21) == soci::i_ok) sale.response = from_bytea(row.get<std::string>(21));
    sale.completed = row.get<std::optional<Instant>>(22);
    sale.confirmed = row.get<std::optional<Instant>>(23);
    sale.copies = row.get<int>(24);
    return sale;
}

std::vector<pricing::Debt> debts_of(soci::session& sql, PrepaidAccountId account) {
    std::vector<pricing::Debt> debts;
    const soci::rowset<soci::row> rows =
        (sql.prepare
             << "select id, name, recovery, original, balance, ppm, floor, cap, instalment, first_month, "
                "last_month from "
                "customer_debt where account = :account and balance > 0 and not held order by priority, id",
         use(account));
    for (const auto& row : rows) {
        pricing::Debt debt{.id = row.get<pricing::DebtId>(0),
                           .name = row.get<std::string>(1),
                           .original = {},
                           .balance = {},
                           .share = {},
                           .floor = {},
                           .instalment = {},
                           .first_month = {},
                           .last_month = {}};
        const auto recovery = pricing::parse_recovery(row.get<std::string>(2));
        if (!recovery) throw soci::soci_error("a debt is recovered in an unknown way");
        debt.recovery = *recovery;
        debt.original = {row.get<long long>(3)};
        debt.balance = {row.get<long long>(4)};
        debt.share = {row.get<int>(5)};
        debt.floor = {row.get<long long>(6)};
        debt.cap = {row.get<long long>(7)};
        debt.instalment = {row.get<long long>(8)};
        debt.first_month = {row.get<int>(9)};
        if (row.get_indicator(10) == soci::i_ok) debt.last_month = pricing::Month{row.get<int>(10)};
        debts.push_back(debt);
    }
    return debts;
}

/// Columns behind those of the meter.
SaleGround ground_of(const soci::row& row, bool& has_debts) {
    constexpr auto at = prepaid_meter_column_count;
    SaleGround ground{.meter = prepaid_meter_of(row),
                      .account = {},
                      .account_number = {},
                      .customer = {},
                      .address = {},
                      .tariff = {},
                      .standing = {}};
    ground.standing.month = {row.get<int>(at)};
    ground.day = day_of(row.get<int>(at + 1));
    if (row.get_indicator(at + 2) != soci::i_ok || row.get_indicator(at + 7) != soci::i_ok) return ground;
    ground.account = row.get<PrepaidAccountId>(at + 2);
    ground.account_number = row.get<std::string>(at + 3);
    ground.customer = row.get<std::string>(at + 4);
    ground.address = row.get<std::string>(at + 5);
    ground.version = row.get<long long>(at + 6);
    ground.tariff = row.get<pricing::TariffVersionId>(at + 7);
    if (row.get<int>(at + 8) == ground.standing.month.value)
        ground.standing.used = {row.get<long long>(at + 9)};
    if (row.get<int>(at + 10) < ground.standing.month.value)
        ground.standing.free_units = {row.get<int>(at + 11)};
    ground.standing.charged_until = {row.get<int>(at + 12)};
    has_debts = row.get<int>(at + 13) != 0;
    return ground;
}

}  // namespace

std::string_view to_string(SaleKind kind) { return kinds[static_cast<std::size_t>(kind)]; }
std::string_view to_string(SaleState state) { return states[static_cast<std::size_t>(state)]; }
std::optional<SaleKind> parse_sale_kind(std::string_view word) {
    for (std::size_t i = 0; i < kinds.size(); ++i)
        if (kinds[i] == word) return static_cast<SaleKind>(i);
    return std::nullopt;
}

std::optional<SaleGround> Sales::ground(const sts::MeterPan& pan, Instant at) {
    return connection_.run("reading what a sale is priced by", [&](soci::session& sql) {
        const std::string digits{pan.digits()};
        std::optional<SaleGround> found;
        bool has_debts = false;
        {
            const soci::rowset<soci::row> rows =
                (sql.prepare << std::string{"select "} + prepaid_meter_columns +
                                    ", (extract(year from l.at) * 12 + extract(month from l.at) - 1)::int, "
                                    "l.at::date - date "
                                    "'1970-01-01', a.id, a.number, a.name, a.address, a.version, v.id, "
                                    "a.month, a.month_tenths, "
                                    "a.free_month, a.free_tenths, a.charged_until, (exists (select from "
                                    "customer_debt d where "
                                    "d.account = a.id and d.balance > 0))::int "
                                    "from prepaid_meter m join tenant t on t.id = m.tenant left join "
                                    "customer_account a on a.id = "
                                    "m.account left join lateral (select id from tariff_version where tariff "
                                    "= a.tariff and "
                                    "valid_from_us <= :at order by valid_from_us desc limit 1) v on true "
                                    "cross join lateral (select "
                                    "at_time(:at) at time zone t.time_zone as at) l where m.pan = :pan",
                 soci::use(at, "at"), soci::use(digits, "pan"));
            for (const auto& row : rows) found = ground_of(row, has_debts);
        }
        if (has_debts) found->standing.debts = debts_of(sql, *found->account);
        return found;
    });
}

Intended Sales::intend(Sale& sale, const SaleGround* ground) {
    const auto row = row_json(sale), lines = lines_json(sale), tokens = tokens_json(sale);
    const long long version = ground != nullptr ? ground->version : 0;
    const int month = ground != nullptr ? ground->standing.month.value : 0;
    try {
        connection_.run("storing a sale's intent", [&](soci::session& sql) {
            sql << "select vend_intend(jsonb_populate_record(null::sale, cast(:row as jsonb)), :version, "
                   ":month, cast(:lines as "
                   "jsonb), cast(:tokens as jsonb))",
                use(row), use(version), use(month), use(lines), use(tokens), soci::into(sale.id);
        });
    } catch (const DatabaseError& error) {
        if (error.state() == "WM001" || error.state() == "WM003") return Intended::stale;
        if (error.state() == "WM002") return Intended::credit;
        if (error.state() == "23505") return Intended::key_taken;
        throw;
    }
    return Intended::stored;
}

bool Sales::complete(SaleId sale, Instant at, Bytes sealed_response, const std::vector<TokenMade>& made,
                     const Parcel& parcel) {
    return connection_.run("storing a sale's tokens", [&](soci::session& sql) {
        const auto answer = bytea(sealed_response), tokens = made_json(made), sent = parcel_json(parcel);
        int done = 0;
        sql << "select vend_complete(:sale, :at, cast(:answer as bytea), cast(:made as jsonb), cast(:sent as "
               "jsonb), :until)::int",
            use(sale), use(at), use(answer), use(tokens), use(sent), use(parcel.deadline), soci::into(done);
        return done != 0;
    });
}

bool Sales::refuse(SaleId sale, Instant at, const std::string& by, const std::string& why,
                   Bytes sealed_response) {
    return connection_.run("taking a refused sale back", [&](soci::session& sql) {
        const auto answer = bytea(sealed_response);
        int done = 0;
        sql << "select vend_undo(:sale, 'intended', 'refused', :at, :by, :why, cast(:answer as bytea))::int",
            use(sale), use(at), use(by), use(why), use(answer), soci::into(done);
        return done != 0;
    });
}

bool Sales::reverse(SaleId sale, Instant at, const std::string& by, const std::string& why) {
    return connection_.run("reversing a sale", [&](soci::session& sql) {
        int done = 0;
        sql << "select vend_undo(:sale, 'issued', 'reversed', :at, :by, :why, null)::int", use(sale), use(at),
            use(by), use(why), soci::into(done);
        return done != 0;
    });
}

bool Sales::confirm(SaleId sale, Instant at, const std::string& by) {
    return connection_.run("confirming a sale", [&](soci::session& sql) {
        soci::statement confirm =
            (sql.prepare
                 << "with confirmed as (update sale set confirmed_us = :at where id = :id and state = "
                    "'issued' and confirmed_us is null returning id) select vend_journal_append(:at, "
                    "id, 'confirmed', :by, '') from confirmed",
             soci::use(at, "at"), soci::use(sale, "id"), soci::use(by, "by"));
        return confirm.execute(true);
    });
}

std::optional<int> Sales::copy(SaleId sale, Instant at, const std::string& by) {
    return connection_.run("counting a copy", [&](soci::session& sql) -> std::optional<int> {
        int copies = 0;
        sql << "with copied as (update sale set copies = copies + 1 where id = :id and state = 'issued' "
               "returning id, copies), noted "
               "as (select vend_journal_append(:at, id, 'copy', :by, copies::text) from copied) select "
               "copies from copied, noted",
            soci::use(sale, "id"), soci::use(at, "at"), soci::use(by, "by"), soci::into(copies);
        if (!sql.got_data()) return std::nullopt;
        return copies;
    });
}

std::optional<Sale> Sales::find(TerminalId terminal, const std::string& key) {
    return first(" where terminal = :number and key = :text", terminal.value, key);
}

std::optional<Sale> Sales::find(SaleId id) {
    auto sale = first(" where id = :number and :text = ''", id.value, "");
    if (sale) read_parts(*sale);
    return sale;
}

std::optional<Sale> Sales::first(const std::string& condition, long long number, const std::string& text) {
    return connection_.run("finding a sale", [&](soci::session& sql) -> std::optional<Sale> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << sale_columns + condition, soci::use(number, "number"), soci::use(text, "text"));
        for (const auto& row : rows) return sale_of(row);
        return std::nullopt;
    });
}

void Sales::read_parts(Sale& sale) {
    connection_.run("reading a sale", [&](soci::session& sql) {
        const soci::rowset<soci::row> lines =
            (sql.prepare << "select kind, name, amount, tenths, price_mills, base, ppm, coalesce(debt, 0), "
                            "coalesce(balance, 0), "
                            "debit, credit from sale_line where sale = :sale order by place",
             use(sale.id));
        constexpr std::array<std::string_view, 7> words{"fee",  "charge", "debt",    "energy",
                                                        "levy", "tax",    "rounding"};
        for (const auto& row : lines) {
            pricing::Line line{.kind = word_of<pricing::LineKind>(words, row.get<std::string>(0)),
                               .name = row.get<std::string>(1),
                               .amount = {row.get<long long>(2)}};
            line.units = {row.get<long long>(3)};
            line.price = {row.get<long long>(4)};
            line.base = {row.get<long long>(5)};
            line.share = {row.get<int>(6)};
            line.debt = row.get<pricing::DebtId>(7);
            line.balance = {row.get<long long>(8)};
            sale.lines.push_back({line, row.get<LedgerAccountId>(9), row.get<LedgerAccountId>(10)});
        }
        const soci::rowset<soci::row> tokens =
            (sql.prepare << "select request, kind, supply_group, key_revision::int, tariff_index::int, "
                            "base_year::int, tid, content "
                            "from vend_token where sale = :sale order by place",
             use(sale.id));
        for (const auto& row : tokens) {
            SaleToken token{.request = row.get<std::string>(0),
                            .kind = row.get<std::string>(1),
                            .tid = {},
                            .content = row.get<std::string>(7)};
            token.supply_group = {static_cast<std::uint32_t>(row.get<int>(2))};
            token.key_revision = static_cast<std::uint8_t>(row.get<int>(3));
            token.tariff_index = static_cast<std::uint8_t>(row.get<int>(4));
            if (const auto base = base_of_year(row.get<int>(5))) token.base = *base;
            if (row.get_indicator(6) == soci::i_ok)
                token.tid = sts::Tid{static_cast<std::uint32_t>(row.get<int>(6))};
            sale.tokens.push_back(std::move(token));
        }
    });
}

std::vector<Sale> Sales::of_meter(PrepaidMeterId meter, int count) {
    return connection_.run("listing a meter's sales", [&](soci::session& sql) {
        std::vector<Sale> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{sale_columns} +
                                " where meter = :meter and state = 'issued' order by id desc limit "
                                ":count",
             use(meter), use(count));
        for (const auto& row : rows) found.push_back(sale_of(row));
        return found;
    });
}

std::optional<SaleId> Sales::of_token(PrepaidMeterId meter, sts::BaseDate base, sts::Tid tid) {
    return connection_.run("finding a token's sale", [&](soci::session& sql) -> std::optional<SaleId> {
        const int year = year_of(base), number = static_cast<int>(tid.value);
        SaleId id;
        sql << "select sale from vend_token where meter = :meter and base_year = :year and tid = :tid",
            use(meter), use(year), use(number), soci::into(id);
        if (!sql.got_data()) return std::nullopt;
        return id;
    });
}

std::vector<SaleId> Sales::open(Instant before, int count) {
    return connection_.run("listing sales without an end", [&](soci::session& sql) {
        std::vector<SaleId> found;
        const soci::rowset<soci::row> rows = (sql.prepare << "select id from sale where state = 'intended' "
                                                             "and at_us < :before order by id limit :count",
                                              use(before), use(count));
        for (const auto& row : rows) found.push_back(row.get<SaleId>(0));
        return found;
    });
}

}  // namespace wattmesh::headend::database
