#include "headend/database/read_partners.h"

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

constexpr int files_shown = 20, refusals_shown = 10;

PartnerLine* find(std::vector<PartnerLine>& partners, ContractId id) {
    for (auto& partner : partners)
        if (partner.id == id) return &partner;
    return nullptr;
}

}  // namespace

std::vector<PartnerLine> PartnerReader::all() {
    auto partners = connection_.run("listing partners", [&](soci::session& sql) {
        std::vector<PartnerLine> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare << "select id, tenant, name, disabled::int, topics::text "
                            "from exchange_contract order by name");
        for (const auto& row : rows)
            found.push_back({.id = row.get<ContractId>(0),
                             .tenant = row.get<TenantId>(1),
                             .name = row.get<std::string>(2),
                             .disabled = row.get<int>(3) != 0,
                             .topics = array_words(row.get<std::string>(4)),
                             .webhooks = {},
                             .files = {}});
        return found;
    });
    add_webhooks(partners);
    add_files(partners);
    return partners;
}

void PartnerReader::add_webhooks(std::vector<PartnerLine>& partners) {
    connection_.run("looking how webhooks stand", [&](soci::session& sql) {
        const soci::rowset<soci::row> rows =
            (sql.prepare
             << "select w.contract, w.id, w.name, w.url, coalesce(w.disabled_why, ''), w.topics::text, "
                "w.batch, "
                "greatest(0, h.position - l.position), l.attempts, l.since, l.error, (select count(*) from "
                "webhook_message m where m.webhook = w.id and m.state = 1) from webhook w, outbox_head h, "
                "lateral (select "
                "min(position) as position, max(attempts) as attempts, min(failing_since_us) as since, "
                "coalesce(max(last_error) filter (where attempts > 0), '') as error from webhook_lane where "
                "webhook "
                "= w.id) l order by w.name");
        for (const auto& row : rows)
            if (auto* const partner = find(partners, row.get<ContractId>(0)))
                partner->webhooks.push_back({.id = row.get<WebhookId>(1),
                                             .name = row.get<std::string>(2),
                                             .url = row.get<std::string>(3),
                                             .disabled_why = row.get<std::string>(4),
                                             .last_error = row.get<std::string>(10),
                                             .topics = array_words(row.get<std::string>(5)),
                                             .batch = row.get<int>(6),
                                             .attempts = row.get<int>(8),
                                             .behind = row.get<long long>(7),
                                             .failing_since = row.get<std::optional<Instant>>(9),
                                             .dead = row.get<long long>(11)});
    });
}

void PartnerReader::add_files(std::vector<PartnerLine>& partners) {
    struct Channel {
        ContractId contract;
        std::int32_t id;
        FileChannelLine line;
    };
    auto channels = connection_.run("listing channels of files", [&](soci::session& sql) {
        std::vector<Channel> found;
        const soci::rowset<soci::row> rows =
            (sql.prepare
             << "select contract, id, name, directory, zone, disabled::int from file_channel order by "
                "name");
        for (const auto& row : rows)
            found.push_back({row.get<ContractId>(0),
                             row.get<int>(1),
                             {row.get<std::string>(2),
                              row.get<std::string>(3),
                              row.get<std::string>(4),
                              row.get<int>(5) != 0,
                              {}}});
        return found;
    });
    for (auto& channel : channels)
        if (auto* const partner = find(partners, channel.contract)) {
            channel.line.newest = newest_files(channel.id);
            partner->files.push_back(std::move(channel.line));
        }
}

std::vector<BillingFileLine> PartnerReader::newest_files(std::int32_t channel) {
    return connection_.run("listing files", [&](soci::session& sql) {
        std::vector<BillingFileLine> found;
        std::vector<long long> ids;
        {
            const soci::rowset<soci::row> rows =
                (sql.prepare
                     << "select id, name, lines, coalesce(refused, 0), total, written_us, acknowledged_us "
                        "from file_sent where channel = :channel and published order by id desc limit :count",
                 use(channel), use(files_shown));
            for (const auto& row : rows) {
                ids.push_back(row.get<long long>(0));
                found.push_back({.name = row.get<std::string>(1),
                                 .lines = row.get<int>(2),
                                 .refused = row.get<int>(3),
                                 .total = row.get<std::string>(4),
                                 .written = row.get<Instant>(5),
                                 .acknowledged = row.get<std::optional<Instant>>(6),
                                 .refusals = {}});
            }
        }
        for (std::size_t i = 0; i < found.size(); ++i) {
            if (found[i].refused == 0) continue;
            const soci::rowset<std::string> rows =
                (sql.prepare
                     << "select 'line ' || line || ', ' || refused_code || ': ' || coalesce(refused_text, "
                        "'') "
                        "from file_line where file = :file and refused_code is not null order by line limit "
                        ":count",
                 use(ids[i]), use(refusals_shown));
            for (const auto& text : rows) found[i].refusals.push_back(text);
        }
        return found;
    });
}

}  // namespace wattmesh::headend::database
