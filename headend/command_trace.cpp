// trace: what went over the links of this machine's front-ends, now or earlier.
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <thread>

#include "headend/command_line.h"
#include "headend/console/json.h"
#include "headend/trace/capture_file.h"
#include "headend/trace/explain.h"
#include "protocol/decode/printable.h"

namespace wattmesh::headend {
namespace {

constexpr int last_default = 200, last_max = 1'000'000;
constexpr auto look_again = std::chrono::milliseconds{300};

struct View {
    bool tree = false, octets = false, json = false;
};

std::string arrow(trace::Record::Kind kind) {
    switch (kind) {
        case trace::Record::Kind::received:
            return "<-";
        case trace::Record::Kind::sent:
            return "->";
        default:
            return "--";
    }
}

void print_json(const trace::Found& found) {
    const auto& record = found.record;
    console::Json json;
    json.open_object().field("at", record.at).field("kind", to_string(record.kind));
    json.field("link", found.process + "/" + std::to_string(record.link)).field("device", record.device);
    json.field("carries", to_string(record.carries)).field("size", static_cast<std::int64_t>(record.size));
    json.field("summary", trace::explain(record).summary);
    if (record.is_frame()) json.field("octets", to_hex(record.content));
    std::cout << json.close_object().text() << "\n";
}

/// "2026-11-23T10:00:00.000Z 900000000001 <- 31 octets: wrapper ..., get-request-normal ..."
void print(const trace::Found& found, const View& view) {
    if (view.json) return print_json(found);
    const auto& record = found.record;
    const auto explained = trace::explain(record);
    std::cout << console::iso(record.at) << ' '
              << (record.device ? to_string(*record.device) : "not known yet") << ' ' << arrow(record.kind)
              << ' ';
    if (record.is_frame())
        std::cout << record.size << " octets: ";
    else
        std::cout << to_string(record.kind) << ' ';
    std::cout << decode::printable(as_bytes(explained.summary)) << "\n";
    if (!record.is_frame()) return;
    if (view.octets)
        std::cout << "    " << to_hex(record.content) << (record.content.size() < record.size ? "…" : "")
                  << "\n";
    if (view.tree)
        for (const auto& line : explained.report.lines())
            std::cout << "    " << std::string(static_cast<std::size_t>(2 * line.depth), ' ') << line.text
                      << "\n";
}

Instant instant_in(const platform::Settings& settings, const std::string& name, Instant otherwise) {
    if (!settings.has(name)) return otherwise;
    const auto at = console::parse_iso(settings.required<std::string>(name));
    if (!at) throw platform::UsageError("--" + name + " wants a time as 2026-11-23T10:00:00Z");
    return *at;
}

int write_capture(const trace::Reading& reading, const std::string& path) {
    std::ofstream out{path, std::ios::binary};
    trace::CaptureFile capture{out};
    for (const auto& found : reading.records) capture.add(found);
    if (!out.flush()) throw std::runtime_error("cannot write " + path);
    std::cerr << reading.records.size() << " records written to " << path << "\n";
    return 0;
}

}  // namespace

int run_trace(const Words& words) {
    const auto arguments =
        parse_words(words, {"device", "from", "to", "last", "pcapng"}, {"follow", "tree", "octets", "json"});
    if (!arguments.words().empty())
        throw platform::UsageError("say: headend trace [--device NUMBER] --config FILE");
    const auto raw = arguments.settings();
    const auto settings = HeadendSettings::from(raw);
    if (!settings.trace) throw std::runtime_error("this configuration keeps no traces: trace.size_mib is 0");
    trace::Query query;
    if (raw.has("device")) query.device = number_from(raw.required<std::string>("device"));
    query.from = instant_in(raw, "from", query.from);
    query.to = instant_in(raw, "to", query.to);
    query.records_max = static_cast<std::size_t>(raw.optional_in<int>("last", last_default, 1, last_max));
    const View view{arguments.has("tree"), arguments.has("octets"), arguments.has("json")};
    auto reading = trace::read(settings.trace->directory, query, {});
    if (raw.has("pcapng")) return write_capture(reading, raw.required<std::string>("pcapng"));
    if (reading.left_out > 0) std::cerr << reading.left_out << " older records left out: --last shows more\n";
    while (true) {
        for (const auto& found : reading.records) print(found, view);
        std::cout.flush();
        if (!arguments.has("follow") || !std::cout) return 0;
        std::this_thread::sleep_for(look_again);
        reading = trace::read(settings.trace->directory, query, reading.cursor);
    }
}

}  // namespace wattmesh::headend
