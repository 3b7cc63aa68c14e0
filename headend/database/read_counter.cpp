#include "headend/database/read_counter.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

std::vector<Till> CounterReader::tills(TenantId tenant, std::optional<VendorId> vendor, int most) {
    return connection_.run("listing tills", [&](soci::session& sql) {
        const int only = vendor ? vendor->value : 0;
        std::vector<TerminalId> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select t.id from vend_terminal t join vendor v on v.id = t.vendor where v.tenant "
                    "= :tenant and (:only = 0 or v.id = :only) order by t.name limit :most",
             soci::use(tenant, "tenant"), soci::use(only, "only"), soci::use(most, "most"));
        for (const auto& row : rows) found.push_back(row.get<TerminalId>(0));
        std::vector<Till> tills;
        for (const auto id : found)
            if (auto terminal = Vendors{connection_}.terminal(id))
                tills.push_back({std::move(*terminal), Shifts{connection_}.current(id)});
        return tills;
    });
}

std::vector<MeterFound> CounterReader::find(TenantId tenant, const std::string& words, int most) {
    return connection_.run("finding customers", [&](soci::session& sql) {
        std::string pattern = "%";
        for (const char c : words) {
            if (c == '%' || c == '_' || c == '\\') pattern += '\\';
            pattern += c;
        }
        pattern += '%';
        std::vector<MeterFound> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select m.meter_number, a.number, a.name, a.address from customer_account a join "
                            "prepaid_meter m on m.account = a.id where a.tenant = :tenant and (a.number = "
                            ":words or lower(a.name) like lower(:pattern)) order by a.name, m.meter_number "
                            "limit :most",
             soci::use(tenant, "tenant"), soci::use(words, "words"), soci::use(pattern, "pattern"),
             soci::use(most, "most"));
        for (const auto& row : rows)
            found.push_back({row.get<std::string>(0), row.get<std::string>(1), row.get<std::string>(2),
                             row.get<std::string>(3)});
        return found;
    });
}

std::vector<SoldLine> CounterReader::sold(TerminalId terminal, int most) {
    return connection_.run("listing a till's sales", [&](soci::session& sql) {
        std::vector<SoldLine> sold;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select s.id, s.kind, s.state, coalesce(d.state, ''), s.at_us, "
                            "coalesce(m.meter_number, ''), s.tender, s.tenths, s.free_tenths, s.pay_type, "
                            "s.operator, (s.confirmed_us is not null)::int, s.copies from sale s left join "
                            "prepaid_meter m on m.id = s.meter left join vend_delivery d on d.sale = s.id "
                            "where s.terminal = :terminal order by s.id desc limit :most",
             use(terminal), use(most));
        for (const auto& row : rows)
            sold.push_back({.id = row.get<SaleId>(0),
                            .kind = row.get<std::string>(1),
                            .state = row.get<std::string>(2),
                            .delivery = row.get<std::string>(3),
                            .at = row.get<Instant>(4),
                            .meter = row.get<std::string>(5),
                            .tender = {row.get<long long>(6)},
                            .units = {row.get<long long>(7)},
                            .free_units = {row.get<long long>(8)},
                            .pay_type = row.get<std::string>(9),
                            .operator_ = row.get<std::string>(10),
                            .confirmed = row.get<int>(11) != 0,
                            .copies = row.get<int>(12)});
        return sold;
    });
}

MeterPast CounterReader::past(PrepaidMeterId meter) {
    return connection_.run("reading what was sold to a meter", [&](soci::session& sql) {
        MeterPast past;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "(select kind, at_us, tender, tenths from sale where meter = :meter and state = "
                            "'issued' and kind = 'sale' order by id desc limit 1) union all (select kind, "
                            "at_us, tender, tenths from sale where meter = :meter and state = 'issued' and "
                            "kind = 'key_change' order by id desc limit 1)",
             soci::use(meter, "meter"));
        for (const auto& row : rows) {
            const auto at = row.get<Instant>(1);
            if (row.get<std::string>(0) == "key_change") {
                past.key_changed = at;
                continue;
            }
            past.bought = at;
            past.tender = {row.get<long long>(2)};
            past.units = {row.get<long long>(3)};
        }
        return past;
    });
}

}  // namespace wattmesh::headend::database
