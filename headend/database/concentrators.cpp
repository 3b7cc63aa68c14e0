#include "headend/database/concentrators.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

Concentrator concentrator_of(const soci::row& row) {
    return {.id = row.get<ConcentratorId>(0),
            .number = row.get<DeviceNumber>(1),
            .tenant = row.get<TenantId>(2),
            .area = row.get<AreaId>(3),
            .name = row.get<std::string>(4),
            .state = static_cast<ConcentratorState>(row.get<int>(5)),
            .link = static_cast<LinkState>(row.get<int>(6)),
            .owner_epoch = row.get<OwnerEpoch>(7),
            .last_seen = row.get<std::optional<Instant>>(8),
            .road = static_cast<Road>(row.get<int>(9))};
}
constexpr const char* concentrator_columns =
    "select id, number, tenant, area, name, state, link, owner_epoch, last_seen_us, road "
    "from concentrator";

}  // namespace

ConcentratorId Concentrators::add(DeviceNumber number, const std::string& name, Instant now, Road road) {
    return connection_.run("registering a concentrator", [&](soci::session& sql) {
        ConcentratorId id;
        const int way = static_cast<int>(road);
        sql << "insert into concentrator (tenant, area, number, name, registered_us, road) values (1, 1, "
               ":number, :name, :now, :road) "
               "on conflict (number) do nothing",
            use(number), use(name), use(now), use(way);
        sql << "select id from concentrator where number = :number", use(number), soci::into(id);
        return id;
    });
}

std::optional<Concentrator> Concentrators::find(DeviceNumber number) {
    return connection_.run("finding a concentrator", [&](soci::session& sql) -> std::optional<Concentrator> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{concentrator_columns} + " where number = :number", use(number));
        for (const auto& row : rows) return concentrator_of(row);
        return std::nullopt;
    });
}

std::vector<Concentrator> Concentrators::all() {
    return connection_.run("listing concentrators", [&](soci::session& sql) {
        std::vector<Concentrator> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{concentrator_columns} + " order by number");
        for (const auto& row : rows) found.push_back(concentrator_of(row));
        return found;
    });
}

std::optional<SessionGrant> Concentrators::open_session(DeviceNumber number, Instant now, Road road) {
    return connection_.run("opening a session", [&](soci::session& sql) -> std::optional<SessionGrant> {
        const int way = static_cast<int>(road);
        const soci::rowset<soci::row> rows =
            (sql.prepare << "update concentrator set owner_epoch = owner_epoch + (state <> 2)::int, "
                            "link = case when state <> 2 then 1 else link end, "
                            "last_seen_us = greatest(last_seen_us, :now) "
                            "where number = :number and road = :road returning id, state, owner_epoch",
             use(now), use(number), use(way));
        for (const auto& row : rows)
            return SessionGrant{row.get<ConcentratorId>(0), static_cast<ConcentratorState>(row.get<int>(1)),
                                row.get<OwnerEpoch>(2)};
        return std::nullopt;
    });
}

std::map<DeviceNumber, SessionGrant> Concentrators::open_sessions(const std::vector<DeviceNumber>& numbers,
                                                                  Instant now, Road road) {
    const auto list = array_text(numbers);
    return connection_.run("opening sessions", [&](soci::session& sql) {
        const int way = static_cast<int>(road);
        const soci::rowset<soci::row> rows =
            (sql.prepare << "with mine as (select id from concentrator where number = any(cast(:numbers as "
                            "bigint[])) and road = :road order by id for update) "
                            "update concentrator c set owner_epoch = owner_epoch + (state <> 2)::int, "
                            "link = case when state <> 2 then 1 else link end, "
                            "last_seen_us = greatest(last_seen_us, :now) from mine where c.id = mine.id "
                            "returning c.id, c.state, c.owner_epoch, c.number",
             use(list), use(way), use(now));
        std::map<DeviceNumber, SessionGrant> grants;
        for (const auto& row : rows)
            grants[row.get<DeviceNumber>(3)] = {row.get<ConcentratorId>(0),
                                                static_cast<ConcentratorState>(row.get<int>(1)),
                                                row.get<OwnerEpoch>(2)};
        return grants;
    });
}

void Concentrators::seen(DeviceNumber number, Instant last_seen, LinkState link) {
    connection_.run("noting a concentrator's presence", [&](soci::session& sql) {
        const int state = static_cast<int>(link);
        sql << "update concentrator set link = :link, last_seen_us = greatest(last_seen_us, :seen) where "
               "number = :number",
            use(state), use(last_seen), use(number);
    });
}

