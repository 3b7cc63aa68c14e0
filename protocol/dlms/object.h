#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/base/obis.h"
#include "protocol/base/time.h"
#include "protocol/dlms/data.h"
#include "protocol/dlms/quirks.h"

namespace wattmesh::dlms {

/// data-access-result (Green Book 9.5); `success` is 0.
enum class AccessResult : std::uint8_t {
    success = 0,
    hardware_fault = 1,
    temporary_failure = 2,
    read_write_denied = 3,
    object_undefined = 4,
    class_inconsistent = 9,
    object_unavailable = 11,
    type_unmatched = 12,
    scope_of_access_violated = 13,
    data_block_unavailable = 14,
    long_get_aborted = 15,
    no_long_get = 16,
    long_set_aborted = 17,
    no_long_set = 18,
    block_number_invalid = 19,
    other_reason = 250,
};
std::string_view to_string(AccessResult result);

/// cosem-attribute-descriptor. Attribute ids are signed (Green Book 9.5).
struct AttributeId {
    std::uint16_t class_id = 0;
    ObisCode object;
    std::int8_t attribute = 0;
    friend bool operator==(const AttributeId&, const AttributeId&) = default;
};
struct MethodId {
    std::uint16_t class_id = 0;
    ObisCode object;
    std::int8_t method = 0;
    friend bool operator==(const MethodId&, const MethodId&) = default;
};

/// One column of a profile: what is captured (Blue Book, Profile generic, capture_objects).
struct CaptureObject {
    std::uint16_t class_id = 0;
    ObisCode object;
    std::int8_t attribute = 0;
    std::uint16_t data_index = 0;
    friend bool operator==(const CaptureObject&, const CaptureObject&) = default;
};
Data to_data(const CaptureObject& column);
/// Nothing when it is not structure{class, logical name, attribute, data-index}; integers of any width. With
/// the quirk capture_attribute_255 an unsigned attribute 255 is taken as -1.
std::optional<CaptureObject> capture_object(const Data& data, const Quirks& quirks = {});

/// Selector 1 of a profile buffer: rows with from <= restricting column <= to; empty `columns` = all.
struct RangeSelection {
    CaptureObject restricting;
    Data from, to;
    std::vector<CaptureObject> columns;
    friend bool operator==(const RangeSelection&, const RangeSelection&) = default;
};
/// Selector 2: entries count from 1; `to` 0 = to the end; columns likewise.
struct EntrySelection {
    std::uint32_t from = 1, to = 0;
    std::uint16_t column_from = 1, column_to = 0;
    friend bool operator==(const EntrySelection&, const EntrySelection&) = default;
};
using Selection = std::variant<std::monostate, RangeSelection, EntrySelection>;

/// An attribute's value, or why there is none.
using ReadOutcome = std::variant<Data, AccessResult>;
/// action-result and the optional return value.
struct ActionOutcome {
    AccessResult result = AccessResult::success;
    std::optional<Data> value;
    friend bool operator==(const ActionOutcome&, const ActionOutcome&) = default;
};

/// What a server shows: implemented by the simulated meter and by the concentrator. Answers may come at once
/// or later (through `done`, on the same thread, exactly once); a server has at most one call open per
/// association.
class ObjectModel {
public:
    virtual ~ObjectModel() = default;
    virtual void get(const AttributeId& id, const Selection& selection, Sap client, Instant now,
                     std::function<void(ReadOutcome)> done) = 0;
    virtual void set(const AttributeId& id, const Data& value, Sap client, Instant now,
                     std::function<void(AccessResult)> done) = 0;
    virtual void act(const MethodId& id, const std::optional<Data>& argument, Sap client, Instant now,
                     std::function<void(ActionOutcome)> done) = 0;
};

}  // namespace wattmesh::dlms
