#include "headend/database/firmware.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

const std::string image_columns =
    "i.id, i.tenant, i.vendor, v.name, i.digest::text, i.model, i.version, i.size, i.uploaded_us, "
    "i.uploaded_by, i.reason from firmware_image i join firmware_vendor v on v.id = i.vendor ";

FirmwareImage firmware_image_of(const soci::row& row) {
    FirmwareImage image;
    image.id = row.get<FirmwareImageId>(0);
    image.tenant = row.get<TenantId>(1);
    image.vendor = row.get<long long>(2);
    image.vendor_name = row.get<std::string>(3);
    image.digest = from_bytea(row.get<std::string>(4));
    image.model = row.get<std::string>(5);
    image.version = row.get<std::string>(6);
    image.size = row.get<int>(7);
    image.uploaded = row.get<Instant>(8);
    image.uploaded_by = row.get<std::string>(9);
    image.reason = row.get<std::string>(10);
    return image;
}

/// After a meter `m` and its row `f`.
const std::string meter_columns =
    "m.number, c.number, coalesce(f.state, ''), coalesce(f.blocks, 0), coalesce(f.missing, 0), "
    "coalesce(f.trouble, ''), f.told_us, coalesce(r.version, ''), r.read_us ";

FirmwareMeter firmware_meter_of(const soci::row& row) {
    FirmwareMeter meter;
    meter.meter = row.get<DeviceNumber>(0);
    if (row.get_indicator(1) == soci::i_ok) meter.concentrator = row.get<DeviceNumber>(1);
    meter.state = row.get<std::string>(2);
    meter.blocks = row.get<int>(3);
    meter.missing = row.get<int>(4);
    meter.trouble = row.get<std::string>(5);
    meter.told = row.get<std::optional<Instant>>(6);
    meter.running = row.get<std::string>(7);
    meter.running_read = row.get<std::optional<Instant>>(8);
    return meter;
}

}  // namespace

bool Firmware::add_vendor(const FirmwareVendor& vendor) {
    return connection_.run("adding a firmware vendor", [&](soci::session& sql) {
        const auto key = bytea(vendor.public_key);
        soci::statement insert =
            (sql.prepare << "insert into firmware_vendor (tenant, name, public_key, added_us, added_by) "
                            "values (:tenant, :name, :key, :now, :by) on conflict do nothing",
             use(vendor.tenant), use(vendor.name), use(key), use(vendor.added), use(vendor.added_by));
        insert.execute(true);
        return insert.get_affected_rows() == 1;
    });
}

std::vector<FirmwareVendor> Firmware::vendors(TenantId tenant) {
    return connection_.run("listing firmware vendors", [&](soci::session& sql) {
        std::vector<FirmwareVendor> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select id, tenant, name, public_key::text, added_us, added_by from "
                            "firmware_vendor where tenant = :tenant order by name",
             use(tenant));
        for (const auto& row : rows)
            found.push_back({row.get<long long>(0), row.get<TenantId>(1), row.get<std::string>(2),
                             from_bytea(row.get<std::string>(3)), row.get<Instant>(4),
                             row.get<std::string>(5)});
        return found;
    });
}

std::optional<FirmwareImageId> Firmware::add_image(const FirmwareImage& image, Bytes content) {
    return connection_.run("keeping a firmware image",
                           [&](soci::session& sql) -> std::optional<FirmwareImageId> {
                               const auto digest = bytea(image.digest), octets = bytea(content);
                               const long long vendor = image.vendor;
                               FirmwareImageId id;
                               sql << "insert into firmware_image (tenant, vendor, digest, model, version, "
                                      "size, content, uploaded_us, uploaded_by, reason) values (:tenant, "
                                      ":vendor, :digest, :model, :version, :size, :content, :now, :by, "
                                      ":reason) on conflict do nothing returning id",
                                   use(image.tenant), use(vendor), use(digest), use(image.model),
                                   use(image.version), use(image.size), use(octets), use(image.uploaded),
                                   use(image.uploaded_by), use(image.reason), soci::into(id);
                               if (!sql.got_data()) return std::nullopt;
                               return id;
                           });
}

std::vector<FirmwareImage> Firmware::images(TenantId tenant) {
    return connection_.run("listing firmware images", [&](soci::session& sql) {
        std::vector<FirmwareImage> found;
        const std::string query =
            "select " + image_columns + "where i.tenant = :tenant order by i.id desc limit 200";
        const soci::rowset<soci::row> rows = (sql.prepare << query, use(tenant));
        for (const auto& row : rows) found.push_back(firmware_image_of(row));
        return found;
    });
}

std::optional<FirmwareImage> Firmware::image(TenantId tenant, FirmwareImageId id) {
    return connection_.run(
        "finding a firmware image", [&](soci::session& sql) -> std::optional<FirmwareImage> {
            const std::string query = "select " + image_columns + "where i.id = :id and i.tenant = :tenant";
            const soci::rowset<soci::row> rows = (sql.prepare << query, use(id), use(tenant));
            for (const auto& row : rows) return firmware_image_of(row);
            return std::nullopt;
        });
}

