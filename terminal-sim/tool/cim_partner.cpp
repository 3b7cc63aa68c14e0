#include "terminal-sim/tool/cim_partner.h"

#include <stdexcept>

#include "platform/xml_writer.h"

namespace wattmesh::sim {
namespace {

using platform::XmlWriter;
constexpr int token_tries_max = 3;

platform::HttpUrl cim_place(platform::HttpUrl base) {
    base.path = "/partner/cim";
    return base;
}

const char* type_of(CimRequestText::Wrapping wrapping) {
    switch (wrapping) {
        case CimRequestText::Wrapping::plain:
            return "application/xml";
        case CimRequestText::Wrapping::soap_1_1:
            return "text/xml; charset=utf-8";
        case CimRequestText::Wrapping::soap_1_2:
            return "application/soap+xml";
    }
    return "application/xml";
}

}  // namespace

std::string write_request(const CimRequestText& request) {
    std::string out;
    XmlWriter xml{out};
    const bool soap = request.wrapping != CimRequestText::Wrapping::plain;
    if (soap)
        xml.open("s:Envelope")
            .attribute("xmlns:s", request.wrapping == CimRequestText::Wrapping::soap_1_1
                                      ? "http://schemas.xmlsoap.org/soap/envelope/"
                                      : "http://www.w3.org/2003/05/soap-envelope")
            .open("s:Body");
    xml.open("RequestMessage").attribute("xmlns", "http://iec.ch/TC57/2011/schema/message").open("Header");
    xml.element("Verb", request.verb).element("Noun", request.noun).element("Revision", "2.0");
    xml.element("Timestamp", "2026-01-01T00:00:00Z").element("Source", "terminal-sim");
    if (!request.reply_address.empty())
        xml.element("AsyncReplyFlag", "true").element("ReplyAddress", request.reply_address);
    xml.element("MessageID", request.message_id).element("CorrelationID", "c-" + request.message_id).close();
    if (!request.request.empty()) xml.open("Request").raw(request.request).close();
    if (!request.payload.empty()) xml.open("Payload").raw(request.payload).close();
    xml.close();
    if (soap) xml.close().close();
    return out;
}

std::string get_meter_readings(const std::vector<std::string>& meters, const std::vector<std::string>& types,
                               const std::string& from, const std::string& to) {
    std::string out;
    XmlWriter xml{out};
    xml.open("g:GetMeterReadings").attribute("xmlns:g", "http://iec.ch/TC57/2011/GetMeterReadings#");
    for (const auto& meter : meters)
        xml.open("g:EndDevice").open("g:Names").element("g:name", meter).close().close();
    for (const auto& type : types)
        xml.open("g:ReadingType").open("g:Names").element("g:name", type).close().close();
    if (!from.empty())
        xml.open("g:TimeSchedule")
            .open("g:scheduleInterval")
            .element("g:end", to)
            .element("g:start", from)
            .close()
            .close();
    xml.close();
    return out;
}

std::string end_device_controls(const std::vector<CimControlText>& controls) {
    std::string out;
    XmlWriter xml{out};
    xml.open("EndDeviceControls").attribute("xmlns", "http://iec.ch/TC57/2011/EndDeviceControls#");
    for (const auto& control : controls) {
        xml.open("EndDeviceControl").element("mRID", control.name).element("reason", "terminal-sim");
        xml.open("EndDeviceControlType").attribute("ref", control.type).close();
        xml.open("EndDevices").open("Names").element("name", control.meter).close().close().close();
    }
    xml.close();
    return out;
}

CimPartner::CimPartner(const platform::HttpUrl& base, PartnerClient client,
                       const platform::HttpClientSettings& settings)
    : http_(cim_place(base), settings), token_(base, std::move(client), settings) {}

std::string CimPartner::post(const CimRequestText& request) {
    const auto body = write_request(request);
    for (int tries = 1;; ++tries) {
        std::string said;
        const auto answer = http_.post({token_.header()}, type_of(request.wrapping), body,
                                       [&](std::string_view piece) { said += piece; });
        if (answer.status == 200) return said;
        if (answer.status != 401 || tries == token_tries_max)
            throw std::runtime_error(request.verb + " " + request.noun + " is refused (" +
                                     std::to_string(answer.status) + "): " + answer.body);
        token_.forget();  // it lives for minutes only
    }
}

}  // namespace wattmesh::sim
