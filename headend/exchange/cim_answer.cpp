#include "headend/exchange/cim_answer.h"

#include <array>

#include "headend/exchange/reading_xml.h"
#include "platform/xml_writer.h"
#include "protocol/base/bytes.h"

namespace wattmesh::headend::exchange {
namespace {

using platform::XmlWriter;
constexpr const char* soap_1_1 = "http://schemas.xmlsoap.org/soap/envelope/";
constexpr const char* soap_1_2 = "http://www.w3.org/2003/05/soap-envelope";

void write_error(XmlWriter& xml, const CimError& error) {
    xml.open("Error").element("code", error.code);
    const bool information = error.code.starts_with("0.");
    xml.element("level", information ? "INFORM" : error.warning ? "WARNING" : "FATAL");
    xml.element("reason", error.reason).maybe("details", error.details).maybe("xpath", error.xpath);
    if (!error.object.empty()) xml.open("object").element("mRID", error.object).close();
    xml.close();
}

void write_header(XmlWriter& xml, const CimStamp& stamp, std::string_view verb, std::string_view noun) {
    std::string at;
    append_instant(at, stamp.at, {});
    xml.open("Header").element("Verb", verb).element("Noun", noun).element("Revision", "2.0");
    xml.element("Timestamp", at).element("Source", cim_source).element("MessageID", stamp.message_id);
    xml.maybe("CorrelationID", stamp.correlation).close();
}

/// What is written in `inner` gets the envelope of the wrapping, if it has one.
std::string wrapped(const std::string& inner, CimWrapping wrapping) {
    std::string out{xml_declaration};
    XmlWriter xml{out};
    if (wrapping == CimWrapping::plain) return out + inner;
    xml.open("soap:Envelope")
        .attribute("xmlns:soap", wrapping == CimWrapping::soap_1_1 ? soap_1_1 : soap_1_2);
    xml.open("soap:Body").raw(inner).close().close();
    return out;
}

const char* word_of(CimResult result) {
    return result == CimResult::ok ? "OK" : result == CimResult::partial ? "PARTIAL" : "FAILED";
}

std::string soap_fault(const CimError& error, CimWrapping wrapping) {
    std::string out;
    XmlWriter xml{out};
    xml.open("soap:Fault");
    if (wrapping == CimWrapping::soap_1_1)
        xml.element("faultcode", "soap:Client").element("faultstring", error.reason);
    else
        xml.open("soap:Code")
            .element("soap:Value", "soap:Sender")
            .close()
            .open("soap:Reason")
            .open("soap:Text")
            .attribute("xml:lang", "en")
            .text(error.reason)
            .close()
            .close();
    xml.close();
    return out;
}

}  // namespace

std::string write_response(const CimResponse& response, CimWrapping wrapping) {
    std::string out;
    XmlWriter xml{out};
    xml.open("ResponseMessage").attribute("xmlns", message_space);
    write_header(xml, response.stamp, response.verb, response.noun);
    xml.open("Reply").element("Result", word_of(response.result));
    for (const auto& error : response.errors) write_error(xml, error);
    for (const auto& id : response.ids) xml.element("ID", id);
    xml.close();
    if (!response.payload.empty()) xml.open("Payload").raw(response.payload).close();
    xml.close();
    return wrapped(out, wrapping);
}

std::string write_event_message(const CimStamp& stamp, std::string_view verb, std::string_view noun,
                                const std::string& payload) {
    std::string out{xml_declaration};
    XmlWriter xml{out};
    xml.open("EventMessage").attribute("xmlns", message_space);
    write_header(xml, stamp, verb, noun);
    xml.open("Payload").raw(payload).close().close();
    return out;
}

std::string write_fault(const CimError& error, CimWrapping wrapping) {
    if (wrapping != CimWrapping::plain) return wrapped(soap_fault(error, wrapping), wrapping);
    std::string out;
    XmlWriter xml{out};
    xml.open("FaultMessage").attribute("xmlns", message_space).open("Reply").element("Result", "FAILED");
    write_error(xml, error);
    xml.close().close();
    return wrapped(out, wrapping);
}

const char* content_type(CimWrapping wrapping) {
    switch (wrapping) {
        case CimWrapping::plain:
            return "application/xml; charset=utf-8";
        case CimWrapping::soap_1_1:
            return "text/xml; charset=utf-8";
        case CimWrapping::soap_1_2:
            return "application/soap+xml; charset=utf-8";
    }
    return "application/xml; charset=utf-8";
}

std::string uuid_of(std::span<const std::uint8_t, 16> octets) {
    std::array<std::uint8_t, 16> bits{};
    std::copy(octets.begin(), octets.end(), bits.begin());
    bits[6] = static_cast<std::uint8_t>((bits[6] & 0x0F) | 0x40);
    bits[8] = static_cast<std::uint8_t>((bits[8] & 0x3F) | 0x80);
    auto text = to_hex(bits);
    for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const std::size_t place : {8, 13, 18, 23}) text.insert(place, "-");
    return text;
}

}  // namespace wattmesh::headend::exchange
