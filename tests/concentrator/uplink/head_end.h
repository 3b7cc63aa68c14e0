#pragma once
#include <map>

#include "protocol/dcu/objects.h"
#include "protocol/dlms/client.h"
#include "protocol/link/wrapper.h"
#include "tests/concentrator/reading/fake_meter.h"

namespace wattmesh::concentrator {

/// The other end of an uplink, as a front-end plays it: acknowledges hello, one DLMS client per SAP. Octets
/// in and out.
class HeadEnd {
public:
    HeadEnd(Ciphers& ciphers, Random& random)
        : replication(dlms::ClientConfig{}, ciphers, random, none_, none_),
          configuration(dlms::ClientConfig{}, ciphers, random, none_, none_) {}

    dlms::Client replication, configuration;
    std::vector<link::Hello> hellos;
    std::vector<link::GatewayFrame> relayed;
    std::vector<Sap> relayed_to;
    std::vector<dlms::Data> notifications;
    std::map<dlms::RequestId, dlms::ReadOutcome> reads;
    std::map<dlms::RequestId, dlms::AccessResult> writes;
    bool answers_hello = true;

    void receive(Bytes bytes) {
        decoder_.feed(bytes);
        while (const auto frame = decoder_.next()) on(*frame);
    }
    Buffer take_output() {
        for (auto* client : {&replication, &configuration}) {
            const Sap sap = client == &replication ? dcu::replication_client : dcu::configuration_client;
            while (const auto apdu = client->take_output()) send(sap, *apdu);
        }
        return std::exchange(output_, {});
    }
    void ask(const DeviceNumber& meter, Buffer apdu, Sap client = management_client) {
        send(client, link::encode_gateway({false, 0, {meter.bcd.begin(), meter.bcd.end()}, std::move(apdu)}));
    }
    void send_raw(Bytes bytes) { output_.insert(output_.end(), bytes.begin(), bytes.end()); }
    void send(Sap sap, Buffer payload) {
        const auto frame = link::encode_wrapper({sap, management_logical_device, std::move(payload)});
        output_.insert(output_.end(), frame.begin(), frame.end());
    }

private:
    void on(const link::WrapperFrame& frame) {
        if (link::is_hello(frame.payload)) {
            auto hello = *link::decode_hello(frame.payload);
            hellos.push_back(hello);
            hello.kind = hello.kind == link::Hello::Kind::login ? link::Hello::Kind::login_ack
                                                                : link::Hello::Kind::heartbeat_ack;
            hello.type = 3;
            if (answers_hello) send(management_logical_device, link::encode_hello(hello));
            return;
        }
        if (link::is_gateway(frame.payload)) {
            relayed.push_back(*link::decode_gateway(frame.payload));
            relayed_to.push_back(frame.destination);
            return;
        }
        auto& client = frame.destination == dcu::replication_client ? replication : configuration;
        client.receive(frame.payload);
        while (auto event = client.take_event()) {
            if (const auto* read = std::get_if<dlms::ReadCompleted>(&*event))
                reads[read->request] = read->outcome;
            if (const auto* write = std::get_if<dlms::WriteCompleted>(&*event))
                writes[write->request] = write->result;
            if (const auto* notified = std::get_if<dlms::Notified>(&*event))
                notifications.push_back(notified->body);
        }
    }

    PlainCounter none_;
    link::WrapperDecoder decoder_;
    Buffer output_;
};

}  // namespace wattmesh::concentrator
