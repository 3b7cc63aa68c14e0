#include "protocol/dlms/apdu.h"

namespace wattmesh::dlms {

namespace {
constexpr std::uint8_t tag_data_notification = 0x0F, tag_event_notification = 0xC2, tag_exception = 0xD8;
constexpr std::size_t date_time_size = 12;
constexpr std::uint8_t octet_string_tag = 0x09;

/// An OCTET STRING, so its length comes first; Kaifa meters put the tag of Data before it.
Bytes date_time_field(Reader& in, const Quirks& quirks, bool may_be_empty) {
    if (quirks.tagged_date_time && in.peek() == octet_string_tag) in.skip(1);
    const std::size_t start = in.position();
    const std::size_t length = decode_length(in);
    if (length != date_time_size && !(may_be_empty && length == 0)) in.fail_at(Fault::bad_value, start);
    return in.bytes(length);
}
}  // namespace

Buffer encode(const ExceptionResponse& response) {
    Writer out;
    out.u8(tag_exception).u8(response.state).u8(response.service);
    if (response.counter_expected) out.u32(*response.counter_expected);
    return out.take();
}

Result<ExceptionResponse> decode_exception(Bytes apdu) {
    Reader in{apdu};
    in.expect(tag_exception);
    ExceptionResponse response{.state = in.u8(), .service = in.u8(), .counter_expected = {}};
    if (response.service == exception::invocation_counter_error) response.counter_expected = in.u32();
    in.expect_end();
    if (in.error()) return *in.error();
    return response;
}

Buffer encode(const DataNotification& notification) {
    Writer out;
    out.u8(tag_data_notification).u32(notification.invoke);
    encode_length(out, notification.date_time.size());
    out.bytes(notification.date_time);
    encode_data(out, notification.body);
    return out.take();
}

Result<DataNotification> decode_data_notification(Bytes apdu, const Quirks& quirks) {
    Reader in{apdu};
    in.expect(tag_data_notification);
    DataNotification notification{.invoke = in.u32(), .date_time = {}, .body = {}};
    notification.date_time = to_buffer(date_time_field(in, quirks, true));
    notification.body = decode_data(in);
    in.expect_end();
    if (in.error()) return *in.error();
    return notification;
}

Buffer encode(const EventNotification& notification) {
    Writer out;
    out.u8(tag_event_notification).u8(notification.time ? 1 : 0);
    if (notification.time) {
        encode_length(out, notification.time->size());
        out.bytes(*notification.time);
    }
    out.u16(notification.id.class_id).bytes(notification.id.object.groups).i8(notification.id.attribute);
    encode_data(out, notification.value);
    return out.take();
}

Result<EventNotification> decode_event_notification(Bytes apdu, const Quirks& quirks) {
    Reader in{apdu};
    in.expect(tag_event_notification);
    EventNotification notification;
    const std::uint8_t presence = in.u8();
    if (presence > 1) in.fail_at(Fault::bad_value, 1);
    if (presence == 1) notification.time = to_buffer(date_time_field(in, quirks, false));
    notification.id = {.class_id = in.u16(), .object = {in.array<6>()}, .attribute = in.i8()};
    notification.value = decode_data(in);
    in.expect_end();
    if (in.error()) return *in.error();
    return notification;
}

}  // namespace wattmesh::dlms
