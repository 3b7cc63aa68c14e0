#include "headend/database/billing_files.h"

#include "headend/database/binary_rows.h"
#include "headend/database/bindings.h"
#include "headend/database/copy_in.h"

namespace wattmesh::headend::database {
namespace {

constexpr std::int64_t day_s = 86'400;

std::chrono::sys_days day_of(long long days) { return std::chrono::sys_days{std::chrono::days{days}}; }
long long days_of(std::chrono::sys_days day) { return day.time_since_epoch().count(); }

SentFile sent_of(const soci::row& row) {
    SentFile file;
    file.id = row.get<FileId>(0);
    file.day = day_of(row.get<int>(1));
    file.part = row.get<int>(2);
    file.revision = row.get<int>(3);
    file.name = row.get<std::string>(4);
    file.lines = row.get<int>(5);
    file.total = row.get<std::string>(6);
    file.sha256 = from_bytea(row.get<std::string>(7));
    file.written = row.get<Instant>(8);
    file.published = row.get<int>(9) != 0;
    file.acknowledged = row.get<std::optional<Instant>>(10);
    file.refused = row.get<int>(11);
    return file;
}
constexpr const char* sent_columns =
    "select id, day - date '1970-01-01', part, revision, name, lines, total, sha256::text, written_us, "
    "published::int, acknowledged_us, coalesce(refused, 0) from file_sent ";

/// Midnights of a zone around a date d.
constexpr const char* bounds =
    "at_us(d::timestamp at time zone :zone), at_us((d + 1)::timestamp at time zone :zone)";

std::vector<FileDay> days_from(const soci::rowset<soci::row>& rows) {
    std::vector<FileDay> days;
    for (const auto& row : rows)
        days.push_back({day_of(row.get<int>(0)), row.get<Instant>(1), row.get<Instant>(2)});
    return days;
}

}  // namespace

bool BillingFiles::take_turn() {
    return connection_.run("taking the turn to write files", [&](soci::session& sql) {
        int ours = 0;
        sql << "select pg_try_advisory_lock(1464683606)::int", soci::into(ours);
        return ours != 0;
    });
}

void BillingFiles::end_turn() { connection_.execute("select pg_advisory_unlock_all()", "ending a turn"); }

void BillingFiles::put(const FileChannel& channel) {
    connection_.run("storing a channel of files", [&](soci::session& sql) {
        const int disabled = channel.disabled ? 1 : 0;
        const auto first = days_of(channel.first_day);
        const long long after_s = channel.after / std::chrono::seconds{1};
        sql << "insert into file_channel (contract, name, directory, zone, decimals, meters_max, first_day, "
               "after_s, correct_days, disabled) select :contract, :name, :directory, z.name, :decimals, "
               ":meters, date '1970-01-01' + cast(:first as integer), :after, :correct, :disabled <> 0 from "
               "pg_timezone_names z where z.name = :zone on conflict (contract, name) do update set "
               "directory = "
               "excluded.directory, zone = excluded.zone, decimals = excluded.decimals, meters_max = "
               "excluded.meters_max, first_day = excluded.first_day, after_s = excluded.after_s, "
               "correct_days = "
               "excluded.correct_days, disabled = excluded.disabled",
            soci::use(channel.contract.id, "contract"), soci::use(channel.name, "name"),
            soci::use(channel.directory, "directory"), soci::use(channel.decimals, "decimals"),
            soci::use(channel.meters_max, "meters"), soci::use(first, "first"), soci::use(after_s, "after"),
            soci::use(channel.correct_days, "correct"), soci::use(disabled, "disabled"),
            soci::use(channel.zone, "zone");
        int there = 0;
        sql << "select count(*)::int from file_channel where contract = :contract and name = :name and zone "
               "= "
               ":zone",
            use(channel.contract.id), use(channel.name), use(channel.zone), soci::into(there);
        if (there != 1)
            throw DatabaseError(
                Trouble::refused, "",
                "while storing a channel of files: there is no time zone '" + channel.zone + "'");
    });
}

std::vector<FileChannel> BillingFiles::all() {
    const auto contracts = Contracts{connection_}.all();
    return connection_.run("listing channels of files", [&](soci::session& sql) {
        std::vector<FileChannel> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
             << "select f.id, f.contract, f.name, f.directory, f.zone, f.decimals::int, f.meters_max, "
                "f.first_day - date '1970-01-01', f.after_s, f.correct_days, f.disabled::int from "
                "file_channel f join exchange_contract c on c.id = f.contract order by c.name, f.name");
        for (const auto& row : rows)
            for (const auto& contract : contracts)
                if (contract.id == row.get<ContractId>(1))
                    found.push_back({.id = row.get<FileChannelId>(0),
                                     .contract = contract,
                                     .name = row.get<std::string>(2),
                                     .directory = row.get<std::string>(3),
                                     .zone = row.get<std::string>(4),
                                     .decimals = row.get<int>(5),
                                     .meters_max = row.get<int>(6),
                                     .first_day = day_of(row.get<int>(7)),
                                     .after = std::chrono::seconds{row.get<int>(8)},
                                     .correct_days = row.get<int>(9),
                                     .disabled = row.get<int>(10) != 0});
        return found;
    });
}

