// assets import: the utility's list of its network and customers.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "headend/command_line.h"
#include "headend/console/json.h"
#include "headend/database/asset_import.h"

namespace wattmesh::headend {
namespace {

constexpr std::uintmax_t file_size_max = 256U << 20U;

std::string text_of(const std::string& file) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (error) throw std::runtime_error("the list " + file + " cannot be read: " + error.message());
    if (size > file_size_max)
        throw std::runtime_error("the list " + file + " is larger than 256 MiB: split it");
    std::ifstream in{file, std::ios::binary};
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) throw std::runtime_error("the list " + file + " cannot be read");
    return text.str();
}

}  // namespace

int run_assets(const Words& words) {
    const auto arguments = parse_words(words, {"since", "tenant", "reason"}, {"dry-run"});
    if (arguments.words().size() != 2 || arguments.words()[0] != "import")
        throw platform::UsageError("say: headend assets import FILE (see headend assets --help)");
    const std::string file = arguments.words()[1];
    Desk desk{arguments};
    database::AssetOptions options;
    options.tenant = TenantId{desk.raw.optional_in<int>("tenant", 1, 1, 2'147'483'647)};
    options.now = options.since = desk.clock->now();
    options.dry_run = arguments.has("dry-run");
    options.actor = actor();
    options.reason = desk.raw.optional<std::string>("reason", "");
    options.file = std::filesystem::path{file}.filename().string();
    if (desk.raw.has("since")) {
        const auto word = desk.raw.required<std::string>("since");
        const auto since = database::Network{desk.connection, options.tenant}.local_instant(word);
        if (!since || *since > options.now)
            throw platform::UsageError("--since '" + word +
                                       "' is not a past day like 2026-11-22, or 2026-11-22T14:05");
        options.since = *since;
    }
    database::AssetReport report;
    try {
        report = database::AssetImport{desk.connection}.run(text_of(file), options);
    } catch (const database::DatabaseError&) {
        throw;
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(file + " cannot be imported: " + error.what());
    }
    for (const auto& line : report.lines) {
        if (line.outcome != database::LineOutcome::refused) continue;
        std::cerr << file << ":" << line.line << ": refused"
                  << (line.number.empty() ? "" : " " + line.kind + " " + line.number) << ": " << line.why
                  << "\n";
    }
    console::Json json;
    json.open_object().field("lines", static_cast<std::int64_t>(report.lines.size()));
    json.field("accepted", report.accepted)
        .field("unchanged", report.unchanged)
        .field("refused", report.refused);
    json.field("dry_run", options.dry_run).field("sha256", report.sha256).close_object();
    std::cout << json.take() << "\n";
    return report.complete() ? 0 : 1;
}

}  // namespace wattmesh::headend
