#include "headend/database/meters.h"

#include "headend/database/bindings.h"
#include "headend/frontend/lease.h"

namespace wattmesh::headend::database {
namespace {

constexpr const char* meter_columns =
    "select m.id, m.number, m.tenant, m.area, m.model, k.reading_keys, m.role, m.concentrator, "
    "coalesce((select h.number from meter_lease l join concentrator h on h.id = l.concentrator where l.meter "
    "= "
    "m.id), c.number), "
    "m.installed_us, coalesce(m.serial, ''), m.system_title::text, m.security_suite, "
    "m.authentication, m.framing, m.signing::int "
    "from meter m join meter_model k on k.name = m.model left join concentrator c on c.id = m.concentrator";

ReadingKeys reading_keys_of(const std::string& word) {
    if (word == "separate") return ReadingKeys::separate;
    if (word == "none") return ReadingKeys::none;
    return word == "shared" ? ReadingKeys::shared : ReadingKeys::local_only;
}

SystemTitle title_of(const soci::row& row, const DeviceNumber& number) {
    if (row.get_indicator(11) == soci::i_null) return system_title(number);
    const auto octets = from_bytea(row.get<std::string>(11));
    SystemTitle title;
    if (octets.size() != title.octets.size()) throw soci::soci_error("a system title of another length");
    std::copy(octets.begin(), octets.end(), title.octets.begin());
    return title;
}

/// The table's checks know the same words.
dlms::AssociationForm form_of(const soci::row& row) {
    const auto mechanism = dlms::mechanism_named(row.get<std::string>(13));
    const auto framing = dlms::framing_named(row.get<std::string>(14));
    if (!mechanism || !framing) throw soci::soci_error("an unknown form of association");
    return {.mechanism = *mechanism, .framing = *framing, .signing = row.get<int>(15) != 0};
}

Meter meter_of(const soci::row& row) {
    return {.id = row.get<MeterId>(0),
            .number = row.get<DeviceNumber>(1),
            .tenant = row.get<TenantId>(2),
            .area = row.get<AreaId>(3),
            .model = row.get<std::string>(4),
            .reading_keys = reading_keys_of(row.get<std::string>(5)),
            .role = static_cast<dcu::MeterRole>(row.get<int>(6)),
            .concentrator = row.get<std::optional<ConcentratorId>>(7),
            .concentrator_number = row.get<std::optional<DeviceNumber>>(8),
            .installed = row.get<Instant>(9),
            .serial = row.get<std::string>(10),
            .title = title_of(row, row.get<DeviceNumber>(1)),
            .suite = row.get<int>(12),
            .form = form_of(row)};
}

std::vector<Meter> meters_of(const soci::rowset<soci::row>& rows) {
    std::vector<Meter> found;
    for (const auto& row : rows) found.push_back(meter_of(row));
    return found;
}

}  // namespace

bool Meters::put(const NewMeter& meter) {
    return connection_.run("registering a meter", [&](soci::session& sql) {
        const auto role = static_cast<int>(meter.role);
        int added = 0;
        const std::string mechanism{to_string(meter.form.mechanism)}, framing{to_string(meter.form.framing)};
        const int signing = meter.form.signing ? 1 : 0;
        const auto serial = meter.serial.empty() ? std::nullopt : std::optional{meter.serial};
        const auto title = meter.title ? std::optional{bytea(meter.title->octets)} : std::nullopt;
        // xmax is 0 only in a row version that an insert made. The installation date of a known meter stays.
        sql << "insert into meter as old (tenant, area, number, model, role, concentrator, installed_us, "
               "serial, "
               "system_title, security_suite, authentication, framing, signing) values (1, 1, :number, "
               ":model, :role, :concentrator, "
               ":installed, "
               ":serial, cast(:title as bytea), :suite, :mechanism, :framing, :signing <> 0) on conflict "
               "(number) do update "
               "set model = excluded.model, role = excluded.role, concentrator = excluded.concentrator, "
               "serial = excluded.serial, system_title = excluded.system_title, "
               "security_suite = excluded.security_suite, authentication = excluded.authentication, "
               "framing = excluded.framing, signing = excluded.signing returning (xmax = 0)::int",
            use(meter.number), use(meter.model), use(role), use(meter.concentrator), use(meter.installed),
            use(serial), use(title), use(meter.suite), use(mechanism), use(framing), use(signing),
            soci::into(added);
        return added == 1;
    });
}

std::optional<Meter> Meters::find(DeviceNumber number) {
    return connection_.run("finding a meter", [&](soci::session& sql) -> std::optional<Meter> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{meter_columns} + " where m.number = :number", use(number));
        for (const auto& row : rows) return meter_of(row);
        return std::nullopt;
    });
}

