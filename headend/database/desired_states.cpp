#include "headend/database/desired_states.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr const char* desired_columns =
    "select object, version, content, confirmed_version, confirmed_us from desired_object where concentrator "
    "= :id";

DesiredObject object_of(const soci::row& row) {
    return {.object = row.get<ObisCode>(0),
            .version = static_cast<std::uint32_t>(row.get<long long>(1)),
            .content = from_bytea(row.get<std::string>(2)),
            .confirmed_version = static_cast<std::uint32_t>(row.get<long long>(3)),
            .confirmed = row.get<std::optional<Instant>>(4)};
}

}  // namespace

std::uint32_t DesiredStates::desire(ConcentratorId concentrator, const ObisCode& object, Bytes content,
                                    Instant now) {
    return connection_.run("storing a concentrator's desired state", [&](soci::session& sql) {
        long long version = 0;
        const auto octets = bytea(content);
        sql << "insert into desired_object as old (concentrator, object, version, content, changed_us) "
               "values (:id, :object, 1, :content, :now) on conflict (concentrator, object) do update "
               "set version = old.version + (old.content <> excluded.content)::int, content = "
               "excluded.content, "
               "changed_us = case when old.content <> excluded.content then excluded.changed_us else "
               "old.changed_us end "
               "returning version",
            use(concentrator), use(object), use(octets), use(now), soci::into(version);
        return static_cast<std::uint32_t>(version);
    });
}

std::optional<DesiredObject> DesiredStates::find(ConcentratorId concentrator, const ObisCode& object) {
    return connection_.run("finding a desired state",
                           [&](soci::session& sql) -> std::optional<DesiredObject> {
                               const soci::rowset<soci::row> rows =
                                   (sql.prepare << std::string{desired_columns} + " and object = :object",
                                    use(concentrator), use(object));
                               for (const auto& row : rows) return object_of(row);
                               return std::nullopt;
                           });
}

std::vector<DesiredObject> DesiredStates::of(ConcentratorId concentrator) {
    return connection_.run("listing a concentrator's desired state", [&](soci::session& sql) {
        std::vector<DesiredObject> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{desired_columns} + " order by object", use(concentrator));
        for (const auto& row : rows) found.push_back(object_of(row));
        return found;
    });
}

void DesiredStates::confirm(ConcentratorId concentrator, const ObisCode& object, std::uint32_t version,
                            Instant now) {
    connection_.run("confirming a desired state", [&](soci::session& sql) {
        const long long held = version;
        sql << "update desired_object set confirmed_version = :version, confirmed_us = :now "
               "where concentrator = :id and object = :object",
            use(held), use(now), use(concentrator), use(object);
    });
}

void DesiredStates::overtake(ConcentratorId concentrator, const ObisCode& object, std::uint32_t version) {
    connection_.run("raising a desired state's version", [&](soci::session& sql) {
        const auto seen = static_cast<long long>(version);
        sql << "update desired_object set version = :version + 1 where concentrator = :id and object = "
               ":object "
               "and version <= :version2",
            use(seen), use(concentrator), use(object), use(seen);
    });
}

}  // namespace wattmesh::headend::database
