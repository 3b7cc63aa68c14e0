#include <algorithm>
#include <atomic>
#include <future>
#include <memory>

#include "headend/console/api.h"
#include "headend/console/data_text.h"
#include "headend/console/json_body.h"
#include "headend/console/live_topology.h"
#include "headend/console/words.h"
#include "protocol/cosem/obis_names.h"
#include "protocol/cosem/units.h"

namespace wattmesh::headend::console {
namespace {

struct Fault {
    std::string_view word;
    int status;
    std::string_view words;
};
constexpr Fault faults[] = {
    {"offline", 503, "The meter's concentrator is not connected. Try again when it has called in."},
    {"unavailable", 503, "The database does not answer now. Try again shortly."},
    {"unknown_meter", 404, "The head-end has no such meter."},
    {"no_concentrator", 409, "The meter is assigned to no concentrator."},
    {"no_key", 409, "The head-end holds no keys for this meter. 'headend import' registers them."},
    {"no_certificate", 409,
     "The meter's association needs certificates, and the meter's or the head-end's is missing or out of "
     "date. "
     "'headend ca import' and 'headend ca own' bring them."},
    {"not_joined", 504, "The meter is not in the mesh now. It is asked again as soon as it joins."},
    {"unreachable", 504,
     "The mesh could not reach the meter, nor by the alternative route. Try again in a minute."},
    {"no_answer", 504, "The meter did not answer in time. Try again."},
    {"busy", 503, "The meter's concentrator has too many reads open. Try again in some seconds."},
    {"refused", 502, "The meter refused the request: it has no such object, or gives it to no one."},
    {"not_authentic", 502, "The answer was not authentic and was thrown away. Check the meter's keys."},
    {"malformed", 502, "The meter's answer could not be understood."},
};

Problem problem_of(const std::string& word, DeviceNumber meter) {
    const auto name = "Meter " + to_string(meter) + " was not read";
    for (const auto& fault : faults)
        if (fault.word == word) return {fault.status, name, std::string{fault.words}};
    auto words = word;
    std::replace(words.begin(), words.end(), '_', ' ');
    return {502, name, "The read failed: " + words + "."};
}

/// Counts the reads that are open.
class Slot {
public:
    explicit Slot(std::atomic<int>& open, int most) : open_(open) {
        if (++open_ > most) {
            --open_;
            throw Problem{503, "Too many reads",
                          "Too many meters are being read at once. Try again in some seconds.", 5};
        }
    }
    ~Slot() { --open_; }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

private:
    std::atomic<int>& open_;
};

std::vector<DeviceNumber> route_to(database::MeterReader& reader, const database::MeterLine& meter,
                                   Instant now) {
    std::vector<DeviceNumber> route;
    for (auto parent = meter.place.joined ? meter.place.parent : std::nullopt; parent && route.size() < 16;) {
        route.insert(route.begin(), *parent);
        const auto next = reader.find(*parent, now);
        parent = next ? next->place.parent : std::nullopt;
    }
    return route;
}

LiveValue read_now(Context& context, DeviceNumber meter, const dlms::AttributeId& attribute) {
    auto promise = std::make_shared<std::promise<LiveValue>>();
    auto future = promise->get_future();
    context.reads.read(meter, attribute,
                       [promise](LiveValue value) { promise->set_value(std::move(value)); });
    if (future.wait_for(context.settings.read_timeout) == std::future_status::ready) return future.get();
    LiveValue late;
    late.fault = "no_answer";
    return late;
}

void write_answer(Json& json, const dlms::AttributeId& attribute, const LiveValue& answer) {
    const auto integer = answer.value.integer();
    json.key("value");
    if (integer && attribute.class_id != 1)
        json.value(cosem::scaled(*integer, answer.scaler.value_or(0)));
    else
        json.null();
    json.field("unit", cosem::unit_name(answer.unit.value_or(255))).field("text", data_text(answer.value));
}

Answer read(Context& context, std::atomic<int>& open, const Request& request) {
    const auto number = request.device("number");
    const JsonBody body{request.body};
    const auto code = ObisCode::parse(body.text("obis", 32));
    if (!code) throw Problem{400, "Bad request", "'obis' must be a code like 1-0:1.8.0 or 1-0:1.8.0*255."};
    const dlms::AttributeId attribute{
        .class_id = static_cast<std::uint16_t>(body.number_or("class", 1, 65535, cosem::usual_class(*code))),
        .object = *code,
        .attribute = static_cast<std::int8_t>(body.number_or("attribute", 1, 127, 2))};
    const auto why = body.text_or("reason", 200, "asked in the console");
    const auto who = request.caller->name();
    const Slot slot{open, context.settings.reads_max};
    std::vector<DeviceNumber> route;
    std::optional<DeviceNumber> concentrator;
    {
        auto connection = context.lease(request);
        database::MeterReader reader{*connection};
        const auto meter = reader.find(number, context.now());
        if (!meter) throw problem_of("unknown_meter", number);
        concentrator = meter->reached_over ? meter->reached_over : meter->concentrator;
        route = route_to(reader, *meter, context.now());
        // written before the act: what was asked for stands in the log even if the answer never comes
        database::AuditRecord record{{},
                                     who,
                                     "read",
                                     to_string(number),
                                     to_string(*code) + " attribute " + std::to_string(attribute.attribute)};
        record.reason = why;
        record.tenant = request.caller->user.tenant;
        context.audit(*connection, record);
    }
    const auto asked = context.now();
    const auto answer = read_now(context, number, attribute);
    if (!answer.ok) throw problem_of(answer.fault, number);
    const auto took = answer.took > Duration{} ? answer.took : context.now() - asked;
    if (const auto node = concentrator ? live_node(context, *concentrator, number) : std::nullopt)
        route = node->route;
    Json json;
    json.open_object()
        .field("meter", number)
        .field("obis", *code)
        .field("name", cosem::obis_name_or_code(*code));
    json.field("class", static_cast<int>(attribute.class_id))
        .field("attribute", static_cast<int>(attribute.attribute));
    write_answer(json, attribute, answer);
    json.field("milliseconds", static_cast<std::int64_t>(took / std::chrono::milliseconds{1}))
        .key("route")
        .open_array();
    for (const auto& relay : route) json.value(relay);
    json.close_array().field("at", context.now()).close_object();
    return {.body = json.take()};
}

}  // namespace

void add_read_routes(std::vector<Route>& routes, Context& context) {
    auto open = std::make_shared<std::atomic<int>>(0);
    routes.push_back(
        {.method = "POST",
         .pattern = "/api/meters/{number}/read",
         .right = database::Right::read,
         .handle = [&context, open](Request& request) { return read(context, *open, request); }});
}

}  // namespace wattmesh::headend::console
