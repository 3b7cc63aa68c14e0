#include "headend/database/outages.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr const char* outage_columns =
    "select o.id, o.transformer, o.feeder, o.from_us, o.to_us, o.whole::int, o.customers, o.reported, "
    "o.silent";

StoredOutage outage_of(const soci::row& row) {
    StoredOutage outage;
    outage.id = row.get<long long>(0);
    outage.transformer = row.get<NodeId>(1);
    outage.feeder = row.get<std::optional<NodeId>>(2);
    outage.from = row.get<Instant>(3);
    outage.to = row.get<std::optional<Instant>>(4);
    outage.whole = row.get<int>(5) != 0;
    outage.customers = row.get<int>(6);
    outage.reported = row.get<int>(7);
    outage.silent = row.get<int>(8);
    return outage;
}

/// Transformers that the words are about, and all others of their feeders.
constexpr const char* concerned =
    "with dark as (select distinct meter_number from event where kind = 10 and at_us > :since), "
    "hit as (select distinct t.transformer from dark d join meter m on m.number = d.meter_number join "
    "transformer_meter t on t.meter = m.id where t.role = 0 and t.from_us <= :now and t.to_us > :now), "
    "fed as (select node as transformer from network_link where kind = 3 and from_us <= :now and "
    "to_us > :now and parent in (select l.parent from hit h join network_link l on l.node = h.transformer "
    "where l.from_us <= :now and l.to_us > :now)), "
    "concerned as (select transformer from hit union select transformer from fed) ";

}  // namespace

OutageFacts Outages::facts(Instant since, Instant now) {
    OutageFacts facts;
    connection_.run("reading who lost power", [&](soci::session& sql) {
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select meter_number, at_us, kind, coalesce(inferred, false)::int from event "
                            "where kind in (10, 11) and at_us > :since order by at_us, journal, sequence",
             use(since));
        for (const auto& row : rows)
            facts.words.push_back(
                {row.get<DeviceNumber>(0), row.get<Instant>(1), row.get<int>(2) == 10, row.get<int>(3) != 0});
    });
    if (facts.words.empty()) return facts;
    read_places(facts, since, now);
    read_absences(facts, since);
    return facts;
}

void Outages::read_places(OutageFacts& facts, Instant since, Instant now) {
    connection_.run("reading where the dark hang", [&](soci::session& sql) {
        const soci::rowset<soci::row> transformers =
            (sql.prepare << std::string{concerned} +
                                "select c.transformer, l.parent, k.number, (select count(*) from "
                                "transformer_meter t where t.transformer = c.transformer and t.role = 0 and "
                                "t.from_us <= :now and t.to_us > :now)::int from concerned c left join "
                                "network_link l on l.node = c.transformer and l.from_us <= :now and l.to_us "
                                "> :now left join concentrator_site s on s.transformer = c.transformer and "
                                "s.from_us <= :now and s.to_us > :now left join concentrator k on k.id = "
                                "s.concentrator",
             soci::use(since, "since"), soci::use(now, "now"));
        for (const auto& row : transformers)
            facts.transformers[row.get<NodeId>(0)] = {
                row.get<std::optional<NodeId>>(1), row.get<std::optional<DeviceNumber>>(2), row.get<int>(3)};
        const soci::rowset<soci::row> meters =
            (sql.prepare << "select m.number, t.transformer, c.number from (select distinct meter_number "
                            "from event where kind in (10, 11) and at_us > :since) e join meter m on "
                            "m.number = e.meter_number join transformer_meter t on t.meter = m.id and t.role "
                            "= 0 and t.from_us <= :now and t.to_us > :now left join concentrator c on c.id = "
                            "m.concentrator",
             soci::use(since, "since"), soci::use(now, "now"));
        for (const auto& row : meters)
            facts.meters[row.get<DeviceNumber>(0)] = {row.get<NodeId>(1),
                                                      row.get<std::optional<DeviceNumber>>(2)};
    });
}

