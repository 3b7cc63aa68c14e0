#include "headend/database/ingest_catalog.h"

#include <algorithm>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr Duration trust = std::chrono::minutes{1};

std::vector<std::pair<DeviceNumber, KnownMeter>> look_up(Connection& connection,
                                                         const std::vector<DeviceNumber>& numbers,
                                                         Instant now) {
    const auto list = array_text(numbers);
    return connection.run("looking up meters", [&](soci::session& sql) {
        std::vector<std::pair<DeviceNumber, KnownMeter>> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select number, id, tenant, area, coalesce(concentrator, 0) from meter "
                            "where number = any(cast(:numbers as bigint[]))",
             use(list));
        for (const auto& row : rows)
            found.emplace_back(row.get<DeviceNumber>(0),
                               KnownMeter{row.get<MeterId>(1), row.get<TenantId>(2), row.get<AreaId>(3),
                                          row.get<ConcentratorId>(4), now});
        return found;
    });
}

}  // namespace

std::map<DeviceNumber, KnownMeter> IngestCatalog::meters(Connection& connection,
                                                         const std::set<DeviceNumber>& numbers, Instant now) {
    std::map<DeviceNumber, KnownMeter> found;
    std::vector<DeviceNumber> asked;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& number : numbers) {
            const auto known = meters_.find(number);
            if (known != meters_.end() && now - known->second.looked_up < trust &&
                now >= known->second.looked_up)
                found.emplace(*known);
            else
                asked.push_back(number);
        }
    }
    if (asked.empty()) return found;
    const auto answers = look_up(connection, asked, now);
    const std::lock_guard lock{mutex_};
    for (const auto& [number, meter] : answers) {
        meters_.insert_or_assign(number, meter);
        found.emplace(number, meter);
    }
    return found;
}

std::optional<KnownBank> IngestCatalog::bank(Connection& connection, const ObisCode& profile) {
    {
        const std::lock_guard lock{mutex_};
        const auto known = banks_.find(profile);
        if (known != banks_.end()) return known->second;
    }
    const auto bank =
        connection.run("looking up a bank", [&](soci::session& sql) -> std::optional<KnownBank> {
            int id = 0, channels = 0;
            sql << "select id, channels from bank where profile = :profile", use(profile), soci::into(id),
                soci::into(channels);
            if (!sql.got_data()) return std::nullopt;
            return KnownBank{static_cast<std::int16_t>(id), channels};
        });
    if (!bank) return std::nullopt;
    const std::lock_guard lock{mutex_};
    return banks_.insert_or_assign(profile, *bank).first->second;
}

std::optional<KnownConcentrator> IngestCatalog::concentrator(Connection& connection, DeviceNumber number) {
    {
        const std::lock_guard lock{mutex_};
        const auto known = concentrators_.find(number);
        if (known != concentrators_.end()) return known->second;
    }
    const auto found = connection.run(
        "looking up a concentrator", [&](soci::session& sql) -> std::optional<KnownConcentrator> {
            KnownConcentrator concentrator;
            sql << "select id, tenant, area from concentrator where number = :number", use(number),
                soci::into(concentrator.id), soci::into(concentrator.tenant), soci::into(concentrator.area);
            if (!sql.got_data()) return std::nullopt;
            return concentrator;
        });
    if (!found) return std::nullopt;
    const std::lock_guard lock{mutex_};
    return concentrators_.insert_or_assign(number, *found).first->second;
}

void IngestCatalog::need_days(Connection& connection, const std::set<std::int32_t>& days) {
    std::vector<std::int32_t> unseen;
    {
        const std::lock_guard lock{mutex_};
        std::set_difference(days.begin(), days.end(), days_.begin(), days_.end(), std::back_inserter(unseen));
    }
    for (const auto day : unseen) {
        connection.run("making a day's partition",
                       [&](soci::session& sql) { sql << "select make_interval_day(:day)", use(day); });
        const std::lock_guard lock{mutex_};
        days_.insert(day);
    }
}

Instant IngestCatalog::mark(MeterId meter, std::int16_t bank) const {
    const std::lock_guard lock{mutex_};
    const auto found = marks_.find({meter, bank});
    return found == marks_.end() ? Instant::min() : found->second;
}

void IngestCatalog::raise(MeterId meter, std::int16_t bank, Instant at) {
    const std::lock_guard lock{mutex_};
    auto& mark = marks_.try_emplace({meter, bank}, Instant::min()).first->second;
    mark = std::max(mark, at);
}

void IngestCatalog::forget() {
    const std::lock_guard lock{mutex_};
    meters_.clear();
    banks_.clear();
    concentrators_.clear();
    days_.clear();
    marks_.clear();
}

}  // namespace wattmesh::headend::database
