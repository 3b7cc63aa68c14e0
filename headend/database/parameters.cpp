#include "headend/database/parameters.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

/// A finding about an older version says nothing of this one.
const std::string state_now = "case when p.version = t.version then p.state else 'unknown' end";

ParameterTemplate template_of(const soci::row& row) {
    ParameterTemplate made{.id = row.get<ParameterTemplateId>(0),
                           .tenant = row.get<TenantId>(1),
                           .name = row.get<std::string>(2),
                           .kind = row.get<std::string>(3),
                           .content = row.get<std::string>(4),
                           .version = row.get<int>(5),
                           .changed = row.get<Instant>(6),
                           .changed_by = row.get<std::string>(7)};
    return made;
}

}  // namespace

std::vector<ParameterTemplate> Parameters::templates(TenantId tenant) {
    return connection_.run("listing templates of parameters", [&](soci::session& sql) {
        std::vector<ParameterTemplate> found;
        const std::string query =
            "select t.id, t.tenant, t.name, t.kind, t.content, t.version, t.changed_us, t.changed_by, "
            "count(p.meter)::int, count(p.meter) filter (where " +
            state_now + " = 'same')::int, count(p.meter) filter (where " + state_now +
            " = 'differs')::int from parameter_template t left join meter_parameter p on p.template = t.id "
            "where t.tenant = :tenant group by t.id order by t.kind, t.name";
        const soci::rowset<soci::row> rows = (sql.prepare << query, use(tenant));
        for (const auto& row : rows) {
            auto made = template_of(row);
            made.meters = row.get<int>(8);
            made.same = row.get<int>(9);
            made.differs = row.get<int>(10);
            found.push_back(std::move(made));
        }
        return found;
    });
}

std::optional<ParameterTemplate> Parameters::find(TenantId tenant, const std::string& name) {
    return connection_.run("finding a template", [&](soci::session& sql) -> std::optional<ParameterTemplate> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select t.id, t.tenant, t.name, t.kind, t.content, t.version, t.changed_us, "
                            "t.changed_by from parameter_template t where t.tenant = :tenant and t.name = "
                            ":name",
             use(tenant), use(name));
        for (const auto& row : rows) return template_of(row);
        return std::nullopt;
    });
}

std::optional<ParameterTemplate> Parameters::find(ParameterTemplateId id) {
    return connection_.run("finding a template", [&](soci::session& sql) -> std::optional<ParameterTemplate> {
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select t.id, t.tenant, t.name, t.kind, t.content, t.version, t.changed_us, "
                            "t.changed_by from parameter_template t where t.id = :id",
             use(id));
        for (const auto& row : rows) return template_of(row);
        return std::nullopt;
    });
}

std::string Parameters::held(const std::string& kind, const std::vector<DeviceNumber>& meters) {
    return connection_.run("telling what meters should hold", [&](soci::session& sql) {
        const auto list = array_text(meters);
        std::string text;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select coalesce(t.name || ' version ' || t.version, 'none') || ': ' || count(*) "
                            "from meter m left join meter_parameter p on p.meter = m.id and p.kind = :kind "
                            "left join parameter_template t on t.id = p.template where m.number = "
                            "any(cast(:list as bigint[])) group by t.id order by t.name",
             use(kind), use(list));
        for (const auto& row : rows) text += (text.empty() ? "" : ", ") + row.get<std::string>(0);
        return text;
    });
}

std::optional<ParameterTemplate> Parameters::put(const ParameterTemplate& wanted) {
    return connection_.run("keeping a template", [&](soci::session& sql) -> std::optional<ParameterTemplate> {
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "insert into parameter_template as t (tenant, name, kind, content, changed_us, "
                    "changed_by) values (:tenant, :name, :kind, :content, :now, :by) on conflict (tenant, "
                    "name) do update set version = t.version + (t.content <> excluded.content)::int, content "
                    "= excluded.content, changed_us = excluded.changed_us, changed_by = excluded.changed_by "
                    "where t.kind = excluded.kind returning t.id, t.tenant, t.name, t.kind, t.content, "
                    "t.version, t.changed_us, t.changed_by",
             use(wanted.tenant), use(wanted.name), use(wanted.kind), use(wanted.content), use(wanted.changed),
             use(wanted.changed_by));
        for (const auto& row : rows) return template_of(row);
        return std::nullopt;
    });
}

int Parameters::desire(ParameterTemplateId id, const std::vector<DeviceNumber>& meters, const std::string& by,
                       Instant now) {
    return connection_.run("noting what meters should hold", [&](soci::session& sql) {
        const auto list = array_text(meters);
        soci::statement insert =
            (sql.prepare
                 << "insert into meter_parameter as p (meter, kind, template, desired_us, desired_by, "
                    "tenant, "
                    "area) select m.id, t.kind, t.id, :now, :by, m.tenant, m.area from meter m join "
                    "parameter_template t on t.id = :id and t.tenant = m.tenant where m.number = "
                    "any(cast(:list as bigint[])) on conflict (meter, kind) do update set template = "
                    "excluded.template, desired_us = excluded.desired_us, desired_by = excluded.desired_by, "
                    "version = null, state = 'unknown', members = '[]', trouble = '' where p.template <> "
                    "excluded.template",
             soci::use(now, "now"), soci::use(by, "by"), soci::use(id, "id"), soci::use(list, "list"));
        insert.execute(true);
        return static_cast<int>(insert.get_affected_rows());
    });
}