void Concentrators::seen(DeviceNumber number, OwnerEpoch epoch, Instant last_seen, LinkState link) {
    connection_.run("noting a concentrator's presence", [&](soci::session& sql) {
        const int state = static_cast<int>(link);
        sql << "update concentrator set link = :link, last_seen_us = greatest(last_seen_us, :seen) "
               "where number = :number and owner_epoch = :epoch",
            use(state), use(last_seen), use(number), use(epoch);
    });
}

void Concentrators::seen(const std::vector<Sighting>& sightings) {
    std::string numbers = "{", epochs = "{", instants = "{", links = "{";
    for (const auto& one : sightings) {
        const char* const comma = numbers.size() > 1 ? "," : "";
        numbers += comma + std::to_string(number_of(one.number));
        epochs += comma + std::to_string(one.epoch.value);
        instants += comma + std::to_string(epoch_us(one.last_seen));
        links += comma + std::to_string(static_cast<int>(one.link));
    }
    for (auto* list : {&numbers, &epochs, &instants, &links}) *list += "}";
    connection_.run("noting the presence of many", [&](soci::session& sql) {
        // In order of the rows: two processes that note the same numbers do not wait for each other in a
        // ring.
        sql << "with seen as (select * from unnest(cast(:numbers as bigint[]), cast(:epochs as bigint[]), "
               "cast(:instants as bigint[]), cast(:links as smallint[])) as s(number, epoch, at_us, link)), "
               "mine as (select c.id, s.at_us, s.link from concentrator c join seen s on s.number = c.number "
               "and s.epoch = c.owner_epoch order by c.id for update of c) "
               "update concentrator c set link = mine.link, last_seen_us = greatest(last_seen_us, "
               "mine.at_us) "
               "from mine where c.id = mine.id",
            use(numbers), use(epochs), use(instants), use(links);
    });
}

void Concentrators::certify(ConcentratorId concentrator, const Certificate& certificate) {
    connection_.run("storing a concentrator's certificate", [&](soci::session& sql) {
        sql << "insert into concentrator_certificate (concentrator, serial, issued_us, expires_us) "
               "values (:concentrator, :serial, :issued, :expires) on conflict (concentrator, serial) do "
               "nothing",
            use(concentrator), use(certificate.serial), use(certificate.issued), use(certificate.expires);
        sql << "update concentrator set state = 1 where id = :id and state = 0", use(concentrator);
    });
}

std::vector<Certificate> Concentrators::certificates(ConcentratorId concentrator) {
    return connection_.run("listing certificates", [&](soci::session& sql) {
        std::vector<Certificate> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select serial, issued_us, expires_us, revoked_us from concentrator_certificate "
                            "where concentrator = :id order by issued_us",
             use(concentrator));
        for (const auto& row : rows)
            found.push_back({row.get<std::string>(0), row.get<Instant>(1), row.get<Instant>(2),
                             row.get<std::optional<Instant>>(3).has_value()});
        return found;
    });
}

bool Concentrators::refused(DeviceNumber number, const std::string& serial) {
    return connection_.run("checking a certificate", [&](soci::session& sql) {
        long long good = 0;
        sql << "select count(*) from concentrator_certificate k join concentrator c on c.id = k.concentrator "
               "where c.number = :number and c.state <> 2 and k.serial = :serial and k.revoked_us is null",
            use(number), use(serial), soci::into(good);
        return good == 0;
    });
}

bool Concentrators::revoke(DeviceNumber number, Instant now) {
    return connection_.run("revoking a concentrator", [&](soci::session& sql) {
        ConcentratorId id;
        // One statement: never a revoked concentrator with a live certificate.
        sql << "with gone as (update concentrator set state = 2, revoked_us = coalesce(revoked_us, :now) "
               "where number = :number "
               "returning id), certificates as (update concentrator_certificate set revoked_us = :now2 "
               "where concentrator in (select id from gone) and revoked_us is null) select id from gone",
            use(now), use(number), use(now), soci::into(id);
        return sql.got_data();
    });
}

std::vector<DeviceNumber> Concentrators::revoked_since(Instant since) {
    return connection_.run("listing revoked concentrators", [&](soci::session& sql) {
        std::vector<DeviceNumber> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select number from concentrator where revoked_us >= :since order by number",
             use(since));
        for (const auto& row : rows) found.push_back(row.get<DeviceNumber>(0));
        return found;
    });
}

}  // namespace wattmesh::headend::database
