// What is no message of IEC 61968-100, or only looks like one.
#include <Poco/Net/StreamSocket.h>

#include <catch2/catch.hpp>

#include "terminal-sim/tool/cim_partner.h"
#include "tests/headend/exchange/rest_scene.h"
#include "tests/headend/exchange/xsd.h"

using namespace wattmesh;
using namespace wattmesh::test;

namespace {

const std::string head =
    R"(<RequestMessage xmlns="http://iec.ch/TC57/2011/schema/message"><Header><Verb>get</Verb><Noun>MeterReadings</Noun>)";
std::string message(const std::string& header, const std::string& rest) {
    return head + header + "</Header>" + rest + "</RequestMessage>";
}
std::string query(const std::string& inside) {
    return R"(<Request><GetMeterReadings xmlns="http://iec.ch/TC57/2011/GetMeterReadings#">)" + inside +
           "</GetMeterReadings></Request>";
}
const std::string one_meter = "<EndDevice><mRID>540000000000</mRID></EndDevice>";

}  // namespace

TEST_CASE("61968: what cannot be read is refused in words, and nothing happens", "[exchange][cim][db]") {
    RestScene scene;
    struct Row {
        const char* why;
        std::string body;
        int status;
        const char *code, *word;
    };
    const std::string id = "<MessageID>x</MessageID>";
    const std::vector<Row> rows{
        {"nothing", " ", 400, "1.8", "no element"},
        {"half a message", message(id, "").substr(0, 150), 400, "1.8", "line 1"},
        {"another element", "<Message xmlns='http://iec.ch/TC57/2011/schema/message'/>", 400, "1.8",
         "Message"},
        {"another namespace", "<RequestMessage xmlns='urn:x'/>", 400, "1.8", "urn:x"},
        {"no header", "<RequestMessage xmlns='http://iec.ch/TC57/2011/schema/message'/>", 400, "1.5",
         "Header"},
        {"no id", message("", query(one_meter)), 400, "1.5", "MessageID"},
        {"an id with blanks", message("<MessageID>a b</MessageID>", query(one_meter)), 400, "2.15",
         "MessageID"},
        {"a strange header", message(id + "<Verbosity>1</Verbosity>", query(one_meter)), 400, "1.8",
         "Verbosity"},
        {"another revision", message(id + "<Revision>7</Revision>", query(one_meter)), 400, "1.9", "2.0"},
        {"no request", message(id, ""), 200, "1.6", "GetMeterReadings"},
        {"a payload of another namespace",
         message(id, "<Request><GetMeterReadings xmlns='urn:y'/></Request>"), 200, "1.8", "urn:y"},
        {"a strange element", message(id, query(one_meter + "<Wish/>")), 200, "1.8", "Wish"},
        {"a strange element inside", message(id, query("<EndDevice><mRID>1</mRID><x/></EndDevice>")), 200,
         "1.8", "'x'"},
        {"no device", message(id, query("")), 200, "5.8", "EndDevice"},
        {"no interval",
         message(id, query(one_meter + "<TimeSchedule><scheduleInterval><start>2026-03-10T00:00:00Z</start>"
                                       "</scheduleInterval></TimeSchedule>")),
         200, "1.8", "end"},
        {"no instant",
         message(id, query(one_meter + "<TimeSchedule><scheduleInterval><start>today</start>"
                                       "</scheduleInterval></TimeSchedule>")),
         200, "1.8", "today"},
        {"another noun",
         "<RequestMessage "
         "xmlns='http://iec.ch/TC57/2011/schema/message'><Header><Verb>get</Verb><Noun>Tea</Noun>" +
             id + "</Header></RequestMessage>",
         200, "2.5", "Tea"},
        {"a document type", "<!DOCTYPE a [<!ENTITY b 'c'>]>" + message(id, ""), 400, "1.8", "DOCTYPE"},
        {"Latin-1",
         "<?xml version='1.0' encoding='ISO-8859-1'?>" + message(id + "<Comment>\xE4</Comment>", ""), 400,
         "1.8", "line 1"},
        {"UTF-16", std::string("\xFF\xFE<\0a\0/\0>\0", 10), 400, "1.8", "UTF-8"},
        {"a bomb",
         "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
         "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><l>&c;</l>",
         400, "1.8", "DOCTYPE"},
        {"too deep",
         [] {
             std::string deep;
             for (int i = 0; i < 100; ++i) deep += "<a>";
             return deep;
         }(),
         413, "1.8", "deep"},
    };
    for (const auto& row : rows) {
        INFO(row.why);
        auto body = row.body;
        if (const auto at = body.find(id); at != std::string::npos)
            body.insert(at + id.find("x") + 1, std::to_string(&row - rows.data()));
        const auto reply = scene.cim("north", body);
        CHECK(reply.status == row.status);
        INFO(reply.body);
        CHECK(schema_faults(reply.body) == "");
        const auto said = sim::parse_said(reply.body);
        CHECK(said.root == (row.status == 200 ? "ResponseMessage" : "FaultMessage"));
        CHECK(said.result == "FAILED");
        REQUIRE(said.errors.size() == 1);
        CHECK(said.errors[0].code == row.code);
        CHECK(said.errors[0].reason.find(row.word) != std::string::npos);
        CHECK(scene.town.value("select count(*) from job") == 0);
        CHECK(scene.lines.empty());
    }
}

