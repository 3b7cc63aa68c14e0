#include <fstream>
#include <iostream>
#include <sstream>

#include "headend/command_line.h"
#include "headend/database/audit_log.h"
#include "headend/exchange/point_table.h"

namespace wattmesh::headend {
namespace {

using database::ScadaLink;
using database::ScadaPoints;

ScadaLink known_link(Desk& desk, const std::string& name) {
    const auto link = ScadaPoints{desk.connection}.link(name);
    if (!link) throw std::runtime_error("there is no link '" + name + "'; `headend scada import` makes one");
    return *link;
}

std::string read_text(const std::string& file) {
    std::ostringstream text;
    if (file == "-") {
        text << std::cin.rdbuf();
    } else if (std::ifstream in{file}; !(text << in.rdbuf())) {
        throw std::runtime_error(file + ": cannot be read");
    }
    return text.str();
}

int list(Desk& desk) {
    for (const auto& link : ScadaPoints{desk.connection}.links())
        std::cout << link.name << " tenant " << link.tenant.value << " version " << link.version << "\n";
    return 0;
}

int import(Desk& desk, const std::string& name, const std::string& file, TenantId tenant) {
    const auto parsed = exchange::parse_point_table(read_text(file));
    if (const auto* fault = std::get_if<std::string>(&parsed)) throw std::runtime_error(file + ": " + *fault);
    const auto& points = std::get<std::vector<database::ScadaPoint>>(parsed);
    const auto now = desk.clock->now();
    database::Transaction transaction{desk.connection};
    ScadaPoints table{desk.connection};
    if (!table.link(name)) table.add_link(tenant, name, now, actor());
    const auto link = *table.link(name);
    const auto refusal = table.replace(link, points, now, actor());
    if (!refusal.empty()) throw std::runtime_error(file + ": " + refusal);
    database::AuditRecord record{now, actor(), "scada import", name};
    record.detail = std::to_string(points.size()) + " points";
    record.before = "version " + std::to_string(link.version);
    record.after = "version " + std::to_string(link.version + 1);
    record.tenant = link.tenant;
    database::AuditLog{desk.connection}.append(record);
    transaction.commit();
    std::cerr << "Link " << name << " has version " << link.version + 1 << " with " << points.size()
              << " points.\n";
    return 0;
}

}  // namespace

int run_scada(const Words& words) {
    const auto arguments = parse_words(words, {"station", "tenant"});
    const auto& given = arguments.words();
    const auto action = given.empty() ? std::string{} : given[0];
    const std::size_t wanted = action == "list" ? 1 : action == "import" ? 3 : 2;
    if ((action != "list" && action != "import" && action != "export" && action != "plan") ||
        given.size() != wanted)
        throw platform::UsageError(
            "write scada list, scada export LINK, scada plan LINK or scada import LINK FILE");
    Desk desk{arguments};
    const TenantId tenant{desk.raw.optional_in<int>("tenant", 1, 1, 1'000'000)};
    if (action == "list") return list(desk);
    if (action == "import") return import(desk, given[1], given[2], tenant);
    ScadaPoints table{desk.connection};
    if (action == "export") {
        std::cout << exchange::to_csv(table.points(known_link(desk, given[1])));
        return 0;
    }
    const auto link = table.link(given[1]);
    const auto station = desk.raw.optional_in<int>("station", 1, 1, 65'534);
    std::cout << exchange::to_csv(
        exchange::with_transformers(link ? table.points(*link) : std::vector<database::ScadaPoint>{},
                                    table.concentrators(link ? link->tenant : tenant), station));
    return 0;
}

}  // namespace wattmesh::headend
