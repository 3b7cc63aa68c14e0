#include <algorithm>

#include "headend/console/api.h"
#include "headend/console/live_topology.h"
#include "headend/console/network_json.h"
#include "headend/console/words.h"
#include "protocol/cosem/obis_names.h"
#include "protocol/cosem/units.h"

namespace wattmesh::headend::console {
namespace {

constexpr std::chrono::days curve_span_max{400};

database::MeterLine wanted(Context& context, database::Connection& connection, const Request& request) {
    const auto number = request.device("number");
    auto found = database::MeterReader{connection}.find(number, context.now());
    if (!found)
        throw Problem{
            404, "No such meter",
            "No meter " + to_string(number) + " is registered. 'headend import FILE' registers meters."};
    return std::move(*found);
}

void write_line(Json& json, const database::MeterLine& meter) {
    json.field("number", meter.number)
        .field("role", role_word(meter.role))
        .field("concentrator", meter.direct ? std::nullopt : meter.concentrator)
        .field("reached_over", meter.reached_over)
        .field("road", meter.direct ? "direct" : "mesh");
    json.field("state", meter.direct ? (meter.online ? "online" : "offline") : state_word(meter.place));
    json.key("hops");
    if (meter.place.joined)
        json.value(meter.place.hops);
    else
        json.null();
    json.field("rssi_dbm", meter.place.joined ? meter.place.rssi_dbm : std::nullopt)
        .field("sub_address", meter.place.joined ? meter.place.sub_address : std::nullopt)
        .field("last_interval", meter.last_interval);
}

Answer list_meters(Context& context, const Request& request) {
    auto search = request.text("search");
    std::erase_if(search, [](char c) { return c == ' ' || c == '\t'; });
    const bool digits =
        std::all_of(search.begin(), search.end(), [](char c) { return c >= '0' && c <= '9'; });
    const auto cursor_text = request.text("cursor");
    const auto cursor = cursor_text.empty() ? std::nullopt : DeviceNumber::parse(cursor_text);
    if (!cursor_text.empty() && !cursor)
        throw Problem{400, "Bad request", "'cursor' must be the 'next' of an earlier answer."};
    const int limit = request.number("limit", 50, 1, 500);
    database::MeterPage page;
    if (digits && search.size() <= 12) {
        auto connection = context.lease(request);
        page = database::MeterReader{*connection}.page(search, cursor, limit, context.now());
    }
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& meter : page.meters) {
        json.open_object();
        write_line(json, meter);
        json.close_object();
    }
    json.close_array().key("next");
    if (static_cast<int>(page.meters.size()) == limit)
        json.value(page.meters.back().number);
    else
        json.null();
    json.field("total", page.total).close_object();
    return {.body = json.take()};
}

std::string quality_word(int quality) {
    if (quality == 0) return "good";
    std::string words;
    if (quality & 1) words += "clock doubtful";
    if (quality & 2) words += std::string{words.empty() ? "" : ", "} + "meter status set";
    if (quality & 4) words += std::string{words.empty() ? "" : ", "} + "filled in later";
    return words;
}

void write_latest(Json& json, const std::vector<database::LatestValue>& values) {
    json.key("latest").open_array();
    for (const auto& value : values) {
        auto name = cosem::obis_name_or_code(value.register_);
        if (value.period_s > 0) name += ", last " + std::to_string(value.period_s / 60) + " min";
        json.open_object()
            .field("obis", value.register_)
            .field("name", name)
            .field("value", cosem::scaled(value.value, value.scaler));
        json.field("unit", cosem::unit_name(value.unit)).field("at", value.at);
        json.field("quality", quality_word(value.quality)).field("source", value.source).close_object();
    }
    json.close_array();
}

void write_channels(Json& json, const std::vector<database::ChannelLine>& channels) {
    json.key("channels").open_array();
    for (const auto& channel : channels)
        json.open_object()
            .field("channel", channel.channel)
            .field("obis", channel.register_)
            .field("name", cosem::obis_name_or_code(channel.register_))
            .field("unit", cosem::unit_name(channel.unit))
            .field("scaler", channel.scaler)
            .close_object();
    json.close_array();
}

void write_numbers(Json& json, std::string_view name, const std::vector<DeviceNumber>& numbers) {
    json.key(name).open_array();
    for (const auto& number : numbers) json.value(number);
    json.close_array();
}

/// Where the meter stands in the mesh: as its concentrator sees it now or, when that does not answer, by its
/// newest event.
struct Standing {
    std::optional<DeviceNumber> parent;
    std::optional<std::int64_t> etx_percent;
    std::optional<Instant> last_heard;
    std::vector<DeviceNumber> route, alternative;
};

Standing stored_standing(Context& context, database::MeterReader& reader, const database::MeterLine& meter) {
    Standing standing;
    if (meter.place.known) standing.last_heard = meter.place.at;
    if (!meter.place.joined) return standing;
    standing.parent = meter.place.parent;
    for (auto parent = meter.place.parent; parent && standing.route.size() < 16;) {
        standing.route.insert(standing.route.begin(), *parent);
        const auto next = reader.find(*parent, context.now());
        parent = next ? next->place.parent : std::nullopt;
    }
    return standing;
}

/// Takes over what the concentrator sees, and only that.
void look_live(Context& context, database::MeterLine& meter, Standing& standing) {
    const auto over = meter.reached_over ? meter.reached_over : meter.concentrator;
    const auto node = over && !meter.direct ? live_node(context, *over, meter.number) : std::nullopt;
    if (!node || (node->state != dcu::NodeState::joined && node->state != dcu::NodeState::suspect)) return;
    meter.place.known = meter.place.joined = true;
    meter.place.hops = node->hops;
    meter.place.rssi_dbm = std::nullopt;
    meter.place.sub_address = std::nullopt;
    if (node->sub_address == 0)
        meter.place.rssi_dbm = node->rssi_dbm;
    else
        meter.place.sub_address = node->sub_address;
    standing = {.parent = node->parent == DeviceNumber{} ? std::nullopt : std::optional{node->parent},
                .etx_percent =
                    meter.place.sub_address ? std::nullopt : std::optional<std::int64_t>{node->etx_percent},
                .last_heard = node->last_heard,
                .route = node->route,
                .alternative = node->alternative};
}

Answer one_meter(Context& context, const Request& request) {
    database::MeterLine meter;
    database::MissingMeter today;
    Standing standing;
    Json parts;
    {
        auto connection = context.lease(request);
        meter = wanted(context, *connection, request);
        database::MeterReader reader{*connection};
        today = database::CompletenessReader{*connection}.of_meter(meter.number, interval_profile,
                                                                   context.today(), context.due());
        standing = stored_standing(context, reader, meter);
        parts.open_object();
        write_channels(parts, reader.channels(meter.id, interval_profile, context.now()));
        write_latest(parts, reader.latest(meter.id));
        parts.key("site");
        write(parts, database::NetworkReader{*connection}.site(meter.id));
    }
    look_live(context, meter, standing);
    Json json;
    json.open_object();
    write_line(json, meter);
    json.field("system_title", to_hex(system_title(meter.number).octets)).field("model", meter.model);
    json.field("parent", standing.parent)
        .field("etx_percent", standing.etx_percent)
        .field("last_heard", standing.last_heard);
    write_numbers(json, "route", standing.route);
    write_numbers(json, "alternative", standing.alternative);
    json.key("today")
        .open_object()
        .field("expected", today.expected)
        .field("received", today.received)
        .close_object();
    json.raw(std::string_view{parts.text()}.substr(1)).close_object();
    return {.body = json.take()};
}

/// Every interval end of the grid in (from, to] up to `due`: a hole is a null, and a stored row is never left
/// out.
void write_curve(Json& json, const database::Curve& curve, Instant from, Instant to, Instant due) {
    const Duration period = std::chrono::seconds{curve.period_s};
    std::vector<std::pair<Instant, std::size_t>> points;  // index into the curve, or its size for a hole
    std::size_t next = 0;
    auto at = Instant{from.time_since_epoch() / period * period};
    for (at += period; at <= to; at += period) {
        for (; next < curve.at.size() && curve.at[next] < at; ++next)
            points.emplace_back(curve.at[next], next);
        if (next < curve.at.size() && curve.at[next] == at)
            points.emplace_back(at, next++);
        else if (at <= due)
            points.emplace_back(at, curve.at.size());
    }
    for (; next < curve.at.size(); ++next) points.emplace_back(curve.at[next], next);
    json.key("at").open_array();
    for (const auto& [instant, index] : points)
        json.value(static_cast<std::int64_t>(epoch_us(instant) / 1'000'000));
    json.close_array().key("value").open_array();
    for (const auto& [instant, index] : points) {
        if (index < curve.at.size() && curve.value[index])
            json.value(cosem::scaled(*curve.value[index], curve.channel.scaler));
        else
            json.null();
    }
    json.close_array().key("quality").open_array();
    for (const auto& [instant, index] : points)
        json.value(index < curve.at.size() ? curve.quality[index] : 0);
    json.close_array();
}

Answer curve(Context& context, const Request& request) {
    const auto from = request.instant("from"), to = request.instant("to");
    if (from >= to) throw Problem{400, "Bad request", "'from' must be before 'to'."};
    if (to - from > curve_span_max)
        throw Problem{400, "Bad request", "'from' and 'to' may lie at most 400 days apart."};
    const int channel = request.number("channel", 1, 1, 8);
    auto connection = context.lease(request);
    const auto meter = wanted(context, *connection, request);
    const auto curve =
        database::MeterReader{*connection}.curve(meter.id, interval_profile, channel, from, to);
    if (!curve)
        throw Problem{
            404, "No such channel",
            "The meter's model has no channel " + std::to_string(channel) + " in its load profile."};
    Json json;
    json.open_object()
        .field("meter", meter.number)
        .field("channel", channel)
        .field("obis", curve->channel.register_);
    json.field("name", cosem::obis_name_or_code(curve->channel.register_))
        .field("unit", cosem::unit_name(curve->channel.unit));
    json.field("period_s", curve->period_s).field("from", from).field("to", to);
    write_curve(json, *curve, from, to, context.due());
    json.close_object();
    return {.body = json.take()};
}

std::string event_words(const database::MeterEvent& event) {
    const auto hops = event.hops.value_or(0);
    switch (event.kind) {
        case dcu::EntryKind::meter_joined:
            if (event.sub_address && event.parent)
                return "Found on the wire of collector " + to_string(*event.parent) + ", sub-address " +
                       std::to_string(*event.sub_address) + ", at " + std::to_string(hops) +
                       (hops == 1 ? " hop" : " hops");
            return "Joined the mesh at " + std::to_string(hops) + (hops == 1 ? " hop" : " hops") +
                   (event.parent ? " behind " + to_string(*event.parent) : "");
        case dcu::EntryKind::meter_lost:
            return "Lost from the mesh";
        case dcu::EntryKind::read_failed: {
            auto words =
                "Read failed: " + std::string{event.fault ? dcu::to_string(*event.fault) : "unknown"};
            std::replace(words.begin(), words.end(), '_', ' ');
            return words;
        }
        case dcu::EntryKind::unknown_meter:
            return "Asked to join and is not on the meter list";
        case dcu::EntryKind::pushed:
            return "Pushed by the meter itself";
        case dcu::EntryKind::reported:
            return "Event of the terminal itself, code " +
                   (event.fault ? std::to_string(static_cast<int>(*event.fault)) : "unknown");
        case dcu::EntryKind::power_lost:
            return event.inferred ? "Silent in a power cut around it" : "Said that its power has gone";
        case dcu::EntryKind::power_back:
            return "Has power again";
        case dcu::EntryKind::join_forged:
            return "Somebody asked to join under this number with a wrong key";
        case dcu::EntryKind::meter_cloned:
            return "Two devices answer under this number with its key: both are out of the mesh until it has "
                   "another key";
        case dcu::EntryKind::relay_evicted:
            return "Dropped packets of others as a relay: put out of the mesh, may come back on probation";
        case dcu::EntryKind::meter_deleted:
            return "Silent for a week: its place in the mesh was given up; it may join anew";
        default:
            return "Event " + std::to_string(static_cast<int>(event.kind));
    }
}

std::string_view event_kind(dcu::EntryKind kind) {
    switch (kind) {
        case dcu::EntryKind::meter_joined:
            return "joined";
        case dcu::EntryKind::meter_lost:
            return "lost";
        case dcu::EntryKind::read_failed:
            return "read_failed";
        case dcu::EntryKind::unknown_meter:
            return "unknown_meter";
        case dcu::EntryKind::pushed:
            return "pushed";
        case dcu::EntryKind::reported:
            return "reported";
        case dcu::EntryKind::power_lost:
            return "power_lost";
        case dcu::EntryKind::power_back:
            return "power_back";
        case dcu::EntryKind::meter_deleted:
            return "deleted";
        case dcu::EntryKind::join_forged:
            return "join_forged";
        case dcu::EntryKind::meter_cloned:
            return "cloned";
        case dcu::EntryKind::relay_evicted:
            return "relay_evicted";
        default:
            return "other";
    }
}

Answer events(Context& context, const Request& request) {
    auto connection = context.lease(request);
    const auto meter = wanted(context, *connection, request);
    Json json;
    json.open_object().key("items").open_array();
    for (const auto& event :
         database::MeterReader{*connection}.events(meter.number, request.number("limit", 100, 1, 1000))) {
        json.open_object()
            .field("at", event.at)
            .field("kind", event_kind(event.kind))
            .field("text", event_words(event));
        json.field("clock_doubtful", event.clock_doubtful).field("concentrator", event.concentrator);
        json.field("from", event.from).field("to", event.to).field("received", event.received).close_object();
    }
    json.close_array().close_object();
    return {.body = json.take()};
}

}  // namespace

void add_meter_routes(std::vector<Route>& routes, Context& context) {
    routes.push_back({.method = "GET", .pattern = "/api/meters", .handle = [&](Request& request) {
                          return list_meters(context, request);
                      }});
    routes.push_back({.method = "GET", .pattern = "/api/meters/{number}", .handle = [&](Request& request) {
                          return one_meter(context, request);
                      }});
    routes.push_back({.method = "GET",
                      .pattern = "/api/meters/{number}/curve",
                      .handle = [&](Request& request) { return curve(context, request); }});
    routes.push_back({.method = "GET",
                      .pattern = "/api/meters/{number}/events",
                      .handle = [&](Request& request) { return events(context, request); }});
}

}  // namespace wattmesh::headend::console