std::vector<FileDay> BillingFiles::unsent(const FileChannel& channel, Instant now, int count_max) {
    return connection_.run("looking for days without files", [&](soci::session& sql) {
        const auto first = days_of(channel.first_day);
        const auto until = epoch_us(now - channel.after);
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << std::string{"select d - date '1970-01-01', "} + bounds +
                        " from (select date '1970-01-01' + g::int as d from generate_series(cast(:first "
                        "as bigint), "
                        "cast(:until as bigint) / 86400000000 + 1) g(g)) day where at_us((d + "
                        "1)::timestamp at "
                        "time zone :zone) <= cast(:until as bigint) and not exists (select from "
                        "file_sent s where "
                        "s.channel = :channel and s.day = d and s.last) order by d limit :count",
             soci::use(channel.zone, "zone"), soci::use(first, "first"), soci::use(until, "until"),
             soci::use(channel.id, "channel"), soci::use(count_max, "count"));
        return days_from(rows);
    });
}

std::vector<FileDay> BillingFiles::sent_days(const FileChannel& channel, int utc_day, Instant now) {
    return connection_.run("looking which files a day is in", [&](soci::session& sql) {
        const long long from = utc_day * day_s * 1'000'000, to = from + day_s * 1'000'000;
        const auto oldest = epoch_us(now - channel.after) - channel.correct_days * day_s * 1'000'000;
        const soci::rowset<soci::row> rows =
            (sql.prepare
                 << std::string{"select d - date '1970-01-01', "} + bounds +
                        " from (select distinct day as d from file_sent where channel = :channel and day "
                        "between date '1970-01-01' + cast(:day as integer) - 1 and date '1970-01-01' + "
                        "cast(:day as integer) + 1) sent where at_us(d::timestamp at time zone :zone) < "
                        ":to and at_us((d + 1)::timestamp at time zone :zone) > :from and at_us((d + "
                        "1)::timestamp at time zone :zone) > :oldest order by d",
             soci::use(channel.zone, "zone"), soci::use(channel.id, "channel"), soci::use(utc_day, "day"),
             soci::use(to, "to"), soci::use(from, "from"), soci::use(oldest, "oldest"));
        return days_from(rows);
    });
}

std::vector<BillingFiles::Due> BillingFiles::due() {
    return connection_.run("looking for days that changed", [&](soci::session& sql) {
        std::vector<Due> found;
        const soci::rowset<soci::row> rows = (sql.prepare << "select day, mark from file_due order by day");
        for (const auto& row : rows) found.push_back({row.get<int>(0), row.get<long long>(1)});
        return found;
    });
}

bool BillingFiles::done(const Due& due) {
    return connection_.run("finishing a day's files", [&](soci::session& sql) {
        const long long mark = due.mark;
        soci::statement drop = (sql.prepare << "delete from file_due where day = :day and mark = :mark",
                                use(due.day), use(mark));
        drop.execute(true);
        return drop.get_affected_rows() == 1;
    });
}

std::vector<std::int64_t> BillingFiles::meters(const FileChannel& channel, const FileDay& day) {
    std::string where = "tenant = $1 and role = 0 and installed_us < $2";
    if (channel.contract.areas) where += " and area = any ('" + array_text(*channel.contract.areas) + "')";
    const BinaryRows rows{connection_,
                          "select id from meter where " + where + " order by number",
                          {channel.contract.tenant.value, epoch_us(day.to)},
                          "listing a partner's meters"};
    std::vector<std::int64_t> found;
    found.reserve(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i) found.push_back(rows.integer(i, 0));
    return found;
}

