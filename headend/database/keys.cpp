#include "headend/database/keys.h"

#include <array>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::array<const char*, 9> purposes{"management_ek", "management_ak", "management_secret",
                                              "reading_ek",    "reading_ak",    "mesh_join",
                                              "lls_password",  "master",        "management_broadcast"};
KeyPurpose purpose_of(const std::string& text) {
    for (std::size_t i = 0; i < purposes.size(); ++i)
        if (text == purposes[i]) return static_cast<KeyPurpose>(i);
    throw soci::soci_error("an unknown key purpose in the database");
}

}  // namespace

std::string to_string(KeyPurpose purpose) { return purposes.at(static_cast<std::size_t>(purpose)); }

void Keys::put(MeterId meter, KeyPurpose purpose, Bytes sealed, Instant now) {
    connection_.run("storing a meter key", [&](soci::session& sql) {
        const auto name = to_string(purpose), octets = bytea(sealed);
        sql << "insert into meter_key (meter, purpose, sealed, stored_us) values (:meter, :purpose, :sealed, "
               ":now) "
               "on conflict (meter, purpose) do update set sealed = excluded.sealed, stored_us = "
               "excluded.stored_us",
            use(meter), use(name), use(octets), use(now);
    });
}

std::optional<Buffer> Keys::find(MeterId meter, KeyPurpose purpose) {
    return connection_.run("finding a meter key", [&](soci::session& sql) -> std::optional<Buffer> {
        std::string sealed;
        const auto name = to_string(purpose);
        sql << "select sealed from meter_key where meter = :meter and purpose = :purpose", use(meter),
            use(name), soci::into(sealed);
        if (!sql.got_data()) return std::nullopt;
        return from_bytea(sealed);
    });
}

std::vector<SealedKey> Keys::of(MeterId meter) {
    return connection_.run("listing a meter's keys", [&](soci::session& sql) {
        std::vector<SealedKey> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select purpose, sealed from meter_key where meter = :meter order by purpose",
             use(meter));
        for (const auto& row : rows)
            found.push_back({purpose_of(row.get<std::string>(0)), from_bytea(row.get<std::string>(1))});
        return found;
    });
}

std::vector<MeterReadingKeys> Keys::reading_keys_of(ConcentratorId concentrator) {
    return connection_.run("listing a concentrator's reading keys", [&](soci::session& sql) {
        std::vector<MeterReadingKeys> found;
        // Only models whose reading client has keys of its own: the others' keys never leave the head-end.
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select m.number, e.sealed, a.sealed, j.sealed from meter m "
                            "join meter_model k on k.name = m.model and k.reading_keys = 'separate' "
                            "join meter_key e on e.meter = m.id and e.purpose = 'reading_ek' "
                            "join meter_key a on a.meter = m.id and a.purpose = 'reading_ak' "
                            "join meter_key j on j.meter = m.id and j.purpose = 'mesh_join' "
                            "where m.concentrator = :id or exists (select 1 from meter_visit v where "
                            "v.meter = m.id and v.concentrator = :id) order by m.number",
             soci::use(concentrator, "id"));
        for (const auto& row : rows)
            found.push_back({row.get<DeviceNumber>(0), from_bytea(row.get<std::string>(1)),
                             from_bytea(row.get<std::string>(2)), from_bytea(row.get<std::string>(3))});
        return found;
    });
}

void Keys::put_kek(ConcentratorId concentrator, Bytes sealed, Instant now) {
    connection_.run("storing a concentrator's key", [&](soci::session& sql) {
        const auto octets = bytea(sealed);
        sql << "insert into concentrator_key (concentrator, sealed, stored_us) values (:id, :sealed, :now) "
               "on conflict (concentrator) do update set sealed = excluded.sealed, stored_us = "
               "excluded.stored_us",
            use(concentrator), use(octets), use(now);
    });
}

std::optional<Buffer> Keys::find_kek(ConcentratorId concentrator) {
    return connection_.run("finding a concentrator's key", [&](soci::session& sql) -> std::optional<Buffer> {
        std::string sealed;
        sql << "select sealed from concentrator_key where concentrator = :id", use(concentrator),
            soci::into(sealed);
        if (!sql.got_data()) return std::nullopt;
        return from_bytea(sealed);
    });
}

}  // namespace wattmesh::headend::database