TEST_CASE("61968: who has no token, or sends something else, gets no further", "[exchange][cim][db]") {
    RestScene scene;
    const auto text = message("<MessageID>x</MessageID>", query(one_meter));
    CHECK(scene.ask({.method = "POST", .path = "/partner/cim", .body = text, .type = "application/xml"})
              .status == 401);
    CHECK(scene.cim("north", text, "application/json").status == 415);
    CHECK(scene.cim("north", std::string((std::size_t{2} << 20) + 1, ' ')).status == 413);
    CHECK(scene.ask({.path = "/partner/cim", .token = scene.token("north")}).status == 405);
}

TEST_CASE("61968: a gigabyte that is announced, and a body that drips, are not waited for",
          "[exchange][cim][db]") {
    RestScene scene;
    scene.token("north");  // takes a while on a busy machine, and a connection would be silent meanwhile
    struct Line {
        Line(RestScene& scene, const std::string& length)
            : socket(Poco::Net::SocketAddress{"127.0.0.1", scene.server->port()}) {
            socket.setReceiveTimeout(Poco::Timespan{10, 0});
            send(
                "POST /partner/cim HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nAuthorization: "
                "Bearer " +
                scene.token("north") + "\r\nContent-Length: " + length + "\r\n\r\n<a>");
        }
        void send(const std::string& text) { socket.sendBytes(text.data(), static_cast<int>(text.size())); }
        std::string status() {
            std::string text(12, '\0');
            return socket.receiveBytes(text.data(), static_cast<int>(text.size())) == 12 ? text : "";
        }
        Poco::Net::StreamSocket socket;
    };
    CHECK(Line(scene, "1073741824").status() == "HTTP/1.1 413");
    CHECK(Line(scene, "1000").status() == "HTTP/1.1 408");  // and then nothing
    Line dripping{scene, "1000"};
    // Half a second apart: never silent for long, and never whole. Who is answered stops.
    for (int i = 0;
         i < 100 && !dripping.socket.poll(Poco::Timespan{0, 500'000}, Poco::Net::Socket::SELECT_READ); ++i)
        dripping.send(" ");
    CHECK(dripping.status() == "HTTP/1.1 408");
}

TEST_CASE("61968: in a SOAP envelope goes, in a SOAP envelope comes", "[exchange][cim][db]") {
    RestScene scene;
    sim::CimRequestText request{
        .verb = "get",
        .noun = "MeterReadings",
        .message_id = "a",
        .request = sim::get_meter_readings({to_string(customer(0))}, {}, "2026-03-10T00:00:00Z",
                                           "2026-03-11T00:00:00Z"),
        .wrapping = sim::CimRequestText::Wrapping::soap_1_1};
    const auto first = scene.cim("north", sim::write_request(request), "text/xml");
    CHECK(first.status == 200);
    CHECK(first.header("content-type").starts_with("text/xml"));
    CHECK(first.has("http://schemas.xmlsoap.org/soap/envelope/"));
    CHECK(sim::parse_said(first.body).readings.size() == 32);
    request.wrapping = sim::CimRequestText::Wrapping::soap_1_2;
    request.message_id = "b";
    const auto second = scene.cim("north", sim::write_request(request), "application/soap+xml");
    CHECK(second.header("content-type").starts_with("application/soap+xml"));
    CHECK(second.has("http://www.w3.org/2003/05/soap-envelope"));
    CHECK(sim::parse_said(second.body).readings.size() == 32);
    // An operation that a partner's WSDL names.
    auto operation = sim::write_request(request);
    for (const auto& [from, to] :
         {std::pair<std::string, std::string>{"<RequestMessage xmlns=", "<o:Get xmlns:o='urn:o' xmlns="},
          {"</RequestMessage>", "</o:Get>"},
          {"<MessageID>b", "<MessageID>c"}})
        operation.replace(operation.find(from), from.size(), to);
    CHECK(sim::parse_said(scene.cim("north", operation, "text/xml").body).readings.size() == 32);

    auto strange = sim::write_request(request);
    strange.replace(strange.find("<s:Body>"), 8,
                    "<s:Header><w:Security xmlns:w='urn:w' s:mustUnderstand='1'/></s:Header><s:Body>");
    const auto fault = scene.cim("north", strange, "application/soap+xml");
    CHECK(fault.status == 400);
    CHECK(fault.has("soap:Sender"));
    CHECK(fault.has("Security"));
}
