#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/cosem/models/meter_model.h"
#include "protocol/dlms/object.h"

/// Templates of parameters: what people write down, and what a meter is asked to hold. Pure.
namespace wattmesh::headend::monitor {

enum class ParameterKind : std::uint8_t { tariff_calendar, special_days, limits, push };
inline constexpr std::size_t parameter_kinds = 4;
std::string_view to_string(ParameterKind kind);
std::optional<ParameterKind> parse_parameter_kind(std::string_view word);

/// One attribute, and what it should hold.
struct ParameterMember {
    std::string name;  ///< as the class table has it: "threshold_normal"
    dlms::AttributeId attribute;
    dlms::Data value;
};

/// The members that a template means for a kind of meter. Throws std::runtime_error, with words for the
/// person who wrote it, when the template is not one; gives nothing when this model has no such object.
///   tariff_calendar {"name":"2027","days":[{"id":1,"switches":[{"at":"06:00","rate":1}]}],
///                    "weeks":[{"name":"W","days":[1,1,1,1,1,2,2]}],
///                    "seasons":[{"name":"S","from":"01-01","week":"W"}]}
///   special_days    {"days":[{"date":"2027-01-26","day":2},{"date":"12-25","day":2}]}  without a year: each
///   limits          {"watts":5000,"over_s":60}
///   push            {"destination":"10.0.0.1:4059","retries":3,"delay_s":60,"spread_s":300}
std::optional<std::vector<ParameterMember>> members_of(ParameterKind kind, const std::string& content,
                                                       const cosem::MeterModel& model);

/// The template as JSON of one form, so that the same content is the same text. Throws like members_of.
std::string canonical(const std::string& content);

/// Whether a meter that shows `actual` holds `desired`. Integers of any width are the same when they are
/// equal: a threshold has the type of what it watches.
bool same(const dlms::Data& desired, const dlms::Data& actual);
/// `desired` with the type of integer that the meter showed.
dlms::Data typed_as(const dlms::Data& desired, const dlms::Data& actual);

}  // namespace wattmesh::headend::monitor
