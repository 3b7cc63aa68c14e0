#include "headend/database/sales.h"

#include <array>

#include "headend/database/prepaid_meter_row.h"
#include "headend/database/sale_json.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::array<std::string_view, 11> kinds{"sale",       "free",      "engineering", "key_change",
                                                 "deposit",    "payment",   "claim",       "transfer",
                                                 "withdrawal", "write_off", "pay_out"};
constexpr std::array<std::string_view, 4> states{"intended", "issued", "refused", "reversed"};
constexpr const char* sale_columns =
    "select id, tenant, kind, state, coalesce(terminal, 0), key, body_hash, operator, coalesce(vendor, 0), "
    "account, "
    "meter, tariff_version, at_us, day - date '1970-01-01', tender, pay_type, tenths, free_tenths, "
    "counted_tenths, charged_before, reason, response, completed_us, confirmed_us, copies, "
    "from_meter from sale";

template <class Word, std::size_t Size>
Word word_of(const std::array<std::string_view, Size>& words, std::string_view text) {
    for (std::size_t i = 0; i < Size; ++i)
        if (words[i] == text) return static_cast<Word>(i);
    throw DatabaseError(Trouble::refused, "", "an unknown word in a sale");
}

int small(const BinaryRows& rows, int row, int column) { return static_cast<int>(rows.integer(row, column)); }
std::string words(const BinaryRows& rows, int row, int column) { return std::string{rows.text(row, column)}; }
std::chrono::sys_days day_in(const BinaryRows& rows, int row, int column) {
    return std::chrono::sys_days{std::chrono::days{small(rows, row, column)}};
}
template <class Value>
std::optional<Value> id_in(const BinaryRows& rows, int row, int column) {
    const auto number = rows.maybe(row, column);
    return number ? std::optional{Value{*number}} : std::nullopt;
}
std::optional<Instant> instant_in(const BinaryRows& rows, int row, int column) {
    const auto number = rows.maybe(row, column);
    return number ? std::optional{from_epoch_us(*number)} : std::nullopt;
}

Sale sale_of(const BinaryRows& rows, int row) {
    Sale sale;
    sale.id = {rows.integer(row, 0)};
    sale.tenant = {small(rows, row, 1)};
    sale.kind = word_of<SaleKind>(kinds, rows.text(row, 2));
    sale.state = word_of<SaleState>(states, rows.text(row, 3));
    sale.terminal = {small(rows, row, 4)};
    sale.key = words(rows, row, 5);
    sale.body_hash = rows.octets(row, 6);
    sale.operator_ = words(rows, row, 7);
    sale.vendor = {small(rows, row, 8)};
    sale.account = id_in<PrepaidAccountId>(rows, row, 9);
    sale.meter = id_in<PrepaidMeterId>(rows, row, 10);
    sale.tariff = id_in<pricing::TariffVersionId>(rows, row, 11);
    sale.at = from_epoch_us(rows.integer(row, 12));
    sale.day = day_in(rows, row, 13);
    sale.tender = {rows.integer(row, 14)};
    sale.pay_type = words(rows, row, 15);
    sale.units = {rows.integer(row, 16)};
    sale.free_units = {rows.integer(row, 17)};
    sale.counted = {rows.integer(row, 18)};
    sale.charged_before = {small(rows, row, 19)};
    sale.reason = words(rows, row, 20);
    sale.response = rows.octets(row, 21);
    sale.completed = instant_in(rows, row, 22);
    sale.confirmed = instant_in(rows, row, 23);
    sale.copies = small(rows, row, 24);
    sale.from_meter = id_in<PrepaidMeterId>(rows, row, 25);
    return sale;
}

std::vector<pricing::Debt> debts_of(Connection& connection, PrepaidAccountId account) {
    const auto rows = BinaryRows::kept(
        connection,
        "select id, name, recovery, original, balance, ppm, floor, cap, instalment, first_month, last_month "
        "from customer_debt where account = $1 and balance > 0 and not held order by priority, id",
        {account}, "reading debts");
    std::vector<pricing::Debt> debts;
    for (int i = 0; i < rows.size(); ++i) {
        const auto recovery = pricing::parse_recovery(rows.text(i, 2));
        if (!recovery) throw DatabaseError(Trouble::refused, "", "a debt is recovered in an unknown way");
        pricing::Debt debt{.id = {rows.integer(i, 0)},
                           .name = words(rows, i, 1),
                           .recovery = *recovery,
                           .original = {rows.integer(i, 3)},
                           .balance = {rows.integer(i, 4)},
                           .share = {small(rows, i, 5)},
                           .floor = {rows.integer(i, 6)},
                           .cap = {rows.integer(i, 7)},
                           .instalment = {rows.integer(i, 8)},
                           .first_month = {small(rows, i, 9)},
                           .last_month = {}};
        if (!rows.is_null(i, 10)) debt.last_month = pricing::Month{small(rows, i, 10)};
        debts.push_back(std::move(debt));
    }
    return debts;
}

