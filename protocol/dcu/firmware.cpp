#include "protocol/dcu/firmware.h"

#include "protocol/dcu/fields.h"
#include "protocol/dcu/objects.h"

namespace wattmesh::dcu {

dlms::Data to_data(const FirmwareOrder& order) {
    std::vector<dlms::Data> meters;
    meters.reserve(order.meters.size());
    for (const auto& meter : order.meters) meters.push_back(dlms::octet_string(meter.bcd));
    return dlms::structure({order.version, order.number, dlms::octet_string(order.image),
                            instant_data(order.ends), dlms::array(std::move(meters))});
}

Result<FirmwareOrder> firmware_order_from_data(const dlms::Data& data) {
    Fields fields{data};
    FirmwareOrder order;
    order.version = fields.number<std::uint32_t>();
    order.number = fields.number<std::uint32_t>();
    order.image = fields.octets<32>();
    order.ends = fields.instant();
    const auto* meters = fields.array(meter_list_size_max);
    if (!fields.done()) return fields.error();
    auto numbers = decode_each<DeviceNumber>(*meters, [](const dlms::Data& one) -> Result<DeviceNumber> {
        const Bytes octets = one.octets();
        if (one.as<dlms::OctetString>() == nullptr || octets.size() != 6) return Error{Fault::bad_value, 0};
        DeviceNumber number;
        std::copy(octets.begin(), octets.end(), number.bcd.begin());
        return number;
    });
    if (!numbers) return numbers.error();
    order.meters = *std::move(numbers);
    return order;
}

std::string_view to_string(ImageState state) {
    switch (state) {
        case ImageState::receiving:
            return "receiving";
        case ImageState::verified:
            return "verified";
        case ImageState::failed:
            return "failed";
        case ImageState::refused:
            return "refused";
    }
    return "unknown";
}

std::string_view words(ImageTrouble trouble) {
    switch (trouble) {
        case ImageTrouble::none:
            return "";
        case ImageTrouble::no_room:
            return "the meter has no room for an image of this size";
        case ImageTrouble::not_authentic:
            return "the concentrator's offer does not stand under the meter's key";
        case ImageTrouble::superseded:
            return "the meter holds the image of a later order";
        case ImageTrouble::not_signed:
            return "the file is not signed by the meter's vendor";
        case ImageTrouble::other_model:
            return "the image is for another model";
        case ImageTrouble::on_wire:
            return "the meter hangs on a collector's wire, over which no image goes";
    }
    return "unknown";
}

Buffer encode(const ImageTold& told) {
    return dlms::encode_data(
        dlms::structure({told.number, dlms::Enum{static_cast<std::uint8_t>(told.state)}, told.blocks,
                         told.missing, dlms::Enum{static_cast<std::uint8_t>(told.trouble)}}));
}

Result<ImageTold> decode_image_told(Bytes payload) {
    const auto data = dlms::decode_data(payload);
    if (!data) return data.error();
    Fields fields{*data};
    ImageTold told;
    told.number = fields.number<std::uint32_t>();
    told.state = static_cast<ImageState>(fields.number<std::uint8_t>());
    if (fields.ok() && told.state > ImageState::refused) fields.fail(Fault::bad_value);
    told.blocks = fields.number<std::uint16_t>();
    told.missing = fields.number<std::uint16_t>();
    if (fields.ok() && told.missing > told.blocks) fields.fail(Fault::bad_value);
    told.trouble = static_cast<ImageTrouble>(fields.number<std::uint8_t>());
    if (fields.ok() && told.trouble > ImageTrouble::on_wire) fields.fail(Fault::bad_value);
    if (!fields.done()) return fields.error();
    return told;
}

}  // namespace wattmesh::dcu
