#include "tests/headend/console/site.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/String.h>
#include <libpq-fe.h>

#include "headend/database/aggregates.h"
#include "headend/database/users.h"
#include "security/ciphers.h"
#include "security/password.h"

namespace wattmesh::test {
namespace {

/// Energy of a quarter: meter i uses i Wh more than a base that follows the time of day. The summary meter
/// has 3 % line loss and, from 18:00 to 20:00 of the 9th, 400 Wh of theft.
constexpr const char* town = R"(
set search_path = wattmesh;
insert into tenant values (2, 'Other utility', 'UTC');
insert into area values (2, 1, 'Area 2'), (3, 2, 'Elsewhere');
insert into concentrator (tenant, area, number, name, state, link, owner_epoch, registered_us, last_seen_us) values
  (1, 1, 900000000001, 'Mill Road', 1, 1, 3, 0, at_us('2026-03-10 14:39:30Z')),
  (1, 1, 900000000002, 'Church Lane', 1, 0, 1, 0, at_us('2026-03-09 22:10:00Z'));
insert into concentrator_certificate select id, '5A01', 0, at_us('2027-03-01Z'), null from concentrator where number = 900000000001;
insert into meter (tenant, area, number, model, role, concentrator, installed_us)
  select 1, 1, 540000000000 + i, 'WM-SIM-3', 0, c.id, at_us('2026-03-09 00:00Z') from generate_series(1, 12) i, concentrator c where c.number = 900000000001;
insert into meter (tenant, area, number, model, role, concentrator, installed_us)
  select 1, 1, 540000000100 + i, 'WM-SIM-3', 0, c.id, at_us('2026-03-09 00:00Z') from generate_series(1, 3) i, concentrator c where c.number = 900000000002;
insert into meter (tenant, area, number, model, role, concentrator, installed_us)
  select 1, 1, 800000000001, 'WM-SIM-3', 1, c.id, at_us('2026-03-09 00:00Z') from concentrator c where c.number = 900000000001;
insert into journal_cursor (concentrator, journal, sequence, epoch, first_us, advanced_us, entries_stored, entries_replayed, rows_stored)
  select id, decode('a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5', 'hex'), 2000, 3, 0, at_us('2026-03-10 14:31Z'), 2000, 7, 1900 from concentrator where number = 900000000001;
select make_interval_day(20521), make_interval_day(20522), make_interval_day(20523);
insert into interval_row (meter, at_us, journal, sequence, quality, tenant, area, bank, status, v1, v2, v3, v4)
  select m.id, q, 1, 1, case when m.number = 540000000002 and q = at_us('2026-03-10 08:00Z') then 1 else 0 end, 1, 1, 1, 0,
         (m.number % 100) + (q / 900000000) % 96, 0, 10, 0
  from meter m, generate_series(at_us('2026-03-09 00:15Z'), at_us('2026-03-10 14:15Z'), 900000000) q
  where m.number between 540000000001 and 540000000011
    and not (m.number = 540000000003 and q between at_us('2026-03-10 10:15Z') and at_us('2026-03-10 11:00Z'));
insert into interval_row (meter, at_us, journal, sequence, quality, tenant, area, bank, status, v1, v2, v3, v4)
  select m.id, r.at_us, 1, 1, 0, 1, 1, 1, 0, r.sum * 103 / 100 + case when r.at_us > at_us('2026-03-09 18:00Z') and r.at_us <= at_us('2026-03-09 20:00Z') then 400 else 0 end, 0, 0, 0
  from meter m, (select at_us, sum(v1)::bigint as sum from interval_row group by at_us) r where m.number = 800000000001;
insert into event (meter_number, journal, sequence, concentrator, tenant, area, kind, at_us, clock_doubtful, received_us, hops, parent, rssi_dbm)
  select 540000000000 + i, 1, 100 + i, c.id, 1, 1, 3, at_us('2026-03-09 00:05Z'), false, at_us('2026-03-09 00:06Z'), 1 + (i - 1) / 4,
         case when i <= 4 then 0 else 540000000000 + i - 4 end, -60 - i from generate_series(1, 11) i, concentrator c where c.number = 900000000001;
insert into event (meter_number, journal, sequence, concentrator, tenant, area, kind, at_us, clock_doubtful, received_us, hops, parent, rssi_dbm)
  select 800000000001, 1, 90, c.id, 1, 1, 3, at_us('2026-03-09 00:05Z'), false, at_us('2026-03-09 00:06Z'), 1, 0, -41 from concentrator c where c.number = 900000000001;
insert into event (meter_number, journal, sequence, concentrator, tenant, area, kind, at_us, clock_doubtful, received_us, fault, from_us, to_us)
  select 540000000003, 1, 200, c.id, 1, 1, 5, at_us('2026-03-10 10:20Z'), false, at_us('2026-03-10 10:21Z'), 2, at_us('2026-03-10 10:15Z'), at_us('2026-03-10 11:00Z')
  from concentrator c where c.number = 900000000001;
insert into event (meter_number, journal, sequence, concentrator, tenant, area, kind, at_us, clock_doubtful, received_us)
  select 540000009999, 1, 201, c.id, 1, 1, 6, at_us('2026-03-10 09:00Z'), false, at_us('2026-03-10 09:00Z') from concentrator c where c.number = 900000000001;
insert into event (meter_number, journal, sequence, concentrator, tenant, area, kind, at_us, clock_doubtful, received_us, hops, parent, rssi_dbm, route)
  select 540000000011, 1, 210, c.id, 1, 1, 3, at_us('2026-03-10 08:00Z'), false, at_us('2026-03-10 08:00Z'), 3, 540000000006, -70, array[540000000002, 540000000006]
  from concentrator c where c.number = 900000000001;
insert into event (meter_number, journal, sequence, concentrator, tenant, area, kind, at_us, clock_doubtful, received_us, inferred)
  select 540000000011, 1, 211, c.id, 1, 1, 10, at_us('2026-03-10 09:00Z'), false, at_us('2026-03-10 09:00Z'), true from concentrator c where c.number = 900000000001;
insert into event (meter_number, journal, sequence, concentrator, tenant, area, kind, at_us, clock_doubtful, received_us, members, reported, silent)
  select 0, 1, v.sequence, c.id, 1, 1, 12, v.at, false, v.at, 11, 8, 2 from concentrator c, (values (212, at_us('2026-03-10 09:00Z')), (220, at_us('2026-03-10 11:00Z'))) v(sequence, at)
  where c.number = 900000000001;
insert into event (meter_number, journal, sequence, concentrator, tenant, area, kind, at_us, clock_doubtful, received_us, back, missing)
  select 0, 1, 213, c.id, 1, 1, 13, at_us('2026-03-10 09:30Z'), false, at_us('2026-03-10 09:30Z'), 9, 1 from concentrator c where c.number = 900000000001;
insert into event (meter_number, journal, sequence, concentrator, tenant, area, kind, at_us, clock_doubtful, received_us)
  select 540000000011, 1, 214, c.id, 1, 1, 11, at_us('2026-03-10 09:30Z'), false, at_us('2026-03-10 09:30Z') from concentrator c where c.number = 900000000001;
insert into rejected_entry select 540000000005, 1, 300, 0, c.id, 1, 1, 'an instant in 2099', decode('020309', 'hex'), at_us('2026-03-10 12:00Z')
  from concentrator c where c.number = 900000000001;
insert into reading_conflict select m.id, 1, at_us('2026-03-10 07:00Z'), 1, 40, 1, 1, 41, 1, 301, 1, 1, at_us('2026-03-10 12:01Z')
  from meter m where m.number = 540000000006;
insert into meter_latest select r.meter, 1, max(r.at_us), 1, 1, 0, 55, 0, 10, 0 from interval_row r group by r.meter;
insert into register_reading select m.id, '1-0:1.8.0*255', at_us('2026-03-10 13:00Z'), 'on_demand', 1, 1, 1234567, 0, 30 from meter m where m.number = 540000000001;
insert into validation_finding select m.id, 1, at_us('2026-03-09Z'), 'spike', at_us('2026-03-09 08:00Z'), at_us('2026-03-09 08:00Z'), 'warn', '2.5.258', 900, 400, 0, 1, 1
  from meter m where m.number = 540000000006;
insert into network_node (tenant, area, kind, number, name) values (1, 1, 1, 'S1', 'North'), (1, 1, 2, 'F1', 'Mill road feeder'),
  (1, 1, 3, 'TX-1', 'Mill road'), (1, 1, 3, 'TX-2', 'Church lane');
insert into network_node (tenant, area, kind, number, name) select 1, 1, 4, 'U' || i, '' from generate_series(1, 12) i;
insert into network_link (node, kind, parent, from_us, tenant, area)
  select n.id, n.kind, p.id, 0, 1, 1 from network_node n join network_node p on p.number = case n.kind when 2 then 'S1' when 3 then 'F1' else 'TX-1' end
  where n.kind > 1;
insert into meter_installation (meter, node, kind, from_us, tenant, area)
  select m.id, n.id, 4, 0, 1, 1 from meter m join network_node n on n.number = 'U' || (m.number - 540000000000) where n.kind = 4;
insert into meter_installation (meter, node, kind, from_us, tenant, area)
  select m.id, n.id, 3, 0, 1, 1 from meter m, network_node n where m.number = 800000000001 and n.number = 'TX-1';
insert into concentrator_site (concentrator, transformer, from_us, tenant, area)
  select c.id, n.id, 0, 1, 1 from concentrator c, network_node n where c.number = 900000000001 and n.number = 'TX-1';
insert into customer (tenant, area, number, name, address) values (1, 1, 'C7', 'Ada Lovelace', 'Mill road 7');
insert into supply (usage_point, customer, from_us, tenant, area) select n.id, c.id, 0, 1, 1 from network_node n, customer c where n.number = 'U7';
insert into desired_object (concentrator, object, version, content, changed_us, confirmed_version, confirmed_us)
  select id, '0-128:96.1.0*255', 4, '', 0, 4, 0 from concentrator where number = 900000000001;
)";

}  // namespace