std::map<std::pair<std::int64_t, ObisCode>, SentLine> BillingFiles::known(const FileChannel& channel,
                                                                          const FileDay& day) {
    const BinaryRows rows{
        connection_,
        "select l.meter, l.register, s.part, s.revision, l.digest from file_sent s join file_line "
        "l on l.file = s.id where s.channel = $1 and s.day = date '1970-01-01' + $2::integer "
        "order by s.revision",
        {channel.id.value, days_of(day.date)},
        "reading what was sent"};
    std::map<std::pair<std::int64_t, ObisCode>, SentLine> known;
    for (int i = 0; i < rows.size(); ++i)
        if (const auto code = ObisCode::parse(rows.text(i, 1)))
            known[{rows.integer(i, 0), *code}] = {static_cast<int>(rows.integer(i, 2)),
                                                  static_cast<int>(rows.integer(i, 3)), rows.integer(i, 4)};
    return known;
}

int BillingFiles::parts(const FileChannel& channel, const FileDay& day) {
    return connection_.run("counting a day's files", [&](soci::session& sql) {
        const auto date = days_of(day.date);
        int parts = 0;
        sql << "select coalesce(max(part), 0)::int from file_sent where channel = :channel and day = date "
               "'1970-01-01' + cast(:day as integer)",
            use(channel.id), use(date), soci::into(parts);
        return parts;
    });
}

FileId BillingFiles::add(const FileChannel& channel, const SentFile& file,
                         const std::vector<LineToSend>& lines) {
    Transaction transaction{connection_};
    const auto id = connection_.run("storing a file", [&](soci::session& sql) {
        FileId made;
        const auto day = days_of(file.day);
        const auto hash = bytea(file.sha256);
        const int last = file.last ? 1 : 0;
        sql << "insert into file_sent (channel, day, part, revision, name, lines, total, sha256, written_us, "
               "last) values (:channel, date '1970-01-01' + cast(:day as integer), :part, :revision, :name, "
               ":lines, :total, cast(:hash as bytea), :at, :last <> 0) returning id",
            use(channel.id), use(day), use(file.part), use(file.revision), use(file.name), use(file.lines),
            use(file.total), use(hash), use(file.written), use(last), soci::into(made);
        return made;
    });
    CopyIn copy{connection_, "file_line (file, line, meter, register, digest)"};
    int number = 1;
    for (const auto& line : lines) {
        copy.row(5);
        copy.i64(id.value);
        copy.i32(++number);
        copy.i64(line.meter);
        copy.text(to_string(line.register_));
        copy.i64(line.digest);
    }
    copy.finish();
    transaction.commit();
    return id;
}

std::vector<SentFile> BillingFiles::unpublished(const FileChannel& channel) {
    return connection_.run("looking for files under way", [&](soci::session& sql) {
        std::vector<SentFile> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{sent_columns} +
                                "where channel = :channel and not published order by id",
             use(channel.id));
        for (const auto& row : rows) found.push_back(sent_of(row));
        return found;
    });
}

void BillingFiles::published(FileId file) {
    connection_.run("finishing a file", [&](soci::session& sql) {
        sql << "update file_sent set published = true where id = :id", use(file);
    });
}

std::vector<SentFile> BillingFiles::sent(const FileChannel& channel, int count_max) {
    return connection_.run("listing files", [&](soci::session& sql) {
        std::vector<SentFile> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << std::string{sent_columns} +
                                "where channel = :channel order by id desc limit :count",
             use(channel.id), use(count_max));
        for (const auto& row : rows) found.push_back(sent_of(row));
        return found;
    });
}

bool BillingFiles::acknowledge(const FileChannel& channel, const std::string& name,
                               const std::vector<RefusedLine>& refused, Instant now) {
    Transaction transaction{connection_};
    const bool there = connection_.run("taking a partner's answer", [&](soci::session& sql) {
        FileId id;
        const int count = static_cast<int>(refused.size());
        sql << "update file_sent set acknowledged_us = :now, refused = :refused where channel = :channel and "
               "name "
               "= :name returning id",
            use(now), use(count), use(channel.id), use(name), soci::into(id);
        if (!sql.got_data()) return false;
        for (const auto& line : refused)
            sql << "update file_line set refused_code = :code, refused_text = :text where file = :file and "
                   "line = "
                   ":line",
                use(line.code), use(line.text), use(id), use(line.line);
        return true;
    });
    if (there) transaction.commit();
    return there;
}

}  // namespace wattmesh::headend::database
