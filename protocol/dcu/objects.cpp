#include "protocol/dcu/objects.h"

#include "protocol/dcu/fields.h"

namespace wattmesh::dcu {
namespace {

constexpr std::size_t wrapped_size_max = 128;
constexpr std::size_t profile_count_max = 16;
constexpr std::size_t backfill_count_max = 1'024;
constexpr std::size_t relay_count_max = 15;

/// A versioned object: structure{uint32 version, array of elements}.
template <class T>
dlms::Data versioned(std::uint32_t version, const std::vector<T>& elements,
                     dlms::Data (*encode_one)(const T&)) {
    std::vector<dlms::Data> encoded;
    encoded.reserve(elements.size());
    for (const auto& element : elements) encoded.push_back(encode_one(element));
    return dlms::structure({version, dlms::array(std::move(encoded))});
}

template <class T>
struct Versioned {
    std::uint32_t version = 0;
    std::vector<T> elements;
};

template <class T>
Result<Versioned<T>> versioned_from(const dlms::Data& data, std::size_t count_max,
                                    Result<T> (*decode_one)(const dlms::Data&)) {
    Fields fields{data};
    Versioned<T> object;
    object.version = fields.number<std::uint32_t>();
    const auto* elements = fields.array(count_max);
    if (!fields.done()) return fields.error();
    auto decoded = decode_each<T>(*elements, decode_one);
    if (!decoded) return decoded.error();
    object.elements = *std::move(decoded);
    return object;
}

dlms::Data encode_meter(const ListedMeter& meter) {
    const auto role = dlms::Enum{static_cast<std::uint8_t>(meter.role)};
    const auto& lease = meter.lease;
    if (lease == MeterLease{}) return dlms::structure({dlms::octet_string(meter.number.bcd), role});
    return dlms::structure({dlms::octet_string(meter.number.bcd), role, lease.term, lease.join_counter,
                            static_cast<std::uint8_t>(lease.here ? 1 : 0), instant_data(lease.stored_to)});
}

Result<ListedMeter> decode_meter(const dlms::Data& data) {
    Fields fields{data};
    ListedMeter meter;
    meter.number.bcd = fields.octets<6>();
    meter.role = static_cast<MeterRole>(fields.number<std::uint8_t>());
    if (meter.role > MeterRole::collector) fields.fail(Fault::bad_value);
    if (fields.more()) {
        meter.lease.term = fields.number<std::uint32_t>();
        meter.lease.join_counter = fields.number<std::uint32_t>();
        const auto here = fields.number<std::uint8_t>();
        if (here > 1) fields.fail(Fault::bad_value);
        meter.lease.here = here == 1;
        meter.lease.stored_to = fields.instant();
    }
    if (!fields.done()) return fields.error();
    return meter;
}

dlms::Data encode_keys(const WrappedMeterKeys& keys) {
    return dlms::structure({dlms::octet_string(keys.number.bcd), dlms::octet_string(keys.wrapped)});
}

Result<WrappedMeterKeys> decode_keys(const dlms::Data& data) {
    Fields fields{data};
    WrappedMeterKeys keys;
    keys.number.bcd = fields.octets<6>();
    keys.wrapped = to_buffer(fields.octets(wrapped_size_max));
    if (!fields.done()) return fields.error();
    return keys;
}

dlms::Data encode_profile(const PlannedProfile& profile) {
    return dlms::structure({dlms::octet_string(profile.profile), profile.period_s, profile.delay_s,
                            profile.depth_s, profile.rows_max});
}

Result<PlannedProfile> decode_profile(const dlms::Data& data) {
    Fields fields{data};
    PlannedProfile profile;
    profile.profile.groups = fields.octets<6>();
    profile.period_s = fields.number<std::uint32_t>();
    if (fields.ok() && (profile.period_s < 60 || profile.period_s > 86'400)) fields.fail(Fault::bad_value);
    profile.delay_s = fields.number<std::uint32_t>();
    profile.depth_s = fields.number<std::uint32_t>();
    profile.rows_max = fields.number<std::uint8_t>();
    if (fields.ok() && profile.rows_max == 0) fields.fail(Fault::bad_value);
    if (!fields.done()) return fields.error();
    return profile;
}

dlms::Data encode_range(const BackfillRange& range) {
    return dlms::structure({dlms::octet_string(range.number.bcd), dlms::octet_string(range.profile),
                            instant_data(range.from), instant_data(range.to)});
}

Result<BackfillRange> decode_range(const dlms::Data& data) {
    Fields fields{data};
    BackfillRange range;
    range.number.bcd = fields.octets<6>();
    range.profile.groups = fields.octets<6>();
    range.from = fields.instant();
    range.to = fields.instant();
    if (fields.ok() && range.to < range.from) fields.fail(Fault::bad_value);
    if (!fields.done()) return fields.error();
    return range;
}

dlms::Data encode_route(const std::vector<DeviceNumber>& relays) {
    std::vector<dlms::Data> hops;
    hops.reserve(relays.size());
    for (const auto& relay : relays) hops.push_back(dlms::octet_string(relay.bcd));
    return dlms::array(std::move(hops));
}

std::vector<DeviceNumber> decode_route(Fields& fields) {
    std::vector<DeviceNumber> route;
    const auto* hops = fields.array(relay_count_max);
    for (std::size_t i = 0; fields.ok() && i < hops->size(); ++i) {
        const auto octets = (*hops)[i].octets();
        DeviceNumber relay;
        if (octets.size() != relay.bcd.size()) {
            fields.fail(Fault::bad_value);
        } else {
            std::copy(octets.begin(), octets.end(), relay.bcd.begin());
            route.push_back(relay);
        }
    }
    return route;
}

Result<TopologyNode> decode_node(const dlms::Data& data) {
    Fields fields{data};
    TopologyNode node;
    node.number.bcd = fields.octets<6>();
    node.state = static_cast<NodeState>(fields.number<std::uint8_t>());
    if (node.state > NodeState::deleted) fields.fail(Fault::bad_value);
    node.short_address = fields.number<std::uint16_t>();
    node.parent.bcd = fields.octets<6>();
    node.hops = fields.number<std::uint8_t>();
    node.rssi_dbm = fields.number<std::int8_t>();
    node.etx_percent = fields.number<std::uint32_t>();
    node.last_heard = fields.instant();
    node.route = decode_route(fields);
    node.alternative = decode_route(fields);
    if (fields.more()) node.sub_address = fields.number<std::uint8_t>();
    if (!fields.done()) return fields.error();
    return node;
}

}  // namespace

dlms::Data to_data(const MeterList& list) { return versioned(list.version, list.meters, encode_meter); }

Result<MeterList> meter_list_from_data(const dlms::Data& data) {
    auto object = versioned_from<ListedMeter>(data, meter_list_size_max, decode_meter);
    if (!object) return object.error();
    return MeterList{object->version, std::move(object->elements)};
}

dlms::Data to_data(const WrappedKeys& keys) { return versioned(keys.version, keys.meters, encode_keys); }

Result<WrappedKeys> wrapped_keys_from_data(const dlms::Data& data) {
    auto object = versioned_from<WrappedMeterKeys>(data, meter_list_size_max, decode_keys);
    if (!object) return object.error();
    return WrappedKeys{object->version, std::move(object->elements)};
}

dlms::Data to_data(const ReadingPlan& plan) { return versioned(plan.version, plan.profiles, encode_profile); }

Result<ReadingPlan> reading_plan_from_data(const dlms::Data& data) {
    auto object = versioned_from<PlannedProfile>(data, profile_count_max, decode_profile);
    if (!object) return object.error();
    return ReadingPlan{object->version, std::move(object->elements)};
}

dlms::Data to_data(const Limits& limits) {
    return dlms::structure(
        {limits.version, limits.journal_entries_max, limits.heartbeat_s, limits.transactions_max});
}

Result<Limits> limits_from_data(const dlms::Data& data) {
    Fields fields{data};
    Limits limits;
    limits.version = fields.number<std::uint32_t>();
    limits.journal_entries_max = fields.number<std::uint32_t>();
    if (fields.ok() && limits.journal_entries_max < 1'000) fields.fail(Fault::bad_value);
    limits.heartbeat_s = fields.number<std::uint16_t>();
    if (fields.ok() && (limits.heartbeat_s < 5 || limits.heartbeat_s > 900)) fields.fail(Fault::bad_value);
    limits.transactions_max = fields.number<std::uint8_t>();
    if (fields.ok() && limits.transactions_max == 0) fields.fail(Fault::bad_value);
    if (!fields.done()) return fields.error();
    return limits;
}

dlms::Data to_data(const Backfill& backfill) {
    return versioned(backfill.version, backfill.ranges, encode_range);
}

Result<Backfill> backfill_from_data(const dlms::Data& data) {
    auto object = versioned_from<BackfillRange>(data, backfill_count_max, decode_range);
    if (!object) return object.error();
    return Backfill{object->version, std::move(object->elements)};
}

std::string_view to_string(NodeState state) {
    switch (state) {
        case NodeState::unseen:
            return "unseen";
        case NodeState::joining:
            return "joining";
        case NodeState::joined:
            return "joined";
        case NodeState::suspect:
            return "suspect";
        case NodeState::offline:
            return "offline";
        case NodeState::parked:
            return "parked";
        case NodeState::dark:
            return "dark";
        case NodeState::deleted:
            return "deleted";
    }
    return "unknown";
}

dlms::Data to_data(const TopologyNode& node) {
    auto fields = dlms::structure(
        {dlms::octet_string(node.number.bcd), dlms::Enum{static_cast<std::uint8_t>(node.state)},
         node.short_address, dlms::octet_string(node.parent.bcd), node.hops, node.rssi_dbm, node.etx_percent,
         instant_data(node.last_heard), encode_route(node.route), encode_route(node.alternative)});
    if (node.sub_address != 0)
        std::get<dlms::Structure>(fields.value).elements.emplace_back(node.sub_address);
    return fields;
}

Result<std::vector<TopologyNode>> topology_from_data(const dlms::Data& array) {
    const auto* nodes = array.as<dlms::Array>();
    if (nodes == nullptr) return Error{Fault::bad_tag, 0};
    if (nodes->elements.size() > 2 * meter_list_size_max)
        return Error{Fault::too_long, 2 * meter_list_size_max};
    return decode_each<TopologyNode>(nodes->elements, decode_node);
}

dlms::Data to_data(const Statistics& statistics) {
    return dlms::structure({statistics.reads, statistics.reads_first_try, statistics.reads_alternative,
                            statistics.reads_failed, statistics.frames_sent, statistics.frames_received,
                            statistics.frames_refused});
}

Result<Statistics> statistics_from_data(const dlms::Data& data) {
    Fields fields{data};
    Statistics statistics;
    for (auto* counter : {&statistics.reads, &statistics.reads_first_try, &statistics.reads_alternative,
                          &statistics.reads_failed, &statistics.frames_sent, &statistics.frames_received,
                          &statistics.frames_refused})
        *counter = fields.u64();
    if (!fields.done()) return fields.error();
    return statistics;
}

}  // namespace wattmesh::dcu