SiteUnderTest::SiteUnderTest(headend::console::ConsoleSettings settings)
    : random(std::make_unique<security::SystemRandom>()) {
    run(town);
    headend::database::Aggregates{admin}.count_open_days(100, clock.now());
    static const auto hash = security::hash_password("correct horse", *random);
    using headend::database::Role;
    headend::database::Users users{admin};
    users.put(TenantId{1}, "ada", "Ada", {{Role::operator_, {}}}, hash, clock.now());
    users.put(TenantId{1}, "vic", "Vic", {{Role::viewer, {}}}, hash, clock.now());
    users.put(TenantId{1}, "dis", "Dis", {{Role::operator_, {}}}, hash, clock.now());
    users.put(TenantId{1}, "ned", "Ned", {{Role::operator_, AreaId{2}}}, hash, clock.now());
    users.put(TenantId{1}, "amy", "Amy", {{Role::administrator, {}}}, hash, clock.now());
    users.put(TenantId{1}, "tim", "Tim", {{Role::viewer, {}}, {Role::operator_, AreaId{2}}}, hash,
              clock.now());
    run("update wattmesh.user_account set disabled = true where login = 'dis'");
    settings.port = 0;
    settings.nobody_hash = hash;
    settings.poll = std::chrono::milliseconds{50};
    console = std::make_unique<headend::console::Console>(
        std::move(settings), database.settings("wm_console"),
        headend::console::Console::Ports{
            .clock = clock,
            .random = *random,
            .reads = reads,
            .verify = [](std::string_view password,
                         const std::string& stored) { return security::verify_password(password, stored); },
            .hash = [this](std::string_view password) { return security::hash_password(password, *random); },
            .log =
                [this](std::string_view, const std::string& line) {
                    const std::lock_guard lock{log_mutex};
                    log.push_back(line);
                }});
    console->start();
}

