#include "protocol/decode/apdu_lines.h"
#include "protocol/decode/data_lines.h"
#include "protocol/decode/date_words.h"
#include "protocol/decode/parts.h"
#include "protocol/decode/printable.h"

// ACCESS and notifications: the APDUs with a long invoke-id or a date-time in front. Source: Green Book
// (DLMS UA 1000-2) ed. 10, 9.3.5, 9.3.9, 9.3.10 and 9.5.
namespace wattmesh::decode {
namespace {

constexpr std::size_t date_time_size = 12;

void long_title(Walk& walk, const char* name) {
    const std::size_t at = walk.here();
    walk.where = name;
    walk.in.skip(1);
    const std::uint32_t invoke = walk.in.u32();
    walk.title(at, "{} {}", name, long_invoke_words(invoke));
}

/// An OCTET STRING of 12 octets or none.
void date_time_line(Walk& walk) {
    const std::size_t at = walk.here();
    const bool tagged = walk.in.peek() == 0x09;
    if (tagged) walk.in.skip(1);
    const std::size_t size = walk.length();
    if (walk.in.ok() && size != 0 && size != date_time_size)
        walk.fail(Fault::bad_value, at, fmt::format("a date-time has 12 octets or none, not {}", size));
    const Bytes octets = walk.take(size);
    if (size == 0)
        walk.line(at, "no date-time");
    else
        walk.line(
            at, "date-time {}{}", date_time_words(octets).value_or(to_hex(octets)),
            tagged ? " (a tag 09 stands before it that does not belong there: quirk tagged_date_time)" : "");
}

void specification_line(Walk& walk, std::size_t number) {
    const std::size_t at = walk.here();
    const std::uint8_t choice = walk.in.u8();
    constexpr std::string_view names[]{
        "", "get", "set", "action", "get with selection", "set with selection"};
    if (walk.in.ok() && (choice == 0 || choice > 5))
        walk.fail(Fault::bad_tag, at, fmt::format("{:02X} is no access specification (01 to 05)", choice));
    if (!walk.in.ok()) return;
    const std::string words = choice == 3 ? read_method(walk) : read_attribute(walk);
    walk.line(at, "{}: {} {}", number, names[choice], words);
    if (choice < 4) return;
    const std::size_t selector_at = walk.here();
    const std::uint8_t selector = walk.in.u8();
    ++walk.depth;
    walk.title(selector_at, "selector {}", selector);
    selector_lines(walk, selector);
    walk.depth -= 2;
}

std::size_t specifications(Walk& walk) {
    return sequence_lines(walk, "specifications", [&](std::size_t i) { specification_line(walk, i); });
}

void access_result_line(Walk& walk, std::size_t number) {
    const std::size_t at = walk.here();
    const std::uint8_t kind = walk.in.u8();
    constexpr std::string_view names[]{"", "get", "set", "action"};
    if (walk.in.ok() && (kind == 0 || kind > 3))
        walk.fail(Fault::bad_tag, at, fmt::format("{:02X} is neither get, set nor action (01 to 03)", kind));
    if (!walk.in.ok()) return;
    const std::uint8_t result = walk.in.u8();
    walk.line(at, "{}: {} {}", number, names[kind], result_words(result));
}

}  // namespace

void access_request_lines(Walk& walk) {
    long_title(walk, "access-request");
    date_time_line(walk);
    const std::size_t named = specifications(walk);
    data_sequence_lines(walk, "data", named);
}

void access_response_lines(Walk& walk) {
    long_title(walk, "access-response");
    date_time_line(walk);
    if (read_presence(walk, "specifications of the request")) specifications(walk);
    const std::size_t named = data_sequence_lines(walk, "data");
    const std::size_t at = walk.here();
    const std::size_t results =
        sequence_lines(walk, "results", [&](std::size_t i) { access_result_line(walk, i); });
    if (results != named)
        walk.fail(Fault::bad_value, at, fmt::format("{} results for {} data", results, named));
}

void data_notification_lines(Walk& walk) {
    long_title(walk, "data-notification");
    date_time_line(walk);
    data_lines(walk, "body ");
}

void event_notification_lines(Walk& walk) {
    walk.where = "event-notification-request";
    walk.title(walk.here(), "event-notification-request");
    walk.in.skip(1);
    if (read_presence(walk, "time")) date_time_line(walk);
    const std::size_t at = walk.here();
    const std::string words = read_attribute(walk);
    walk.line(at, "{}", words);
    data_lines(walk, "value ");
}

void exception_lines(Walk& walk) {
    walk.where = "exception-response";
    walk.title(walk.here(), "exception-response");
    walk.in.skip(1);
    constexpr std::string_view states[]{"", "service-not-allowed", "service-unknown"};
    constexpr std::string_view services[]{"",
                                          "operation-not-possible",
                                          "service-not-supported",
                                          "other-reason",
                                          "pdu-too-long",
                                          "deciphering-error",
                                          "invocation-counter-error"};
    std::size_t at = walk.here();
    const std::uint8_t state = walk.in.u8();
    walk.line(at, "state {} ({})", state < 3 ? states[state] : "unknown", state);
    at = walk.here();
    const std::uint8_t service = walk.in.u8();
    walk.line(at, "service {} ({})", service < 7 ? services[service] : "unknown", service);
    if (service != 6) return;
    at = walk.here();
    const std::uint32_t counter = walk.in.u32();
    walk.line(at, "expected invocation counter {} ({:08X})", counter, counter);
}

}  // namespace wattmesh::decode