void Outages::read_absences(OutageFacts& facts, Instant since) {
    connection_.run("reading which concentrators were away", [&](soci::session& sql) {
        const soci::rowset<soci::row> away =
            (sql.prepare << "select number, last_seen_us from concentrator where state = 1 and link = 0 and "
                            "road = 0 and last_seen_us > :since",
             use(since));
        for (const auto& row : away)
            facts.absences.push_back({row.get<DeviceNumber>(0), row.get<Instant>(1), std::nullopt});
        const soci::rowset<soci::row> back =
            (sql.prepare << "select c.number, e.received_us from event e join concentrator c on c.id = "
                            "e.concentrator where e.kind = 8 and e.received_us > :since",
             use(since));
        for (const auto& row : back)
            facts.absences.push_back({row.get<DeviceNumber>(0), std::nullopt, row.get<Instant>(1)});
    });
}

std::vector<StoredOutage> Outages::since(Instant since) {
    return connection_.run("reading power cuts", [&](soci::session& sql) {
        std::vector<StoredOutage> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{outage_columns} +
                                " from outage o where to_us is null or to_us > :since order by from_us",
             use(since));
        for (const auto& row : rows) found.push_back(outage_of(row));
        return found;
    });
}

void Outages::add(const StoredOutage& outage) {
    connection_.run("storing a power cut", [&](soci::session& sql) {
        const int whole = outage.whole ? 1 : 0;
        sql << "with stored as (insert into outage (tenant, area, transformer, feeder, from_us, to_us, "
               "whole, customers, "
               "reported, silent) select tenant, area, id, cast(:feeder as bigint), cast(:from as bigint), "
               "cast(:to as bigint), cast(:whole as integer) <> 0, cast(:customers as integer), "
               "cast(:reported as integer), cast(:silent as integer) from network_node where id = "
               ":transformer returning *) select tell_outage(stored::outage, 'began') from stored",
            use(outage.feeder), use(outage.from), use(outage.to), use(whole), use(outage.customers),
            use(outage.reported), use(outage.silent), use(outage.transformer);
    });
}

void Outages::change(const StoredOutage& outage) {
    connection_.run("changing a power cut", [&](soci::session& sql) {
        const int whole = outage.whole ? 1 : 0;
        const long long row = outage.id;
        sql << "with stored as (update outage set feeder = :feeder, from_us = :from, to_us = :to, whole = "
               ":whole <> 0, customers = :customers, reported = :reported, silent = :silent where id = :id "
               "returning *) select tell_outage(stored::outage, case when to_us is null then 'changed' else "
               "'ended' "
               "end) from stored",
            use(outage.feeder), use(outage.from), use(outage.to), use(whole), use(outage.customers),
            use(outage.reported), use(outage.silent), use(row);
    });
}

void Outages::drop(std::int64_t id) {
    connection_.run("dropping a power cut", [&](soci::session& sql) {
        const long long row = id;
        sql << "with dropped as (delete from outage where id = :id returning *) select "
               "tell_outage(dropped::outage, "
               "'withdrawn') from dropped",
            use(row);
    });
}

std::vector<OutageRow> Outages::list(Instant from, int count_max) {
    return connection_.run("listing power cuts", [&](soci::session& sql) {
        std::vector<OutageRow> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << std::string{outage_columns} +
                        ", t.number, t.name, coalesce(f.number, '') from outage o join network_node t "
                        "on t.id = o.transformer left join network_node f on f.id = o.feeder where "
                        "o.to_us is null or o.to_us > :from order by o.from_us desc, o.id desc "
                        "limit :count",
             use(from), use(count_max));
        for (const auto& row : rows)
            found.push_back({outage_of(row), row.get<std::string>(9), row.get<std::string>(10),
                             row.get<std::string>(11)});
        return found;
    });
}

int Outages::customers(Instant now) {
    return connection_.run("counting who is supplied", [&](soci::session& sql) {
        int count = 0;
        sql << "select count(*)::int from transformer_meter where role = 0 and from_us <= :now and to_us > "
               ":now2",
            use(now), use(now), soci::into(count);
        return count;
    });
}

}  // namespace wattmesh::headend::database
