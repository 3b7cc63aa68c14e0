#include "headend/monitor/push_values.h"

#include <algorithm>

namespace wattmesh::headend::monitor {
namespace {

constexpr std::size_t objects_max = 64, depth_max = 4;
constexpr std::uint16_t class_register = 3, class_extended_register = 4;

std::optional<ObisCode> name_in(const dlms::Data& data) {
    const Bytes octets = data.octets();
    ObisCode name;
    if (octets.size() != name.groups.size()) return std::nullopt;
    std::copy(octets.begin(), octets.end(), name.groups.begin());
    return name;
}

void describe(const dlms::Data& data, std::size_t depth, std::vector<PushedValue>& out) {
    const auto* elements = data.elements();
    if (elements == nullptr || depth > depth_max || out.size() >= objects_max) return;
    const auto name = elements->size() == 3 ? name_in(elements->front()) : std::nullopt;
    const auto value = name ? (*elements)[1].integer() : std::nullopt;
    const auto* pair = name ? (*elements)[2].elements() : nullptr;
    if (value && pair != nullptr && pair->size() == 2 && (*pair)[0].integer() && (*pair)[1].integer()) {
        out.push_back({*name, *value, static_cast<int>(*(*pair)[0].integer()),
                       static_cast<int>(*(*pair)[1].integer())});
        return;
    }
    for (const auto& element : *elements) describe(element, depth + 1, out);
}

}  // namespace

std::optional<ObisCode> push_setup_of(const dlms::Data& body) {
    const auto* elements = body.elements();
    if (elements == nullptr || elements->empty()) return std::nullopt;
    const auto name = name_in(elements->front());
    if (!name || name->groups[0] != 0 || name->groups[2] != 25 || name->groups[3] != 9) return std::nullopt;
    return name;
}

std::optional<std::vector<dlms::CaptureObject>> push_objects(const dlms::Data& list) {
    const auto* elements = list.elements();
    if (elements == nullptr || elements->size() > objects_max) return std::nullopt;
    std::vector<dlms::CaptureObject> objects;
    for (const auto& element : *elements) {
        const auto* fields = element.elements();
        if (fields == nullptr || fields->size() < 4) return std::nullopt;
        // What follows is a restriction of profiles (version 1 of the class); a capture object is the first
        // four.
        const auto object =
            dlms::capture_object(dlms::structure({(*fields)[0], (*fields)[1], (*fields)[2], (*fields)[3]}));
        if (!object) return std::nullopt;
        objects.push_back(*object);
    }
    return objects;
}

std::vector<PushedValue> pushed_values(const dlms::Data& body,
                                       const std::vector<dlms::CaptureObject>& objects) {
    std::vector<PushedValue> values;
    const auto* elements = body.elements();
    if (elements == nullptr) return values;
    for (std::size_t i = 0; i < std::min(elements->size(), objects.size()); ++i) {
        const auto& object = objects[i];
        const bool is_register =
            object.class_id == class_register || object.class_id == class_extended_register;
        const auto value = (*elements)[i].integer();
        if (is_register && object.attribute == 2 && value) values.push_back({object.object, *value, {}, {}});
    }
    return values;
}

std::vector<PushedValue> self_described_values(const dlms::Data& body) {
    std::vector<PushedValue> values;
    describe(body, 0, values);
    return values;
}

}  // namespace wattmesh::headend::monitor