/// Columns behind those of the meter.
SaleGround ground_of(const BinaryRows& rows, bool& has_debts) {
    constexpr auto at = prepaid_meter_column_count;
    SaleGround ground{.meter = prepaid_meter_of(rows, 0),
                      .account = {},
                      .account_number = {},
                      .customer = {},
                      .address = {},
                      .tariff = {},
                      .standing = {}};
    ground.standing.month = {small(rows, 0, at)};
    ground.day = day_in(rows, 0, at + 1);
    if (rows.is_null(0, at + 2) || rows.is_null(0, at + 7)) return ground;
    ground.account = PrepaidAccountId{rows.integer(0, at + 2)};
    ground.account_number = words(rows, 0, at + 3);
    ground.customer = words(rows, 0, at + 4);
    ground.address = words(rows, 0, at + 5);
    ground.version = rows.integer(0, at + 6);
    ground.tariff = {rows.integer(0, at + 7)};
    if (small(rows, 0, at + 8) == ground.standing.month.value)
        ground.standing.used = {rows.integer(0, at + 9)};
    if (small(rows, 0, at + 10) < ground.standing.month.value)
        ground.standing.free_units = {rows.integer(0, at + 11)};
    ground.standing.charged_until = {small(rows, 0, at + 12)};
    has_debts = rows.integer(0, at + 13) != 0;
    if (const auto balance = rows.maybe(0, at + 14)) ground.counted = pricing::Money{*balance};
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
    const auto rows = BinaryRows::kept(
        connection_,
        std::string{"select "} + prepaid_meter_columns +
            ", (extract(year from l.at) * 12 + extract(month from l.at) - 1)::int, l.at::date - date "
            "'1970-01-01', a.id, a.number, a.name, a.address, a.version, v.id, a.month, a.month_tenths, "
            "a.free_month, a.free_tenths, a.charged_until, (exists (select from customer_debt d where "
            "d.account = a.id and d.balance > 0))::int, (select p.balance from prepayment_enrolment e join "
            "prepayment p on p.account = e.account where e.prepaid_meter = m.id and e.account = a.id and "
            "e.to_us is null) from prepaid_meter m join tenant t on t.id = m.tenant "
            "left join customer_account a on a.id = m.account left join lateral (select id from "
            "tariff_version where tariff = a.tariff and valid_from_us <= $2 order by valid_from_us desc "
            "limit 1) v on true cross join lateral (select (timestamptz 'epoch' + $2::bigint * interval '1 "
            "microsecond') at time zone t.time_zone as at) l "
            "where m.pan = $1",
        {std::string{pan.digits()}, at}, "reading what a sale is priced by");
    if (rows.size() == 0) return std::nullopt;
    bool has_debts = false;
    auto found = ground_of(rows, has_debts);
    if (has_debts) found.standing.debts = debts_of(connection_, *found.account);
    return found;
}

