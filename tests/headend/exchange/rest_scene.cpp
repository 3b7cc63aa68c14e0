#include "tests/headend/exchange/rest_scene.h"

#include <Poco/Net/HTTPBasicCredentials.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/String.h>

#include <stdexcept>

namespace wattmesh::test {
namespace {

namespace net = Poco::Net;

RestReply send(std::uint16_t port, net::HTTPRequest& request, const std::string& body) {
    net::HTTPClientSession http{"127.0.0.1", port};
    request.setContentLength(static_cast<std::streamsize>(body.size()));
    http.sendRequest(request) << body;
    net::HTTPResponse response;
    RestReply reply;
    Poco::StreamCopier::copyToString(http.receiveResponse(response), reply.body);
    reply.status = response.getStatus();
    for (const auto& [name, value] : response) reply.headers[Poco::toLower(name)] = value;
    return reply;
}

const DeviceNumber other_unit = number("900000000002");

}  // namespace

std::string RestReply::header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string{} : found->second;
}

RestScene::RestScene(const std::vector<std::string>& allowed) {
    const auto second = Concentrators{town.admin}.add(other_unit, "Station 2", midnight);
    town.admin.execute(
        "insert into area values (2, 1, 'Area 2'); update concentrator set area = 2 where id = " +
            std::to_string(second.value) + "; update meter set area = 2, concentrator = " +
            std::to_string(second.value) + " where number in (" + std::to_string(customer(2).integer()) +
            ", " + std::to_string(customer(3).integer()) + ")",
        "making another area");
    other_epoch_ = Concentrators{town.frontend}.open_session(other_unit, midnight)->epoch;
    for (int meter = 0; meter < 4; ++meter) {
        std::vector<dcu::IntervalRow> rows;
        for (int i = 1; i <= 8; ++i) rows.push_back(interval(quarter(i), 100 * meter + i));
        auto batch = next_batch(meter);
        batch.intervals.push_back(Town::entry(meter, batch.to.value, std::move(rows)));
        store(batch);
    }
    const auto hash = [&](const std::string& name) {
        return security::hash_password("secret of " + name, random);
    };
    for (const int area : {1, 2}) {
        Contract contract;
        contract.name = area == 1 ? "north" : "south";
        contract.areas = {AreaId{area}};
        contract.topics = {"event", "job"};
        contract.allowed = allowed;
        contract.id = Contracts{town.admin}.put(contract, midnight, "tester");
        PartnerClient program;
        program.contract = contract.id;
        program.name = client(contract.name);
        program.secret_hash = hash(contract.name);
        program.created = midnight;
        program.created_by = "tester";
        PartnerClients{town.admin}.add(program);
    }
    headend::exchange::RestSettings settings;
    settings.database = town.database.settings("wm_exchange");
    settings.openapi = "headend/exchange/openapi.yaml";
    settings.second_person_above = 1;
    settings.connections = 3;
    settings.replies_every = {};
    settings.silence_max = std::chrono::seconds{2};
    settings.body_wait = std::chrono::seconds{2};
    settings.plain_replies = true;
    const auto log = [this](std::string_view, const std::string& line) {
        const std::lock_guard lock{mutex};
        lines.push_back(line);
    };
    server = std::make_unique<headend::exchange::RestServer>(settings, clock, random, log);
    desk = std::make_unique<headend::exchange::RestDesk>(settings, clock, random, log);
    courier = std::make_unique<headend::exchange::CimCourier>(*desk);
    server->start();
}

Batch RestScene::next_batch(int meter) {
    const bool south = meter >= 2;
    auto& sequence = sequences_[south];
    auto batch = town.batch(sequence, sequence + 1, {});
    ++sequence;
    if (south) {
        batch.concentrator = other_unit;
        batch.journal = journal(2);
        batch.epoch = other_epoch_;
    }
    return batch;
}

void RestScene::store(const Batch& batch) {
    if (town.store(batch).outcome != StoreOutcome::stored)
        throw std::runtime_error("the batch was not stored");
}

void RestScene::lose_power(int meter, Instant at) {
    auto batch = next_batch(meter);
    headend::frontend::JournalEvent event;
    event.entry.sequence = batch.to;
    event.entry.meter = customer(meter);
    event.entry.kind = dcu::EntryKind::power_lost;
    event.entry.time = at;
    event.entry.payload = dcu::encode(dcu::PowerLoss{});
    batch.events.push_back(event);
    store(batch);
}

RestReply RestScene::ask(const Ask& ask) {
    net::HTTPRequest request{ask.method, ask.path, net::HTTPMessage::HTTP_1_1};
    if (!ask.token.empty()) request.set("Authorization", "Bearer " + ask.token);
    if (!ask.key.empty()) request.set("Idempotency-Key", ask.key);
    if (!ask.accept.empty()) request.set("Accept", ask.accept);
    if (!ask.if_none_match.empty()) request.set("If-None-Match", ask.if_none_match);
    if (!ask.body.empty()) request.setContentType(ask.type);
    return send(server->port(), request, ask.body);
}

RestReply RestScene::get(const std::string& partner, const std::string& path, const std::string& accept) {
    return ask({.path = path, .token = token(partner), .accept = accept});
}

RestReply RestScene::post(const std::string& partner, const std::string& path, const std::string& body,
                          const std::string& key) {
    return ask({.method = "POST", .path = path, .body = body, .token = token(partner), .key = key});
}

RestReply RestScene::cim(const std::string& partner, const std::string& message, const std::string& type) {
    return ask(
        {.method = "POST", .path = "/partner/cim", .body = message, .token = token(partner), .type = type});
}

RestReply RestScene::ask_token(const std::string& name, const std::string& secret, bool basic) {
    net::HTTPRequest request{"POST", "/partner/oauth/token", net::HTTPMessage::HTTP_1_1};
    request.setContentType("application/x-www-form-urlencoded");
    std::string form = "grant_type=client_credentials";
    if (basic)
        net::HTTPBasicCredentials{name, secret}.authenticate(request);
    else
        form += "&client_id=" + name + "&client_secret=" + secret;
    for (auto& c : form)
        if (c == ' ') c = '+';
    return send(server->port(), request, form);
}

std::string RestScene::token(const std::string& partner) {
    auto& known = tokens_[partner];
    if (known.empty()) {
        const auto reply = ask_token(client(partner), "secret of " + partner);
        const auto at = reply.body.find("wmp_");
        if (at != std::string::npos) known = reply.body.substr(at, 4 + 64);
    }
    return known;
}

Contract RestScene::contract(const std::string& name) { return Contracts{town.admin}.find(name).value(); }
void RestScene::put(const Contract& contract) { Contracts{town.admin}.put(contract, midnight, "tester"); }

void RestScene::tell(int area, const std::string& type, const std::string& subject) {
    town.admin.execute("select tell(1, " + std::to_string(area) + ", 'event', '" + type + "', '" + subject +
                           "', 1, 1000000, '{\"name\": \"power_lost\", \"code\": \"3.26.0.85\"}')",
                       "telling");
    Outbox{exchange}.seal(clock.at, 1'000);
}

}  // namespace wattmesh::test