std::vector<DeviceNumber> Firmware::ordered(const std::vector<DeviceNumber>& meters) {
    return connection_.run("looking for meters with an open firmware order", [&](soci::session& sql) {
        std::vector<DeviceNumber> found;
        const auto list = array_text(meters);
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select distinct m.number from meter m join firmware_meter f on f.meter = m.id "
                            "join firmware_order o on o.number = f.number join job j on j.id = o.job where "
                            "m.number = any(cast(:list as bigint[])) and j.state in ('proposed', 'queued', "
                            "'running', 'paused') and f.state in ('waiting', 'receiving') order by 1",
             use(list));
        for (const auto& row : rows) found.push_back(row.get<DeviceNumber>(0));
        return found;
    });
}

std::vector<DeviceNumber> Firmware::without_mesh(const std::vector<DeviceNumber>& meters) {
    return connection_.run("looking for meters without a concentrator", [&](soci::session& sql) {
        std::vector<DeviceNumber> found;
        const auto list = array_text(meters);
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select m.number from meter m left join concentrator c on c.id = m.concentrator "
                            "where m.number = any(cast(:list as bigint[])) and (c.id is null or c.road <> 0) "
                            "order by 1",
             use(list));
        for (const auto& row : rows) found.push_back(row.get<DeviceNumber>(0));
        return found;
    });
}

void Firmware::order(JobId job, FirmwareImageId image, const std::vector<DeviceNumber>& meters) {
    connection_.run("ordering firmware", [&](soci::session& sql) {
        int number = 0;
        sql << "insert into firmware_order (job, image) values (:job, :image) returning number", use(job),
            use(image), soci::into(number);
        const auto list = array_text(meters);
        sql << "insert into firmware_meter (number, meter, tenant, area) select :number, id, tenant, area "
               "from meter where number = any(cast(:list as bigint[]))",
            use(number), use(list);
    });
}

std::optional<FirmwareImage> Firmware::image_of(JobId job) {
    return connection_.run("finding the image of an order",
                           [&](soci::session& sql) -> std::optional<FirmwareImage> {
                               const std::string query = "select " + image_columns +
                                                         "join firmware_order o on o.image = i.id where "
                                                         "o.job = :job";
                               const soci::rowset<soci::row> rows = (sql.prepare << query, use(job));
                               for (const auto& row : rows) return firmware_image_of(row);
                               return std::nullopt;
                           });
}

std::vector<FirmwareCount> Firmware::counts(JobId job) {
    return connection_.run("counting meters of a firmware order", [&](soci::session& sql) {
        std::vector<FirmwareCount> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select f.state, count(*)::int from firmware_meter f join firmware_order o on "
                            "o.number = f.number where o.job = :job group by f.state order by f.state",
             use(job));
        for (const auto& row : rows) found.push_back({row.get<std::string>(0), row.get<int>(1)});
        return found;
    });
}

std::vector<FirmwareMeter> Firmware::meters(JobId job, const std::string& state, DeviceNumber after,
                                            int count) {
    return connection_.run("listing meters of a firmware order", [&](soci::session& sql) {
        std::vector<FirmwareMeter> found;
        const std::string query =
            "select " + meter_columns +
            "from firmware_meter f join firmware_order o on o.number = f.number join meter m on m.id = "
            "f.meter left join concentrator c on c.id = m.concentrator left join firmware_running r on "
            "r.meter = m.id where o.job = :job and (:state = '' or f.state = :state) and m.number > :after "
            "order by m.number limit :count";
        const soci::rowset<soci::row> rows =
            (sql.prepare << query, soci::use(job, "job"), soci::use(state, "state"),
             soci::use(after, "after"), soci::use(count, "count"));
        for (const auto& row : rows) found.push_back(firmware_meter_of(row));
        return found;
    });
}

std::vector<FirmwareSupply> Firmware::supplies(JobId job) {
    return connection_.run("listing concentrators of a firmware order", [&](soci::session& sql) {
        std::vector<FirmwareSupply> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << "select distinct c.number, case when s.digest = i.digest then s.state else '' end, "
                    "coalesce(s.blocks_done, 0), coalesce(s.blocks, 0), coalesce(s.reason, ''), "
                    "coalesce(s.changed_us, 0) from firmware_order o join firmware_image i on i.id = o.image "
                    "join firmware_meter f on f.number = o.number join meter m on m.id = f.meter join "
                    "concentrator c on c.id = m.concentrator left join firmware_supply s on s.concentrator = "
                    "c.id where o.job = :job order by 1",
             use(job));
        for (const auto& row : rows)
            found.push_back({row.get<DeviceNumber>(0), row.get<std::string>(1), row.get<int>(2),
                             row.get<int>(3), row.get<std::string>(4), row.get<Instant>(5)});
        return found;
    });
}

std::optional<FirmwareMeter> Firmware::of_meter(DeviceNumber meter) {
    return connection_.run("reading a meter's firmware",
                           [&](soci::session& sql) -> std::optional<FirmwareMeter> {
                               const std::string query = "select " + meter_columns +
                                                         "from meter m left join concentrator c on c.id = "
                                                         "m.concentrator left join firmware_running r on "
                                                         "r.meter = m.id left join firmware_meter f on "
                                                         "f.meter = m.id where m.number = :meter order by "
                                                         "f.number desc nulls last limit 1";
                               const soci::rowset<soci::row> rows = (sql.prepare << query, use(meter));
                               for (const auto& row : rows) return firmware_meter_of(row);
                               return std::nullopt;
                           });
}

}  // namespace wattmesh::headend::database