void SiteUnderTest::run(const std::string& statements) { admin.execute(statements, "preparing a test"); }

long long SiteUnderTest::value(const std::string& query) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result{PQexec(admin.handle(), query.c_str()),
                                                               &PQclear};
    if (PQntuples(result.get()) == 0) throw std::runtime_error(PQerrorMessage(admin.handle()));
    return std::stoll(PQgetvalue(result.get(), 0, 0));
}

Reply SiteUnderTest::send(const std::string& method, const std::string& path, const std::string& body,
                          std::map<std::string, std::string> headers) {
    Poco::Net::HTTPClientSession session{"127.0.0.1", console->port()};
    Poco::Net::HTTPRequest request{method, path, Poco::Net::HTTPMessage::HTTP_1_1};
    if (!cookie.empty()) request.set("Cookie", cookie);
    if (method == "POST") {
        request.setContentType("application/json");
        request.set("X-CSRF-Token", csrf);
        request.setContentLength(static_cast<std::streamsize>(body.size()));
    }
    for (const auto& [name, content] : headers) request.set(name, content);
    session.sendRequest(request) << body;
    Poco::Net::HTTPResponse response;
    Reply reply;
    Poco::StreamCopier::copyToString(session.receiveResponse(response), reply.body);
    reply.status = response.getStatus();
    for (const auto& [name, content] : response) reply.headers[Poco::toLower(name)] = content;
    return reply;
}

Reply SiteUnderTest::sign_in(const std::string& user, const std::string& password) {
    auto reply = post("/api/login", R"({"user":")" + user + R"(","password":")" + password + R"("})");
    if (reply.status != 200) return reply;
    const auto set = reply.header("set-cookie");
    cookie = set.substr(0, set.find(';'));
    csrf = Poco::JSON::Parser{}
               .parse(reply.body)
               .extract<Poco::JSON::Object::Ptr>()
               ->getValue<std::string>("csrf");
    return reply;
}

}  // namespace wattmesh::test
