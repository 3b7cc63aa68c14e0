#include <filesystem>
#include <iostream>
#include <sstream>

#include "headend/command_line.h"
#include "headend/console/json.h"
#include "headend/database/shipment_import.h"

namespace wattmesh::headend {
namespace {

constexpr std::size_t shipment_size_max = 256U << 20U;

std::string line_json(const database::ShipmentLineReport& line) {
    console::Json json;
    json.open_object().field("line", static_cast<std::int64_t>(line.line)).field("device", line.device);
    json.field("outcome", to_string(line.outcome)).field("why", line.why).close_object();
    return json.take();
}

std::string summary_json(const database::ShipmentReport& report) {
    console::Json json;
    json.open_object().field("lines", static_cast<std::int64_t>(report.lines.size()));
    json.field("accepted", report.accepted)
        .field("unchanged", report.unchanged)
        .field("refused", report.refused);
    json.field("meters_new", report.meters_new).field("meters_changed", report.meters_changed);
    json.field("keys_replaced", report.keys_replaced).field("concentrators_new", report.concentrators_new);
    json.field("collectors_changed", report.collectors_changed);
    json.field("sha256", report.sha256).close_object();
    return json.take();
}

/// Every line's outcome, one JSON object a line.
void write_report(const std::string& file, const database::ShipmentReport& report) {
    std::string text;
    for (const auto& line : report.lines) text += line_json(line) + "\n";
    security::write_private_file(file, as_bytes(text));
}

database::ShippedKeyForm key_form(const platform::Arguments& arguments, const platform::Settings& raw) {
    database::ShippedKeyForm form;
    form.plain = arguments.has("plain-keys");
    if (raw.has("transport-key"))
        form.transport = security::TransportKey::open(raw.required<std::string>("transport-key"));
    if (form.plain == form.transport.has_value())
        throw platform::UsageError(
            "say --transport-key FILE for wrapped keys, or --plain-keys for keys in clear (see headend "
            "import "
            "--help)");
    return form;
}

}  // namespace

int run_import(const Words& words) {
    const auto arguments =
        parse_words(words, {"transport-key", "report", "history-hours"}, {"plain-keys", "replace"});
    const auto file = only_word(arguments, "the shipment's file");
    Desk desk{arguments};
    database::ShipmentOptions options;
    options.keys = key_form(arguments, desk.raw);
    options.replace = arguments.has("replace");
    options.now = desk.clock->now();
    options.installed =
        options.now - std::chrono::hours{desk.raw.optional_in<int>("history-hours", 0, 0, 24 * 3'650)};
    options.actor = actor();
    options.file = std::filesystem::path{file}.filename().string();
    const auto master = security::open_master_key(desk.settings.master_key);
    const auto content = security::read_private_file(file, shipment_size_max);
    const auto text = content.reveal();
    database::ShipmentReport report;
    try {
        report = database::ShipmentImport{desk.connection, *master}.run(
            {reinterpret_cast<const char*>(text.data()), text.size()}, options);
    } catch (const database::DatabaseError&) {
        throw;
    } catch (const std::runtime_error& error) {
        throw std::runtime_error("the shipment " + file + " cannot be imported: " + error.what());
    }
    for (const auto& line : report.lines) {
        if (line.outcome != database::LineOutcome::refused) continue;
        std::cerr << file << ":" << line.line << ": refused" << (line.device.empty() ? "" : " " + line.device)
                  << ": " << line.why << "\n";
    }
    if (desk.raw.has("report")) write_report(desk.raw.required<std::string>("report"), report);
    std::cout << summary_json(report) << "\n";
    if (report.concentrators_new > 0) std::cerr << "Next: headend enrol NUMBER for each concentrator.\n";
    return report.complete() ? 0 : 1;
}

}  // namespace wattmesh::headend
