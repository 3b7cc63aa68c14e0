#pragma once
#include "protocol/cosem/models/meter_model.h"

/// Short words for the tables of this folder.
namespace wattmesh::cosem::models {

constexpr ObisCode code(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint8_t e,
                        std::uint8_t f = 255) {
    return ObisCode{{a, b, c, d, e, f}};
}
constexpr ModelObject data_at(Quantity quantity, ObisCode name) { return {quantity, name, 1, 2, {}}; }
constexpr ModelObject register_at(Quantity quantity, ObisCode name, std::int8_t scaler, Unit unit) {
    return {quantity, name, 3, 2, {scaler, unit}};
}
constexpr ModelObject profile_at(Quantity quantity, ObisCode name) { return {quantity, name, 7, 2, {}}; }
constexpr ModelObject object_at(Quantity quantity, ObisCode name, std::uint16_t class_id) {
    return {quantity, name, class_id, 2, {}};
}
constexpr dlms::CaptureObject column(std::uint16_t class_id, ObisCode name, std::int8_t attribute = 2) {
    return {class_id, name, attribute, 0};
}

}  // namespace wattmesh::cosem::models