std::map<std::string, ReadingKeys> Meters::models() {
    return connection_.run("listing meter models", [&](soci::session& sql) {
        std::map<std::string, ReadingKeys> found;
        const soci::rowset<soci::row> rows = (sql.prepare << "select name, reading_keys from meter_model");
        for (const auto& row : rows)
            found.emplace(row.get<std::string>(0), reading_keys_of(row.get<std::string>(1)));
        return found;
    });
}

std::optional<DeviceNumber> Meters::titled(const SystemTitle& title) {
    return connection_.run("finding a system title", [&](soci::session& sql) -> std::optional<DeviceNumber> {
        const auto octets = bytea(title.octets);
        DeviceNumber number;
        sql << "select number from meter where system_title = cast(:title as bytea)", use(octets),
            soci::into(number);
        if (!sql.got_data()) return std::nullopt;
        return number;
    });
}

std::optional<Meter> Meters::find(const SystemTitle& title) {
    std::uint64_t digits = 0;  // of a title of ours
    for (std::size_t i = 3; i < title.octets.size(); ++i) digits = digits << 8 | title.octets[i];
    auto text = std::to_string(digits);
    if (text.size() < 12) text.insert(0, 12 - text.size(), '0');
    const auto number = titled(title);
    const auto candidate = number ? number : DeviceNumber::parse(text);
    auto meter = candidate ? find(*candidate) : std::nullopt;
    return meter && meter->title == title ? meter : std::nullopt;
}

std::vector<Meter> Meters::all() {
    return connection_.run("listing meters", [&](soci::session& sql) {
        return meters_of((sql.prepare << std::string{meter_columns} + " order by m.number"));
    });
}

std::vector<Meter> Meters::of(ConcentratorId concentrator) {
    return connection_.run("listing a concentrator's meters", [&](soci::session& sql) {
        return meters_of(
            (sql.prepare << std::string{meter_columns} + " where m.concentrator = :id order by m.number",
             use(concentrator)));
    });
}

dcu::MeterList Meters::listed(ConcentratorId concentrator, std::size_t size_max) {
    return connection_.run("listing what a concentrator should hold", [&](soci::session& sql) {
        dcu::MeterList list;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select m.number, m.role::int, a.number, coalesce(h.number, c.number), coalesce(l.term, "
                    "0), coalesce(l.join_counter, 0), coalesce(l.told_counter, 0), coalesce(l.claimed_us, "
                    "0), l.stored_to_us, (m.concentrator = :at)::int from meter m join concentrator a on "
                    "a.id = :at left join concentrator c on c.id = m.concentrator left join meter_lease l "
                    "on l.meter = m.id left join concentrator h on h.id = l.concentrator where "
                    "m.concentrator = :at or exists (select 1 from meter_visit v where v.meter = m.id and "
                    "v.concentrator = :at) order by m.number",
             soci::use(concentrator, "at"));
        std::vector<bool> droppable;
        for (const auto& row : rows) {
            const frontend::Lease lease{.holder = row.get<DeviceNumber>(3),
                                        .term = static_cast<std::uint32_t>(row.get<long long>(4)),
                                        .join_counter = static_cast<std::uint32_t>(row.get<long long>(5)),
                                        .told_counter = static_cast<std::uint32_t>(row.get<long long>(6)),
                                        .claimed = row.get<Instant>(7),
                                        .stored_to = row.get<std::optional<Instant>>(8)};
            const auto told = frontend::told_to(row.get<DeviceNumber>(2), lease);
            list.meters.push_back(
                {row.get<DeviceNumber>(0), static_cast<dcu::MeterRole>(row.get<int>(1)), told});
            droppable.push_back(row.get<int>(9) == 0 && !told.here);
        }
        for (std::size_t i = droppable.size(); i-- > 0 && list.meters.size() > size_max;)
            if (droppable[i]) list.meters.erase(list.meters.begin() + static_cast<std::ptrdiff_t>(i));
        return list;
    });
}

}  // namespace wattmesh::headend::database
