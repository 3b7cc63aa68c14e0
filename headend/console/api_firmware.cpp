#include "headend/console/api.h"
#include "headend/console/job_json.h"
#include "headend/console/relay_gate.h"
#include "headend/monitor/firmware_orders.h"
#include "security/base64.h"
#include "security/ciphers.h"

namespace wattmesh::headend::console {
namespace {

using database::Firmware;
using database::FirmwareImageId;
using database::Right;
using monitor::FirmwareAsker;
using monitor::FirmwareRefused;
constexpr std::size_t firmware_body_max = 1'024 * 1'024;  // 720 KiB in base64
constexpr auto distribution_deadline = std::chrono::hours{7 * 24},
               activation_deadline = std::chrono::hours{24 * 31};

void write(Json& json, const database::FirmwareImage& image) {
    json.open_object().field("id", std::int64_t{image.id.value}).field("model", image.model);
    json.field("version", image.version).field("size", image.size).field("sha256", to_hex(image.digest));
    json.field("vendor", image.vendor_name).field("uploaded", image.uploaded);
    json.field("uploaded_by", image.uploaded_by).field("reason", image.reason).close_object();
}

void write(Json& json, const database::FirmwareMeter& meter) {
    json.open_object().field("meter", meter.meter).field("concentrator", meter.concentrator);
    json.field("state", meter.state).field("blocks", meter.blocks).field("missing", meter.missing);
    json.field("trouble", meter.trouble).field("told", meter.told).field("running", meter.running);
    json.field("running_read", meter.running_read).close_object();
}

/// What holds for all meters of the utility needs the right in all of it.
void check_whole_utility(const Request& request) {
    if (request.scope != database::Scope::of(request.caller->user.tenant))
        throw Problem{403, "Not allowed",
                      "Firmware images hold for the whole utility: this needs the role engineer in it."};
}

Answer refuse_firmware(const FirmwareRefused& error) {
    using Why = FirmwareRefused::Why;
    if (error.why == Why::unknown) throw Problem{404, "Unknown image", error.what()};
    if (error.why == Why::conflict) throw Problem{409, "Not now", error.what()};
    throw Problem{400, "Refused", error.what()};
}

FirmwareAsker asker_of(const Request& request, const JsonBody& body) {
    return {request.caller->user.tenant, request.caller->name(), body.text("reason", 200)};
}

Answer list_images(Context& context, const Request& request) {
    auto connection = context.lease(request);
    Firmware firmware{*connection};
    Json json;
    json.open_object().key("images").open_array();
    for (const auto& image : firmware.images(request.caller->user.tenant)) write(json, image);
    json.close_array().key("vendors").open_array();
    for (const auto& vendor : firmware.vendors(request.caller->user.tenant))
        json.open_object()
            .field("name", vendor.name)
            .field("public_key", to_hex(vendor.public_key))
            .field("added", vendor.added)
            .field("added_by", vendor.added_by)
            .close_object();
    return {.body = json.close_array().close_object().take()};
}

Answer trust_vendor(Context& context, const Request& request) {
    check_whole_utility(request);
    const JsonBody body{request.body};
    auto connection = context.lease(request);
    try {
        monitor::add_firmware_vendor(*connection, asker_of(request, body), body.text("name", 60),
                                     body.text("public_key", 128), context.now());
    } catch (const FirmwareRefused& error) {
        return refuse_firmware(error);
    }
    return {.status = 201, .body = "{}"};
}

Answer upload_image(Context& context, const Request& request) {
    check_whole_utility(request);
    const JsonBody body{request.body};
    const auto file = security::from_base64(body.text("file", firmware_body_max));
    if (!file) throw Problem{400, "Bad request", "'file' must be the image file in base64."};
    auto connection = context.lease(request);
    security::OpensslCiphers ciphers;
    Json json;
    try {
        write(json, monitor::keep_firmware_image(*connection, ciphers, asker_of(request, body), *file,
                                                 context.now()));
    } catch (const FirmwareRefused& error) {
        return refuse_firmware(error);
    }
    return {.status = 201, .body = json.take()};
}

/// Sends an image to meters, or has them run what they hold.
Answer order_image(Context& context, const Request& request, bool activates) {
    const JsonBody body{request.body};
    const FirmwareImageId image{body.number_or("image", 1, 2'000'000'000, 0)};
    auto connection = context.lease(request);
    const auto meters = numbers_of(subjects_of(*connection, body));
    database::Job job;
    job.scope = request.scope;
    job.created = context.now();
    job.deadline = job.created + (activates ? activation_deadline : distribution_deadline);
    job.state = gated(context, meters.size());
    Instant at = job.created;
    if (activates && body.has("at")) {
        const auto wanted = parse_iso(body.text("at", 40));
        if (!wanted) throw Problem{400, "Bad request", "'at' must be an instant like 2026-11-24T02:00:00Z."};
        at = *wanted;
    }
    Json json;
    try {
        const auto asker = asker_of(request, body);
        const auto id = activates ? monitor::order_activation(*connection, asker, job, image, meters, at)
                                  : monitor::order_firmware(*connection, asker, job, image, meters);
        write(json, database::Jobs{*connection}.find(id).value());
        return {.status = 202,
                .body = json.take(),
                .headers = {{"Location", "/api/jobs/" + std::to_string(id.value)}}};
    } catch (const FirmwareRefused& error) {
        return refuse_firmware(error);
    }
}

Answer order_distribution(Context& context, const Request& request) {
    return order_image(context, request, false);
}
Answer order_activation(Context& context, const Request& request) {
    return order_image(context, request, true);
}

Answer show_order(Context& context, const Request& request) {
    auto connection = context.lease(request);
    const auto job = wanted_job(*connection, request);
    Firmware firmware{*connection};
    const auto image = firmware.image_of(job.id);
    if (!image) throw Problem{404, "No firmware order", "This job distributes no firmware."};
    Json json;
    json.open_object().key("job");
    write(json, job);
    json.key("image");
    write(json, *image);
    json.key("states").open_object();
    for (const auto& count : firmware.counts(job.id)) json.field(count.state, count.meters);
    json.close_object().key("concentrators").open_array();
    for (const auto& supply : firmware.supplies(job.id)) {
        json.open_object().field("concentrator", supply.concentrator).field("state", supply.state);
        json.field("blocks_done", supply.blocks_done).field("blocks", supply.blocks);
        json.field("reason", supply.reason).close_object();
    }
    json.close_array().key("meters").open_array();
    const auto after = DeviceNumber::parse(request.text("after"));
    const auto found = firmware.meters(job.id, request.text("state"), after.value_or(DeviceNumber{}),
                                       request.number("limit", 200, 1, 1000));
    for (const auto& meter : found) write(json, meter);
    return {.body = json.close_array().close_object().take()};
}

Answer firmware_of_meter(Context& context, const Request& request) {
    const auto number = request.device("number");
    auto connection = context.lease(request);
    const auto meter = Firmware{*connection}.of_meter(number);
    if (!meter) throw Problem{404, "Unknown meter", "The head-end has no meter " + to_string(number) + "."};
    Json json;
    write(json, *meter);
    return {.body = json.take()};
}

}  // namespace

void add_firmware_routes(std::vector<Route>& routes, Context& context) {
    add_route(routes, context, "GET", "/api/firmware", Right::look, list_images);
    add_route(routes, context, "POST", "/api/firmware/vendors", Right::configure, trust_vendor);
    add_route(routes, context, "POST", "/api/firmware/images", Right::configure, upload_image).body_size_max =
        firmware_body_max;
    add_route(routes, context, "POST", "/api/firmware/orders", Right::configure, order_distribution)
        .body_size_max = 256 * 1024;  // ten thousand numbers
    add_route(routes, context, "POST", "/api/firmware/activations", Right::configure, order_activation)
        .body_size_max = 256 * 1024;
    add_route(routes, context, "GET", "/api/firmware/orders/{id}", Right::look, show_order);
    add_route(routes, context, "GET", "/api/meters/{number}/firmware", Right::look, firmware_of_meter);
}

}  // namespace wattmesh::headend::console
