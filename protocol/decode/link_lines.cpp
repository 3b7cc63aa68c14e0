#include "protocol/decode/link_lines.h"

#include "protocol/decode/apdu_lines.h"
#include "protocol/decode/parts.h"
#include "protocol/decode/printable.h"
#include "protocol/link/tunnel.h"
#include "protocol/link/wrapper.h"

namespace wattmesh::decode {
namespace {

constexpr std::uint8_t llc_octet = 0xE6, llc_command = 0xE6, llc_response = 0xE7;
constexpr std::uint16_t wrapper_version = 1;
constexpr std::uint8_t gateway_request = 0xE6;

void wrapper_payload(Walk& walk) {
    if (walk.in.remaining() == 0) return walk.line(walk.here(), "no APDU");
    if (is_whole_hello(walk.ahead()))
        hello_lines(walk);
    else
        apdu_lines(walk);
}

std::string tunnel_words(const link::TunnelMessage& message) {
    if (const auto* open = std::get_if<link::TunnelOpen>(&message))
        return fmt::format("is asked for, takes {} octets", open->limit);
    if (const auto* opened = std::get_if<link::TunnelOpened>(&message))
        return fmt::format("stands, takes {} octets", opened->limit);
    if (const auto* data = std::get_if<link::TunnelData>(&message))
        return fmt::format("{} octets of TLS from {} on", data->octets.size(), data->offset);
    if (const auto* credit = std::get_if<link::TunnelCredit>(&message))
        return fmt::format("takes {} octets in all", credit->limit);
    return fmt::format("ends: {}", to_string(std::get<link::TunnelClose>(message).reason));
}

/// Others may use this SAP, too: what is no message of a tunnel is an APDU.
void tunnel_payload(Walk& walk) {
    const auto message = link::decode_tunnel(walk.ahead());
    if (!message) return wrapper_payload(walk);
    const std::size_t at = walk.here();
    (void)walk.in.rest();
    walk.line(at, "tunnel {} of a vending machine {}", link::tunnel_of(*message), tunnel_words(*message));
}

}  // namespace

void wrapper_lines(Session& session, const Passage& passage) {
    Walk walk{session, passage, 0, passage.size(), 0, "wrapper"};
    while (walk.in.ok() && walk.in.remaining() > 0) {
        walk.depth = 0;
        const std::size_t at = walk.here();
        const std::uint16_t version = walk.in.u16();
        if (version != wrapper_version)
            walk.fail(Fault::bad_version, at,
                      fmt::format("a wrapper begins with 0001, here is {:04X}", version));
        const std::uint16_t source = walk.in.u16(), destination = walk.in.u16();
        const std::uint16_t length = walk.in.u16();
        walk.title(at, "wrapper from {} to {}, {} octets", sap_words(source), sap_words(destination), length);
        session.direction = fmt::format("{}>{}", source, destination);
        const bool tunnel = source == link::tunnel_client.value || destination == link::tunnel_client.value;
        walk.inner(length, "wrapper", tunnel ? tunnel_payload : wrapper_payload);
    }
    walk.depth = 0;
    walk.finish();
}

bool is_llc(Bytes octets) {
    return octets.size() >= 3 && octets[0] == llc_octet &&
           (octets[1] == llc_command || octets[1] == llc_response) && octets[2] == 0;
}

void llc_lines(Walk& walk) {
    walk.where = "llc";
    const std::size_t at = walk.here();
    if (walk.in.u8() != llc_octet) walk.fail(Fault::bad_tag, at, "an LLC header begins with E6");
    const std::uint8_t source = walk.in.u8();
    if (source != llc_command && source != llc_response)
        walk.fail(Fault::bad_value, at + 1, "the source LSAP is E6 (command) or E7 (response)");
    if (walk.in.u8() != 0) walk.fail(Fault::bad_value, at + 2, "the LLC quality is 00");
    walk.title(at, "llc {}", source == llc_command ? "command" : "response");
    apdu_lines(walk);
}

void gateway_lines(Walk& walk) {
    const std::size_t at = walk.here();
    const std::uint8_t tag = walk.in.u8();
    walk.where = "gateway prefix";
    const std::uint8_t network = walk.in.u8();
    const Bytes address = walk.take(walk.in.u8());
    walk.title(at, "gateway {}, network {}, address {}{}", tag == gateway_request ? "request" : "response",
               network, to_hex(address), is_printable(address) ? " \"" + printable(address) + '"' : "");
    apdu_lines(walk);
}

bool is_whole_hello(Bytes octets) {
    if (!link::is_hello(octets)) return false;
    if (apdu_name(octets.front()).empty()) return true;
    const auto hello = link::decode_hello(octets);
    return hello && hello->checksum_ok;
}

void hello_lines(Walk& walk) {
    const std::size_t at = walk.here();
    walk.where = "hello";
    const Bytes octets = walk.in.rest();
    const auto hello = link::decode_hello(octets);
    if (!hello) return walk.fail(hello.error().fault, at + hello.error().offset, "");
    using enum link::Hello::Kind;
    const char* kind = hello->kind == login       ? "log-in"
                       : hello->kind == heartbeat ? "heartbeat"
                       : hello->kind == login_ack ? "log-in acknowledged"
                                                  : "heartbeat acknowledged";
    walk.line(at, "hello: {}, type {}, address \"{}\"{}", kind, hello->type, hello->address,
              hello->option ? fmt::format(", option {}", *hello->option) : "");
    if (!hello->checksum_ok)
        walk.fail(Fault::bad_checksum, walk.here() - 2, "the check sequence of the hello is wrong");
}

}  // namespace wattmesh::decode
