#include "headend/trace/explain.h"

#include <fmt/format.h>

#include "protocol/decode/describe.h"
#include "protocol/gdw376/frame.h"

namespace wattmesh::headend::trace {
namespace {

/// The lines that go one step deeper each: "wrapper ..., get-request-normal ..., class 8 clock ...".
std::string first_branch(const decode::Report& report) {
    std::string text;
    int depth = -1;
    for (const auto& line : report.lines()) {
        if (line.depth <= depth) break;
        depth = line.depth;
        if (!text.empty()) text += ", ";
        text += line.text;
    }
    return text;
}

/// Unit and function; the address and the count where the PDU is long enough to have them.
std::string modbus_words(Bytes pdu) {
    if (pdu.size() < 2) return "Modbus, unfinished";
    constexpr std::uint8_t exception = 0x80;
    if ((pdu[1] & exception) != 0 && pdu.size() > 2)
        return fmt::format("Modbus unit {}: exception {} of function {}", pdu[0], pdu[2],
                           pdu[1] & ~exception);
    return fmt::format("Modbus unit {}: function {}, {} octets", pdu[0], pdu[1], pdu.size() - 2);
}

std::string terminal_words(Bytes octets) {
    gdw376::Decoder decoder;
    decoder.feed(octets);
    std::string text;
    while (const auto frame = decoder.next()) {
        if (!text.empty()) text += "; ";
        text += fmt::format("376.1 {} {}: AFN {:02X}, sequence {}{}, {} octets of data units",
                            frame->from_terminal ? "from" : "to", gdw376::to_string(frame->address),
                            static_cast<unsigned>(frame->afn), frame->sequence,
                            frame->password ? ", password" : "", frame->units.size());
    }
    return text.empty() ? fmt::format("{} octets, no whole 376.1 frame", octets.size()) : text;
}

}  // namespace

Explained explain(const Record& record) {
    if (!record.is_frame()) return {std::string{record.words()}, {}};
    const Bytes octets{record.content};
    constexpr std::size_t mbap = 6;
    switch (record.carries) {
        case link::Carried::wrapper: {
            Explained explained;
            explained.report = decode::describe(octets);
            explained.summary = first_branch(explained.report);
            return explained;
        }
        case link::Carried::modbus_rtu:
            return {modbus_words(octets), {}};
        case link::Carried::modbus_tcp:
            return {octets.size() > mbap ? modbus_words(octets.subspan(mbap)) : "Modbus TCP, unfinished", {}};
        case link::Carried::gdw376:
            return {terminal_words(octets), {}};
    }
    return {};
}

}  // namespace wattmesh::headend::trace
