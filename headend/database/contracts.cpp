#include "headend/database/contracts.h"

#include <algorithm>
#include <span>

#include "headend/database/bindings.h"

namespace wattmesh::headend::database {
namespace {

Contract contract_of(const soci::row& row) {
    Contract contract;
    contract.id = row.get<ContractId>(0);
    contract.tenant = row.get<TenantId>(1);
    contract.name = row.get<std::string>(2);
    if (const auto areas = row.get<std::optional<std::string>>(3)) {
        contract.areas.emplace();
        for (const auto& area : array_words(*areas)) contract.areas->push_back(AreaId{std::stoi(area)});
    }
    contract.topics = array_words(row.get<std::string>(4));
    contract.disabled = row.get<int>(5) != 0;
    contract.allowed = array_words(row.get<std::string>(6));
    contract.requests_per_minute = row.get<int>(7);
    return contract;
}

constexpr const char* contract_columns =
    "select id, tenant, name, areas::text, topics::text, disabled::int, allowed::text, requests_per_minute "
    "from exchange_contract ";

std::string one_of(std::span<const std::string_view> choices) {
    std::string words;
    for (std::size_t i = 0; i < choices.size(); ++i)
        words += std::string{i == 0 ? "" : i + 1 == choices.size() ? " or " : ", "}.append(choices[i]);
    return words;
}

}  // namespace

std::string topic_words() { return one_of(topics); }
std::string allowance_words() { return one_of(allowances); }

bool Contract::allows(std::string_view what) const {
    return std::find(allowed.begin(), allowed.end(), what) != allowed.end();
}

std::string to_string(const Contract& contract) {
    std::string text = contract.disabled ? "disabled, topics" : "topics";
    for (const auto& topic : contract.topics) text += " " + topic;
    text += contract.areas ? ", areas" : ", the whole tenant";
    if (contract.areas)
        for (const auto& area : *contract.areas) text += " " + std::to_string(area.value);
    if (!contract.allowed.empty()) {
        text += ", REST";
        for (const auto& what : contract.allowed) text += " " + what;
        text += ", " + std::to_string(contract.requests_per_minute) + " requests a minute";
    }
    for (const auto& [name, code] : contract.event_codes) text += ", " + name + "=" + code;
    return text;
}

ContractId Contracts::put(const Contract& contract, Instant now, const std::string& by) {
    return connection_.run("storing a contract", [&](soci::session& sql) {
        ContractId id;
        const int disabled = contract.disabled ? 1 : 0;
        const auto words = array_text(contract.topics), allowed = array_text(contract.allowed);
        std::optional<std::string> areas;
        if (contract.areas) areas = array_text(*contract.areas);
        if (areas) {
            int strange = 0;
            sql << "select count(*)::int from unnest(cast(:areas as integer[])) a where a not in (select id "
                   "from area where tenant = :tenant)",
                use(*areas), use(contract.tenant), soci::into(strange);
            if (strange > 0)
                throw DatabaseError(Trouble::refused, "",
                                    "while storing a contract: an area is not the tenant's");
        }
        sql << "insert into exchange_contract (tenant, name, areas, topics, allowed, requests_per_minute, "
               "disabled, changed_us, changed_by) values (:tenant, :name, cast(:areas as integer[]), "
               "cast(:topics as text[]), cast(:allowed as text[]), :requests, :disabled <> 0, :now, :by) on "
               "conflict (name) do update set areas = excluded.areas, topics = excluded.topics, allowed = "
               "excluded.allowed, requests_per_minute = excluded.requests_per_minute, disabled = "
               "excluded.disabled, changed_us = excluded.changed_us, changed_by = excluded.changed_by "
               "returning id",
            use(contract.tenant), use(contract.name), use(areas), use(words), use(allowed),
            use(contract.requests_per_minute), use(disabled), use(now), use(by), soci::into(id);
        sql << "delete from exchange_alias where contract = :id", use(id);
        for (const auto& [name, code] : contract.event_codes) {
            soci::statement insert =
                (sql.prepare << "insert into exchange_alias (contract, name, code) select :id, name, "
                                "cast(:code as text) from event_type where name = :name",
                 soci::use(id, "id"), soci::use(code, "code"), soci::use(name, "name"));
            insert.execute(true);
            if (insert.get_affected_rows() != 1)
                throw DatabaseError(Trouble::refused, "",
                                    "while storing a contract: there is no event '" + name + "'");
        }
        return id;
    });
}

std::optional<Contract> Contracts::find(const std::string& name) {
    for (auto& contract : all())
        if (contract.name == name) return std::move(contract);
    return std::nullopt;
}

std::optional<Contract> Contracts::find(ContractId id) {
    for (auto& contract : all())
        if (contract.id == id) return std::move(contract);
    return std::nullopt;
}

std::vector<Contract> Contracts::all() {
    return connection_.run("listing contracts", [&](soci::session& sql) {
        std::vector<Contract> found;
        const soci::rowset<soci::row> rows = (sql.prepare << std::string{contract_columns} + "order by name");
        for (const auto& row : rows) found.push_back(contract_of(row));
        const soci::rowset<soci::row> codes =
            (sql.prepare << "select contract, name, code from exchange_alias");
        for (const auto& row : codes)
            for (auto& contract : found)
                if (contract.id == row.get<ContractId>(0))
                    contract.event_codes[row.get<std::string>(1)] = row.get<std::string>(2);
        return found;
    });
}

std::vector<std::string> Contracts::event_names() {
    return connection_.run("listing events", [&](soci::session& sql) {
        std::vector<std::string> found;
        const soci::rowset<std::string> rows = (sql.prepare << "select name from event_type order by kind");
        for (const auto& name : rows) found.push_back(name);
        return found;
    });
}

}  // namespace wattmesh::headend::database
