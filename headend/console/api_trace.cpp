#include <sstream>

#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/database/read_overview.h"
#include "headend/trace/capture_file.h"
#include "headend/trace/explain.h"

namespace wattmesh::headend::console {
namespace {

using database::Right;
constexpr int limit_default = 200, limit_max = 1'000, capture_limit = 50'000;
constexpr std::size_t lines_max = 200;  ///< of one frame's tree; arrays go on for long

/// The directory, once it is sure that the asker may see the device.
const std::filesystem::path& traces_of(Context& context, const Request& request, DeviceNumber device) {
    auto connection = context.lease(request);
    if (!database::OverviewReader{*connection}.concentrator(device))
        throw Problem{404, "No such concentrator",
                      "Nothing that calls in is registered as " + to_string(device) + "."};
    if (context.settings.traces.empty())
        throw Problem{503, "No traces here",
                      "This head-end keeps no traces (trace.size_mib is 0), or its console runs on another "
                      "machine than its front-ends: look there with 'headend trace'."};
    return context.settings.traces;
}

trace::Reading reading_of(const std::filesystem::path& directory, const trace::Query& query,
                          const trace::Cursor& after) {
    try {
        return trace::read(directory, query, after);
    } catch (const std::runtime_error& error) {
        throw Problem{503, "No traces here", error.what()};
    }
}

void write(Json& json, const trace::Found& found) {
    const auto& record = found.record;
    const auto explained = trace::explain(record);
    json.open_object()
        .field("at", record.at)
        .field("kind", to_string(record.kind))
        .field("link", found.process + "/" + std::to_string(record.link))
        .field("summary", explained.summary);
    if (record.is_frame()) {
        json.field("size", static_cast<std::int64_t>(record.size));
        json.field("octets", to_hex(record.content));
        json.key("lines").open_array();
        std::size_t count = 0;
        for (const auto& line : explained.report.lines()) {
            if (++count > lines_max) break;
            json.open_object()
                .field("offset", static_cast<std::int64_t>(line.offset))
                .field("depth", line.depth)
                .field("text", line.text)
                .close_object();
        }
        json.close_array();
    }
    json.close_object();
}

Answer records(Context& context, const Request& request) {
    const auto device = request.device("number");
    trace::Query query{.device = device};
    query.records_max = static_cast<std::size_t>(request.number("limit", limit_default, 1, limit_max));
    const auto after = trace::parse_cursor(request.text("after"));
    if (!after)
        throw Problem{400, "Bad request", "'after' is no cursor: give what the last answer had in 'cursor'."};
    const auto reading = reading_of(traces_of(context, request, device), query, *after);
    Json json;
    json.open_object().field("cursor", to_string(reading.cursor));
    json.field("left_out", static_cast<std::int64_t>(reading.left_out)).key("items").open_array();
    for (const auto& found : reading.records) write(json, found);
    return {.body = json.close_array().close_object().take()};
}

Answer capture(Context& context, const Request& request) {
    const auto device = request.device("number");
    trace::Query query{.device = device};
    query.records_max = capture_limit;
    const auto reading = reading_of(traces_of(context, request, device), query, {});
    std::ostringstream out;
    trace::CaptureFile file{out};
    for (const auto& found : reading.records) file.add(found);
    Answer answer{.body = out.str()};
    answer.type = "application/x-pcapng";
    answer.headers.emplace_back("Content-Disposition",
                                "attachment; filename=\"" + to_string(device) + ".pcapng\"");
    return answer;
}

}  // namespace

void add_trace_routes(std::vector<Route>& routes, Context& context) {
    add_route(routes, context, "GET", "/api/concentrators/{number}/trace", Right::configure, records);
    add_route(routes, context, "GET", "/api/concentrators/{number}/trace.pcapng", Right::configure, capture);
}

}  // namespace wattmesh::headend::console
