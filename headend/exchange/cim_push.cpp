#include "headend/exchange/cim_push.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <stdexcept>

#include "headend/console/json.h"
#include "headend/exchange/cim_answer.h"
#include "headend/exchange/reading_xml.h"
#include "platform/xml_writer.h"

namespace wattmesh::headend::exchange {
namespace {

using namespace database;
using Data = Poco::JSON::Object::Ptr;

std::string word_in(const Data& data, const char* name) { return data->optValue<std::string>(name, ""); }

std::string readings_of(Connection& connection, const Contract& contract, const OutboxMessage& message,
                        const Data& data) {
    const auto from = console::parse_iso(word_in(data, "from")), to = console::parse_iso(word_in(data, "to"));
    const auto profile = ObisCode::parse(word_in(data, "profile"));
    const auto meter = DeviceNumber::parse(message.subject);
    if (!from || !to || !profile || !meter)
        throw std::runtime_error("message " + std::to_string(message.id) +
                                 " of the outbox names no readings");
    PartnerReadings readings{connection};
    std::string payload{meter_readings_open};
    if (const auto bank = readings.bank(*profile)) {
        const auto form = cim_form(connection, contract, *from, *to);
        ReadingPiece piece{.meters = readings.meters({*meter}, std::nullopt, 1), .rows = {}, .findings = {}};
        piece.rows = readings.rows(piece.meters, *bank, *from - Duration{1}, *to);
        piece.findings = readings.findings(piece.meters, *bank, *from - Duration{1}, *to);
        ReadingXml xml{*bank, readings.channels(*bank), form,
                       [](const ObisCode&, const cim::ReadingType&) { return true; }};
        ReadingXml::each(piece, [&](const ReadingXml::MeterRows& rows) {
            xml.write(payload, rows);
            return true;
        });
    }
    return payload.append(meter_readings_close);
}

std::string event_of(Connection& connection, const Contract& contract, const OutboxMessage& message,
                     const Data& data) {
    const auto form = cim_form(connection, contract, message.at, message.at);
    std::string at, payload;
    append_instant(at, message.at, form.offsets);
    const auto name = word_in(data, "name"), code = word_in(data, "code");
    platform::XmlWriter xml{payload};
    xml.open("EndDeviceEvents").attribute("xmlns", profile_space("EndDeviceEvents")).open("EndDeviceEvent");
    xml.element("mRID", std::to_string(message.id)).element("createdDateTime", at).element("reason", name);
    xml.open("Assets").open("Names").element("name", message.subject).close().close();
    for (const auto& [key, value] : *data)
        if (key != "name" && key != "code")
            xml.open("EndDeviceEventDetails").element("name", key).element("value", value.toString()).close();
    xml.open("EndDeviceEventType").attribute("ref", code.empty() ? name : code).close();
    xml.close().close();
    return payload;
}

}  // namespace

std::string cim_push(Connection& connection, const Contract& contract, const OutboxMessage& message) {
    Data data;
    try {
        data = Poco::JSON::Parser{}.parse(message.data).extract<Data>();
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("message " + std::to_string(message.id) +
                                 " of the outbox: " + error.displayText());
    }
    const bool readings = message.topic == "readings";
    return write_event_message({"outbox-" + std::to_string(message.id), {}, message.at}, "created",
                               readings ? "MeterReadings" : "EndDeviceEvents",
                               readings ? readings_of(connection, contract, message, data)
                                        : event_of(connection, contract, message, data));
}

}  // namespace wattmesh::headend::exchange
