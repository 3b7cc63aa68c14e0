#include "concentrator/uplink/logical_device.h"

#include <algorithm>

#include "protocol/dlms/date_time.h"
#include "protocol/dlms/profile_select.h"

namespace wattmesh::concentrator {
namespace {

using dlms::AccessResult;
namespace o = dcu::objects;

constexpr std::uint16_t class_data = 1, class_profile = 7, class_clock = 8, class_association = 15,
                        class_image = 18;
constexpr ObisCode column(std::uint8_t n) { return {{0, 128, 99, 4, n, 255}}; }

bool is_journal(const ObisCode& code) {
    auto any = code;
    any.groups[4] = o::journal(0).groups[4];
    return any == o::journal(0);
}

dlms::Data directory_data(const Directory& directory) {
    std::vector<dlms::Data> lines;
    for (const auto& info : directory) lines.push_back(dcu::to_data(info));
    return dlms::array(std::move(lines));
}

std::uint32_t entries_in_use(const dcu::JournalInfo& info) {
    return static_cast<std::uint32_t>(info.last.value + 1 - std::min(info.first.value, info.last.value + 1));
}

/// Which entries a selection means: those after `after`, `count` of them.
struct Slice {
    Sequence after;
    std::uint32_t count = 0;
};
std::optional<Slice> slice(const dlms::ResolvedSelection& selection, const dcu::JournalInfo& info) {
    std::uint64_t from = std::max<std::uint64_t>(info.first.value, 1), to = info.last.value;
    if (selection.range) {
        if (selection.range->column != 0) return std::nullopt;  // only by sequence
        if (selection.range->from)
            from = std::max<std::uint64_t>(
                from, static_cast<std::uint64_t>(std::max<std::int64_t>(selection.range->from->value, 1)));
        if (selection.range->to)
            to = std::min<std::uint64_t>(
                to, static_cast<std::uint64_t>(std::max<std::int64_t>(selection.range->to->value, 0)));
    } else {
        const std::uint64_t in_use = entries_in_use(info);
        const std::uint64_t first = std::min(selection.entry_from, in_use + 1);
        const std::uint64_t last = std::min(selection.entry_to, in_use);
        to = from + last - 1;
        from = from + first - 1;
    }
    if (to < from) return Slice{Sequence{from - 1}, 0};
    return Slice{Sequence{from - 1},
                 static_cast<std::uint32_t>(std::min<std::uint64_t>(to - from + 1, journal_rows_max))};
}

dlms::Data listed(std::uint16_t class_id, const ObisCode& code, std::uint8_t attributes) {
    std::vector<dlms::Data> access;
    for (std::uint8_t i = 1; i <= attributes; ++i) {
        access.push_back(dlms::structure({static_cast<std::int8_t>(i), dlms::Enum{1}, dlms::Null{}}));
    }
    return dlms::structure(
        {class_id, std::uint8_t{class_id == class_profile ? std::uint8_t{1} : std::uint8_t{0}},
         dlms::octet_string(code), dlms::structure({dlms::array(std::move(access)), dlms::array({})})});
}

}  // namespace

std::vector<dlms::CaptureObject> journal_columns() {
    return {{class_data, o::journal_sequence, 2, 0},
            {class_data, column(1), 2, 0},
            {class_data, column(2), 2, 0},
            {class_clock, obis::clock, 2, 0},
            {class_data, column(3), 2, 0}};
}

LogicalDevice::LogicalDevice(DeviceNumber number, JournalStore& store, VersionedObjects& objects,
                             DevicePorts ports)
    : number_(number), store_(store), objects_(objects), ports_(std::move(ports)) {}

void LogicalDevice::get(const dlms::AttributeId& id, const dlms::Selection& selection, Sap, Instant,
                        ReadDone done) {
    const bool has_class = id.class_id == class_profile       ? is_journal(id.object)
                           : id.class_id == class_clock       ? id.object == obis::clock
                           : id.class_id == class_association ? id.object == obis::current_association
                           : id.class_id == class_image       ? id.object == o::firmware_image
                                                              : id.class_id == class_data;
    if (!has_class) return done(AccessResult::object_undefined);
    if (id.attribute == 1) return done(dlms::octet_string(id.object));
    if (id.class_id == class_profile) return get_journal(id, selection, std::move(done));
    if (!std::holds_alternative<std::monostate>(selection))
        return done(AccessResult::scope_of_access_violated);
    if (id.class_id == class_clock) return done(clock(id.attribute));
    if (id.class_id == class_image) return done(ports_.images->get(id.attribute));
    if (id.attribute != 2) return done(AccessResult::object_undefined);
    if (id.class_id == class_association) return done(object_list());
    get_data(id.object, std::move(done));
}

void LogicalDevice::get_data(const ObisCode& object, ReadDone done) {
    if (VersionedObjects::is_one(object)) return done(objects_.get(object));
    if (object == obis::logical_device_name)
        return done(dlms::octet_string(as_bytes("WMT" + to_string(number_))));
    if (object == o::statistics) return done(dcu::to_data(ports_.statistics()));
    if (object == o::uplink_state) return done(dcu::to_data(ports_.uplink()));
    if (object == o::backfill) return done(AccessResult::read_write_denied);
    if (object == o::topology) {
        std::vector<dlms::Data> nodes;
        for (const auto& node : ports_.topology()) nodes.push_back(dcu::to_data(node));
        return done(dlms::array(std::move(nodes)));
    }
    if (object == o::certificate_request) {
        const Buffer request = ports_.certificate_request();
        if (request.empty()) return done(AccessResult::temporary_failure);
        return done(dlms::octet_string(request));
    }
    if (object != o::journal_directory) return done(AccessResult::object_undefined);
    store_.directory([done = std::move(done)](const std::optional<Directory>& directory) {
        if (!directory) return done(AccessResult::temporary_failure);
        done(directory_data(*directory));
    });
}

dlms::ReadOutcome LogicalDevice::clock(std::int8_t attribute) const {
    const auto [utc, doubtful] = ports_.time();
    const std::uint8_t status = doubtful ? dlms::clock_status::doubtful : std::uint8_t{0};
    if (attribute == 2) return dlms::date_time_octets({utc, 0, status});
    if (attribute == 3) return dlms::Data{std::int16_t{0}};
    if (attribute == 4) return dlms::Data{status};
    return AccessResult::object_undefined;
}

void LogicalDevice::get_journal(const dlms::AttributeId& id, const dlms::Selection& selection,
                                ReadDone done) {
    if (id.attribute == 3) {
        std::vector<dlms::Data> columns;
        for (const auto& captured : journal_columns()) columns.push_back(dlms::to_data(captured));
        return done(dlms::array(std::move(columns)));
    }
    if (id.attribute == 4) return done(dlms::Data{std::uint32_t{0}});
    if (id.attribute == 5) return done(dlms::Data{dlms::Enum{1}});  // fifo
    if (id.attribute == 6) return done(dlms::to_data(journal_columns().front()));
    if (id.attribute == 8) return done(dlms::Data{objects_.limits().journal_entries_max});
    if (id.attribute != 2 && id.attribute != 7) return done(AccessResult::object_undefined);
    auto resolved = dlms::resolve(selection, journal_columns());
    if (const auto* refused = std::get_if<AccessResult>(&resolved)) return done(*refused);
    store_.directory([this, id, selected = std::get<dlms::ResolvedSelection>(resolved),
                      done = std::move(done)](const std::optional<Directory>& directory) {
        if (!directory) return done(AccessResult::temporary_failure);
        const auto info =
            std::find_if(directory->begin(), directory->end(),
                         [&](const dcu::JournalInfo& line) { return line.profile == id.object; });
        if (info == directory->end()) return done(AccessResult::object_undefined);
        if (id.attribute == 7) return done(dlms::Data{entries_in_use(*info)});
        const auto wanted = slice(selected, *info);
        if (!wanted) return done(AccessResult::scope_of_access_violated);
        if (wanted->count == 0) return done(dlms::array({}));
        store_.read(info->id, wanted->after, wanted->count, journal_octets_max,
                    [selected, done](const std::optional<std::vector<dcu::Entry>>& entries) {
                        if (!entries) return done(AccessResult::temporary_failure);
                        std::vector<dlms::Data> rows;
                        rows.reserve(entries->size());
                        for (const auto& entry : *entries)
                            rows.push_back(dlms::cut(selected, dcu::to_data(entry)));
                        done(dlms::array(std::move(rows)));
                    });
    });
}

void LogicalDevice::set(const dlms::AttributeId& id, const dlms::Data& value, Sap, Instant,
                        std::function<void(AccessResult)> done) {
    if (id == dlms::AttributeId{class_clock, obis::clock, 2}) {
        const auto time = dlms::date_time(value);
        if (!time) return done(AccessResult::type_unmatched);
        ports_.set_time(time->at);
        return done(AccessResult::success);
    }
    if (id.class_id != class_data || id.attribute != 2) return done(AccessResult::read_write_denied);
    if (VersionedObjects::is_one(id.object)) {
        return objects_.set(
            id.object, value, [this, code = id.object] { ports_.objects_changed(code); }, std::move(done));
    }
    if (id.object == o::backfill) return objects_.backfill(value, ports_.read_again, std::move(done));
    if (id.object == o::journal_acknowledge) return acknowledge(value, std::move(done));
    if (id.object != o::certificate_request) return done(AccessResult::read_write_denied);
    if (value.as<dlms::OctetString>() == nullptr) return done(AccessResult::type_unmatched);
    ports_.install_certificate(to_buffer(value.octets()), [done = std::move(done)](bool installed) {
        done(installed ? AccessResult::success : AccessResult::scope_of_access_violated);
    });
}

void LogicalDevice::acknowledge(const dlms::Data& value, std::function<void(AccessResult)> done) {
    const auto acknowledgement = dcu::acknowledgement_from_data(value);
    if (!acknowledgement) return done(AccessResult::type_unmatched);
    store_.acknowledge(*acknowledgement, ports_.new_journal_id(),
                       [done = std::move(done)](const std::optional<AcknowledgeOutcome>& outcome) {
                           if (!outcome) return done(AccessResult::temporary_failure);
                           const bool accepted = *outcome == AcknowledgeOutcome::accepted;
                           done(accepted ? AccessResult::success : AccessResult::scope_of_access_violated);
                       });
}

void LogicalDevice::act(const dlms::MethodId& id, const std::optional<dlms::Data>& argument, Sap, Instant,
                        std::function<void(dlms::ActionOutcome)> done) {
    if (id.class_id == class_image && id.object == o::firmware_image)
        return ports_.images->act(id.method, argument, [done = std::move(done)](AccessResult result) {
            done({result, std::nullopt});
        });
    done({AccessResult::object_undefined, std::nullopt});
}

dlms::Data LogicalDevice::object_list() const {
    std::vector<dlms::Data> list{listed(class_association, obis::current_association, 2),
                                 listed(class_clock, obis::clock, 4)};
    for (const auto& code :
         {obis::logical_device_name, o::meter_list, o::wrapped_keys, o::reading_plan, o::limits,
          o::firmware_order, o::backfill, o::topology, o::statistics, o::uplink_state, o::certificate_request,
          o::journal_directory, o::journal_acknowledge}) {
        list.push_back(listed(class_data, code, 2));
    }
    list.push_back(listed(class_image, o::firmware_image, 7));
    list.push_back(listed(class_profile, o::journal(0), 8));
    return dlms::array(std::move(list));
}

}  // namespace wattmesh::concentrator
