#include "headend/database/bindings.h"
#include "headend/database/firmware.h"

/// Firmware on its way: what items of jobs, concentrators and the front-end ask.
namespace wattmesh::headend::database {
namespace {

std::string supply_words(const std::string& state, int done, int blocks, const std::string& reason) {
    if (state.empty()) return "the concentrator has not begun to take the image";
    if (state == "verified") return "the concentrator has the image";
    if (state == "failed") return "the concentrator did not take the image: " + reason;
    return "the concentrator has " + std::to_string(done) + " of " + std::to_string(blocks) +
           " blocks of the image";
}

/// Rows of meter `m`, image `i` and, of a distribution, `f`.
const std::string task_columns =
    "select i.id, i.tenant, i.digest::text, i.model, i.version, i.size, c.number, coalesce(f.state, ''), "
    "coalesce(f.blocks, 0), coalesce(f.missing, 0), coalesce(f.trouble, ''), coalesce(mm.cosem_model, ''), "
    "case when s.digest = i.digest then s.state else '' end, coalesce(s.blocks_done, 0), "
    "coalesce(s.blocks, 0), coalesce(s.reason, '') ";
const std::string task_joins =
    "join meter_model mm on mm.name = m.model left join meter_lease l on l.meter = m.id left join "
    "concentrator c on c.id = coalesce(l.concentrator, m.concentrator) left join firmware_supply s on "
    "s.concentrator = c.id ";

FirmwareTask task_of(const soci::row& row, DeviceNumber meter) {
    FirmwareTask task;
    task.image.id = row.get<FirmwareImageId>(0);
    task.image.tenant = row.get<TenantId>(1);
    task.image.digest = from_bytea(row.get<std::string>(2));
    task.image.model = row.get<std::string>(3);
    task.image.version = row.get<std::string>(4);
    task.image.size = row.get<int>(5);
    task.meter.meter = meter;
    if (row.get_indicator(6) == soci::i_ok) task.meter.concentrator = row.get<DeviceNumber>(6);
    task.meter.state = row.get<std::string>(7);
    task.meter.blocks = row.get<int>(8);
    task.meter.missing = row.get<int>(9);
    task.meter.trouble = row.get<std::string>(10);
    task.cosem_model = row.get<std::string>(11);
    task.supply =
        supply_words(row.get<std::string>(12), row.get<int>(13), row.get<int>(14), row.get<std::string>(15));
    return task;
}

}  // namespace

std::optional<FirmwareTask> Firmware::task(JobId job, DeviceNumber meter) {
    return connection_.run(
        "looking where a meter is with its firmware", [&](soci::session& sql) -> std::optional<FirmwareTask> {
            const std::string query =
                task_columns +
                "from firmware_order o join firmware_image i on i.id = o.image join "
                "firmware_meter f on f.number = o.number join meter m on m.id = f.meter " +
                task_joins + "where o.job = :job and m.number = :meter";
            const soci::rowset<soci::row> rows = (sql.prepare << query, use(job), use(meter));
            for (const auto& row : rows) return task_of(row, meter);
            return std::nullopt;
        });
}

std::optional<FirmwareTask> Firmware::task(FirmwareImageId image, DeviceNumber meter) {
    return connection_.run(
        "looking what firmware a meter shall run", [&](soci::session& sql) -> std::optional<FirmwareTask> {
            const std::string query =
                task_columns +
                "from meter m join firmware_image i on i.id = :image left join lateral "
                "(select f.* from firmware_meter f join firmware_order o on o.number = "
                "f.number where f.meter = m.id and o.image = i.id order by f.number desc "
                "limit 1) f on true " +
                task_joins + "where m.number = :meter";
            const soci::rowset<soci::row> rows = (sql.prepare << query, use(image), use(meter));
            for (const auto& row : rows) return task_of(row, meter);
            return std::nullopt;
        });
}

void Firmware::runs(DeviceNumber meter, const std::string& version, Instant read) {
    connection_.run("storing what firmware a meter runs", [&](soci::session& sql) {
        sql << "insert into firmware_running (meter, version, read_us, tenant, area) select id, :version, "
               ":read, tenant, area from meter where number = :meter on conflict (meter) do update set "
               "version = excluded.version, read_us = excluded.read_us",
            use(version), use(read), use(meter);
    });
}

std::optional<dcu::FirmwareOrder> Firmware::due(ConcentratorId concentrator) {
    return connection_.run(
        "looking what a concentrator shall distribute",
        [&](soci::session& sql) -> std::optional<dcu::FirmwareOrder> {
            dcu::FirmwareOrder order;
            int number = 0;
            std::string digest;
            sql << "select d.number, d.deadline_us, i.digest::text from firmware_due d join firmware_image i "
                   "on i.id = d.image where d.concentrator = :concentrator and d.open order by d.number "
                   "limit 1",
                use(concentrator), soci::into(number), soci::into(order.ends), soci::into(digest);
            if (!sql.got_data()) return std::nullopt;
            order.number = static_cast<std::uint32_t>(number);
            const Buffer octets = from_bytea(digest);
            if (octets.size() == order.image.size())
                std::copy(octets.begin(), octets.end(), order.image.begin());
            const soci::rowset<soci::row> rows =
                (sql.prepare << "select meter from firmware_due where concentrator = :concentrator and "
                                "number = :number order by 1",
                 use(concentrator), use(number));
            for (const auto& row : rows) order.meters.push_back(row.get<DeviceNumber>(0));
            return order;
        });
}

std::optional<FirmwareRoad::Wanted> FirmwareRoad::wanted(DeviceNumber concentrator, const Buffer& settled) {
    return connection_.run(
        "looking for the image that a concentrator needs",
        [&](soci::session& sql) -> std::optional<FirmwareRoad::Wanted> {
            std::string digest, content;
            int initiated = 0;
            const auto known = bytea(settled);
            sql << "select i.digest::text, case when i.digest = cast(:settled as bytea) then '\\x' else "
                   "i.content::text end, (coalesce(s.digest, '') = i.digest and s.state <> 'failed')::int "
                   "from firmware_due d join concentrator c on c.id = d.concentrator join firmware_image i "
                   "on i.id = d.image left join firmware_supply s on s.concentrator = c.id where c.number = "
                   ":number and d.open order by d.number limit 1",
                use(known), use(concentrator), soci::into(digest), soci::into(content), soci::into(initiated);
            if (!sql.got_data()) return std::nullopt;
            return Wanted{from_bytea(digest), from_bytea(content), initiated != 0};
        });
}

void FirmwareRoad::supplied(Bytes digest, const FirmwareSupply& supply) {
    connection_.run("storing where an image is", [&](soci::session& sql) {
        const auto octets = bytea(digest);
        sql << "insert into firmware_supply (concentrator, digest, state, blocks_done, blocks, reason, "
               "changed_us) select id, :digest, :state, :done, :blocks, :reason, :now from concentrator "
               "where number = :number on conflict (concentrator) do update set digest = excluded.digest, "
               "state = excluded.state, blocks_done = excluded.blocks_done, blocks = excluded.blocks, reason "
               "= excluded.reason, changed_us = excluded.changed_us",
            use(octets), use(supply.state), use(supply.blocks_done), use(supply.blocks), use(supply.reason),
            use(supply.changed), use(supply.concentrator);
    });
}

void FirmwareRoad::told(DeviceNumber meter, ConcentratorId concentrator, const dcu::ImageTold& told,
                        Instant at) {
    connection_.run("storing what a meter said of an image", [&](soci::session& sql) {
        const int number = static_cast<int>(told.number), blocks = told.blocks, missing = told.missing;
        const std::string state{to_string(told.state)}, trouble{dcu::words(told.trouble)};
        const long long of = number_of(meter);
        sql << "select firmware_told(:number, :meter, :concentrator, :state, :blocks, :missing, :trouble, "
               ":at)",
            use(number), use(of), use(concentrator), use(state), use(blocks), use(missing), use(trouble),
            use(at);
    });
}

}  // namespace wattmesh::headend::database