std::vector<DeviceNumber> Parameters::desiring(const std::string& kind,
                                               const std::vector<DeviceNumber>& meters) {
    return connection_.run("looking for meters that should hold something", [&](soci::session& sql) {
        std::vector<DeviceNumber> found;
        const auto list = array_text(meters);
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select m.number from meter_parameter p join meter m on m.id = p.meter where "
                            "p.kind = :kind and m.number = any(cast(:list as bigint[])) order by 1",
             use(kind), use(list));
        for (const auto& row : rows) found.push_back(row.get<DeviceNumber>(0));
        return found;
    });
}

std::optional<ParameterTask> Parameters::task(DeviceNumber meter, const std::string& kind) {
    return connection_.run(
        "looking up what a meter should hold", [&](soci::session& sql) -> std::optional<ParameterTask> {
            const soci::rowset<soci::row> rows =
                (sql.prepare << "select t.id, t.tenant, t.name, t.kind, t.content, t.version, t.changed_us, "
                                "t.changed_by, coalesce(o.cosem_model, '') from meter_parameter p join meter "
                                "m on m.id = p.meter join meter_model o on o.name = m.model join "
                                "parameter_template t on t.id = p.template where m.number = :meter and "
                                "p.kind = :kind and o.reading_keys <> 'none'",
                 use(meter), use(kind));
            for (const auto& row : rows) return ParameterTask{template_of(row), row.get<std::string>(8)};
            return std::nullopt;
        });
}

void Parameters::found(DeviceNumber meter, const ParameterTask& task, const ParameterFinding& finding,
                       Instant now) {
    connection_.run("storing what a meter holds", [&](soci::session& sql) {
        const int written = finding.written ? 1 : 0;
        sql << "update meter_parameter p set version = :version, state = :state, members = :members, trouble "
               "= :trouble, checked_us = :now, written_us = case when cast(:written as integer) = 1 then "
               "cast(:now as bigint) else p.written_us end from meter m where p.meter = m.id and m.number = "
               ":meter and p.template = :template",
            soci::use(task.wanted.version, "version"), soci::use(finding.state, "state"),
            soci::use(finding.members, "members"), soci::use(finding.trouble, "trouble"),
            soci::use(now, "now"), soci::use(written, "written"), soci::use(meter, "meter"),
            soci::use(task.wanted.id, "template");
    });
}

std::vector<ParameterCount> Parameters::counts() {
    return connection_.run("counting what meters hold", [&](soci::session& sql) {
        std::vector<ParameterCount> found;
        const std::string query =
            "select x.kind, count(*) filter (where x.state = 'same')::int, count(*) filter "
            "(where x.state = 'differs')::int, count(*) filter (where x.state = "
            "'unknown')::int from (select p.kind, " +
            state_now +
            " as state from meter_parameter p join parameter_template t on t.id = "
            "p.template) x group by 1 order by 1";
        const soci::rowset<soci::row> rows = (sql.prepare << query);
        for (const auto& row : rows)
            found.push_back({row.get<std::string>(0), row.get<int>(1), row.get<int>(2), row.get<int>(3)});
        return found;
    });
}

std::vector<ParameterLine> Parameters::list(const std::string& kind, const std::string& state,
                                            int count_max) {
    return lines(kind, state, -1, count_max);
}
std::vector<ParameterLine> Parameters::of(DeviceNumber meter) { return lines("", "", number_of(meter), 100); }

std::vector<ParameterLine> Parameters::lines(const std::string& kind, const std::string& state,
                                             long long meter, int count_max) {
    return connection_.run("listing what meters hold", [&](soci::session& sql) {
        std::vector<ParameterLine> found;
        const std::string query =
            "select x.number, x.kind, x.name, x.state, x.trouble, x.members, x.version, x.compared, "
            "x.desired_us, x.desired_by, x.checked_us, x.written_us from (select m.number, p.kind, t.name, " +
            state_now +
            " as state, p.trouble, p.members, t.version, p.version as compared, p.desired_us, p.desired_by, "
            "p.checked_us, p.written_us from meter_parameter p join meter m on m.id = p.meter join "
            "parameter_template t on t.id = p.template where (cast(:meter as bigint) < 0 or m.number = "
            "cast(:meter as bigint)) and (cast(:kind as text) = '' or p.kind = :kind)) x where cast(:state "
            "as "
            "text) = '' or x.state = :state order by case x.state when 'differs' then 0 when 'unknown' then "
            "1 "
            "else 2 end, x.number, x.kind limit :most";
        const soci::rowset<soci::row> rows =
            (sql.prepare << query, soci::use(meter, "meter"), soci::use(kind, "kind"),
             soci::use(state, "state"), soci::use(count_max, "most"));
        for (const auto& row : rows) {
            ParameterLine line{.meter = row.get<DeviceNumber>(0),
                               .kind = row.get<std::string>(1),
                               .template_name = row.get<std::string>(2),
                               .state = row.get<std::string>(3),
                               .trouble = row.get<std::string>(4),
                               .members = row.get<std::string>(5),
                               .version = row.get<int>(6),
                               .compared = {},
                               .desired = row.get<Instant>(8),
                               .desired_by = row.get<std::string>(9),
                               .checked = row.get<std::optional<Instant>>(10),
                               .written = row.get<std::optional<Instant>>(11)};
            if (row.get_indicator(7) == soci::i_ok) line.compared = row.get<int>(7);
            found.push_back(std::move(line));
        }
        return found;
    });
}

}  // namespace wattmesh::headend::database
