#include <algorithm>
#include <cmath>

#include "headend/console/api.h"
#include "headend/console/json.h"
#include "headend/database/read_figures.h"
#include "platform/figures.h"

namespace wattmesh::headend::console {
namespace {

using database::Figure;

Figure gauge(const char* name, const char* help, double value) { return {name, help, {{{}, value}}, false}; }

/// Of this process and its machine.
void add_machine(std::vector<Figure>& figures, const std::string& folder) {
    if (const auto own = platform::process_figures()) {
        figures.push_back(
            {"process_cpu_seconds_total", "CPU time of the head-end", {{{}, own->cpu_s}}, true});
        figures.push_back(gauge("process_resident_memory_bytes", "Memory of the head-end",
                                static_cast<double>(own->resident_bytes)));
        figures.push_back(gauge("process_threads", "Threads of the head-end", own->threads));
    }
    if (const auto host = platform::host_figures()) {
        figures.push_back(
            gauge("wattmesh_host_load_1min", "Runnable tasks, mean of a minute", host->load_1min));
        figures.push_back(gauge("wattmesh_host_memory_bytes", "Memory of the machine",
                                static_cast<double>(host->memory_bytes)));
        figures.push_back(gauge("wattmesh_host_memory_available_bytes", "Memory that is left",
                                static_cast<double>(host->memory_available_bytes)));
    }
    if (const auto disk = platform::disk_figures(folder)) {
        figures.push_back(gauge("wattmesh_disk_bytes", "Size of the file system of the head-end's folder",
                                static_cast<double>(disk->bytes)));
        figures.push_back(gauge("wattmesh_disk_available_bytes", "What is left of the file system",
                                static_cast<double>(disk->available_bytes)));
    }
}

std::vector<Figure> figures_of(Context& context) {
    std::vector<Figure> figures;
    bool answers = true;
    try {
        auto connection = context.lease(database::Scope::everything());
        figures = database::FigureReader{*connection}.all(context.now());
    } catch (const database::DatabaseError& error) {
        answers = false;  // that is what a monitoring system wants to hear, not silence
        figures.clear();
        context.log("warning", std::string{"metrics without the database: "} + error.what());
    }
    figures.insert(figures.begin(),
                   gauge("wattmesh_database_up", "1 while the database answers", answers ? 1 : 0));
    add_machine(figures, context.settings.pages.empty() ? "/" : context.settings.pages);
    return figures;
}

/// Prometheus text exposition format 0.0.4: backslash, quote and line feed are escaped in label values.
std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '\n') {
            result += "\\n";
            continue;
        }
        if (c == '\\' || c == '"') result += '\\';
        result += c;
    }
    return result;
}

std::string number(double value) {
    if (value == std::floor(value) && std::abs(value) < 9e15)
        return std::to_string(static_cast<std::int64_t>(value));
    return std::to_string(value);
}

std::string exposition(const std::vector<Figure>& figures) {
    std::string text;
    for (const auto& figure : figures) {
        if (figure.samples.empty()) continue;
        text += "# HELP " + figure.name + " " + figure.help + "\n# TYPE " + figure.name +
                (figure.counter ? " counter\n" : " gauge\n");
        for (const auto& sample : figure.samples) {
            text += figure.name;
            std::string labels;
            for (const auto& [name, value] : sample.labels)
                labels += (labels.empty() ? "{" : ",") + name + "=\"" + escaped(value) + "\"";
            text += labels + (labels.empty() ? " " : "} ") + number(sample.value) + "\n";
        }
    }
    return text;
}

bool sees_everything(const Caller& caller) {
    return caller.may(database::Right::look) &&
           caller.user.scope(database::Right::look) == database::Scope::of(caller.user.tenant);
}

/// From this machine, when that is allowed, or by a program whose token may see the whole tenant.
void check_reader(const Context& context, Access& access, const Request& request) {
    const bool here = request.remote == "127.0.0.1" || request.remote == "::1";
    if (here && context.settings.metrics_loopback && request.bearer.empty()) return;
    const auto caller = request.bearer.empty() ? std::nullopt : access.identify_program(request.bearer);
    if (!caller) throw Problem{401, "Not signed in", "Send an API token: Authorization: Bearer wm_..."};
    if (!sees_everything(*caller))
        throw Problem{403, "Not allowed", "The token's owner must be allowed to look at the whole utility."};
}

Answer system(Context& context, const Request& request) {
    if (!sees_everything(*request.caller))
        throw Problem{403, "Not allowed", "This is for those who may look at the whole utility."};
    Json json;
    json.open_object().key("figures").open_array();
    for (const auto& figure : figures_of(context)) {
        json.open_object().field("name", figure.name).field("help", figure.help);
        json.field("counter", figure.counter).key("samples").open_array();
        for (const auto& sample : figure.samples) {
            json.open_object().key("labels").open_object();
            for (const auto& [name, value] : sample.labels) json.field(name, value);
            json.close_object().field("value", sample.value).close_object();
        }
        json.close_array().close_object();
    }
    return {.body = json.close_array().close_object().take()};
}

}  // namespace

void add_metrics_routes(std::vector<Route>& routes, Context& context, Access& access) {
    routes.push_back(
        {.method = "GET", .pattern = "/metrics", .open = true, .handle = [&](Request& request) -> Answer {
             check_reader(context, access, request);
             return {.body = exposition(figures_of(context)),
                     .type = "text/plain; version=0.0.4; charset=utf-8"};
         }});
    add_route(routes, context, "GET", "/api/system", database::Right::look, system);
}

}  // namespace wattmesh::headend::console