Intended Sales::intend(Sale& sale, const SaleGround* ground) {
    const std::int64_t version = ground != nullptr ? ground->version : 0;
    const std::int64_t month = ground != nullptr ? ground->standing.month.value : 0;
    try {
        const auto rows = BinaryRows::kept(
            connection_, "select vend_intend(json_populate_record(null::sale, $1::json), $2, $3, $4, $5)",
            {row_json(sale), version, month, lines_json(sale), tokens_json(sale)}, "storing a sale's intent");
        sale.id = {rows.integer(0, 0)};
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
    const auto rows =
        BinaryRows::kept(connection_, "select vend_complete($1, $2, $3, $4, $5, $6)::int",
                         {sale, at, sealed_response, made_json(made), parcel_json(parcel), parcel.deadline},
                         "storing a sale's tokens");
    return rows.integer(0, 0) != 0;
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
    const auto rows =
        BinaryRows::kept(connection_, std::string{sale_columns} + " where terminal = $1 and key = $2",
                         {terminal, key}, "finding a sale");
    if (rows.size() == 0) return std::nullopt;
    return sale_of(rows, 0);
}

std::optional<Sale> Sales::find(SaleId id) {
    const auto rows =
        BinaryRows::kept(connection_, std::string{sale_columns} + " where id = $1", {id}, "finding a sale");
    if (rows.size() == 0) return std::nullopt;
    auto sale = sale_of(rows, 0);
    read_parts(sale);
    return sale;
}

void Sales::read_parts(Sale& sale) {
    const auto lines = BinaryRows::kept(
        connection_,
        "select kind, name, amount, tenths, price_mills, base, ppm, coalesce(debt, 0), coalesce(balance, 0), "
        "debit, credit from sale_line where sale = $1 order by place",
        {sale.id}, "reading a sale's lines");
    constexpr std::array<std::string_view, 8> line_kinds{"fee",  "charge", "debt",     "energy",
                                                         "levy", "tax",    "rounding", "credit"};
    for (int i = 0; i < lines.size(); ++i) {
        pricing::Line line{.kind = word_of<pricing::LineKind>(line_kinds, lines.text(i, 0)),
                           .name = words(lines, i, 1),
                           .amount = {lines.integer(i, 2)}};
        line.units = {lines.integer(i, 3)};
        line.price = {lines.integer(i, 4)};
        line.base = {lines.integer(i, 5)};
        line.share = {small(lines, i, 6)};
        line.debt = {lines.integer(i, 7)};
        line.balance = {lines.integer(i, 8)};
        sale.lines.push_back({line, {lines.integer(i, 9)}, {lines.integer(i, 10)}});
    }
    const auto tokens = BinaryRows::kept(
        connection_,
        "select request, kind, supply_group, key_revision, tariff_index, base_year, tid, content from "
        "vend_token where sale = $1 order by place",
        {sale.id}, "reading a sale's tokens");
    for (int i = 0; i < tokens.size(); ++i) {
        SaleToken token{.request = words(tokens, i, 0),
                        .kind = words(tokens, i, 1),
                        .tid = {},
                        .content = words(tokens, i, 7)};
        token.supply_group = {static_cast<std::uint32_t>(tokens.integer(i, 2))};
        token.key_revision = static_cast<std::uint8_t>(tokens.integer(i, 3));
        token.tariff_index = static_cast<std::uint8_t>(tokens.integer(i, 4));
        if (const auto base = base_of_year(small(tokens, i, 5))) token.base = *base;
        if (const auto tid = tokens.maybe(i, 6)) token.tid = sts::Tid{static_cast<std::uint32_t>(*tid)};
        sale.tokens.push_back(std::move(token));
    }
}

std::vector<Sale> Sales::of_meter(PrepaidMeterId meter, int count) {
    const auto rows = BinaryRows::kept(
        connection_,
        std::string{sale_columns} + " where meter = $1 and state = 'issued' order by id desc limit $2",
        {meter, count}, "listing a meter's sales");
    std::vector<Sale> found;
    found.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i) found.push_back(sale_of(rows, i));
    return found;
}

MeterGot Sales::got(PrepaidMeterId meter) {
    const auto rows = BinaryRows::kept(
        connection_,
        "select (select coalesce(sum(tenths + free_tenths), 0)::bigint from sale where meter = $1 and state "
        "= "
        "'issued' and kind in ('sale', 'free', 'claim', 'transfer')), (select id from sale where from_meter "
        "= $1 and state in ('intended', 'issued'))",
        {meter}, "adding up what a meter got");
    return {{rows.integer(0, 0)}, id_in<SaleId>(rows, 0, 1)};
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
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select id from sale where state = 'intended' "
                            "and at_us < :before order by tried_us nulls first, id limit "
                            ":count",
             use(before), use(count));
        for (const auto& row : rows) found.push_back(row.get<SaleId>(0));
        return found;
    });
}

void Sales::tried(SaleId sale, Instant now) {
    connection_.run("noting that a sale has no end yet", [&](soci::session& sql) {
        sql << "update sale set tried_us = :now where id = :id and state = 'intended'", use(now), use(sale);
    });
}

}  // namespace wattmesh::headend::database
