#include <iostream>

#include "headend/command_line.h"
#include "headend/database/audit_log.h"
#include "headend/database/shipment_import.h"

namespace wattmesh::headend {
namespace {

constexpr std::size_t shipment_size_max = 256U << 20U;

}  // namespace

int run_import(const Words& words) {
    const auto arguments = parse_words(words, {"shipment", "history-hours"}, {"replace-keys"});
    Desk desk{arguments};
    const auto file = desk.raw.required<std::string>("shipment");
    const auto history = desk.raw.optional_in<int>("history-hours", 0, 0, 24 * 3'650);
    const auto master = security::MasterKey::open(desk.settings.master_key);
    const auto now = desk.clock->now();
    const auto content = security::read_private_file(file, shipment_size_max);
    const auto text = content.reveal();
    database::ShipmentReport report;
    try {
        report = database::ShipmentImport{desk.connection, master}.run(
            {reinterpret_cast<const char*>(text.data()), text.size()},
            {.now = now,
             .installed = now - std::chrono::hours{history},
             .replace_keys = arguments.has("replace-keys")});
    } catch (const database::DatabaseError&) {
        throw;
    } catch (const std::runtime_error& error) {
        throw std::runtime_error("the shipment " + file + " cannot be imported: " + error.what());
    }
    const int meters = report.meters_new + report.meters_known;
    database::AuditLog{desk.connection}.append(now, actor(), "import", file,
                                               std::to_string(meters) + " meters");
    for (const auto& fault : report.faults)
        std::cerr << "skipped " << fault.where << ": " << fault.why << "\n";
    std::cerr << "Imported " << meters << " meters (" << report.meters_new << " new) and "
              << report.concentrators_new + report.concentrators_known
              << " concentrators. Next: headend enrol NUMBER for each concentrator.\n";
    return report.complete() ? 0 : 1;
}

}  // namespace wattmesh::headend
