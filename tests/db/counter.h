#pragma once
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>

#include "headend/database/api_tokens.h"
#include "headend/vending/service.h"
#include "security/ciphers.h"
#include "security/password.h"
#include "tests/db/shop.h"

namespace wattmesh::test {

struct Answered {
    int status = 0;
    std::string body, cookie, type;
    bool has(const std::string& text) const { return body.find(text) != std::string::npos; }
};

/// The vending role's interface over a shop, with a token for an operator of Corner and one for a supervisor.
struct Counter {
    explicit Counter(headend::vending::Shopfront front = {},
                     std::optional<headend::console::ConsoleSettings> machines = {}) {
        headend::console::ConsoleSettings settings;
        settings.port = 0;
        settings.openapi = "headend/vending/openapi.yaml";
        settings.connections = 4;
        service = std::make_unique<headend::vending::Service>(
            settings, shop.database.settings("wm_vending"),
            headend::vending::Service::Ports{
                .clock = shop.clock,
                .random = shop.random,
                .seller = seller,
                .module = *shop.module,
                .verify = security::verify_password,
                .hash = [this](std::string_view word) { return security::hash_password(word, shop.random); },
                .log = [](std::string_view, const std::string&) {},
                .front = std::move(front),
                .machines = std::move(machines)});
        service->start();
        operator_ = user("olga", Role::vendor);
        supervisor = user("sue", Role::supervisor);
        viewer = user("vic", Role::viewer);
        const auto corner = Vendors{shop.admin}.find(TenantId{1}, "Corner");
        REQUIRE(Vendors{shop.admin}.put_operator("olga", corner->id));
    }
    std::string user(const std::string& login, Role role) {
        const auto id = Users{shop.admin}.put(TenantId{1}, login, login, {{role, {}}}, "x", shop.clock.now());
        const auto token = "wm_" + std::string(64 - login.size() * 2, 'a') + to_hex(as_bytes(login));
        const auto hash = security::sha256(as_bytes(token));
        ApiTokens{shop.admin}.add(id, login, false, hash, shop.clock.now(),
                                  shop.clock.now() + std::chrono::hours{9});
        return token;
    }
    Answered ask(const std::string& method, const std::string& path, const std::string& body,
                 const std::string& token, const std::string& key = "") {
        Poco::Net::HTTPClientSession http{"127.0.0.1", service->port()};
        Poco::Net::HTTPRequest request{method, path, Poco::Net::HTTPMessage::HTTP_1_1};
        if (!token.empty()) request.set("Authorization", "Bearer " + token);
        if (!cookie.empty()) request.set("Cookie", cookie);
        if (!csrf.empty()) request.set("X-CSRF-Token", csrf);
        if (!key.empty()) request.set("Idempotency-Key", key);
        if (method != "GET") request.setContentType("application/json");
        request.setContentLength(static_cast<std::streamsize>(body.size()));
        http.sendRequest(request) << body;
        Poco::Net::HTTPResponse response;
        Answered answered;
        Poco::StreamCopier::copyToString(http.receiveResponse(response), answered.body);
        answered.status = response.getStatus();
        answered.cookie = response.get("Set-Cookie", "");
        answered.type = response.getContentType();
        return answered;
    }
    Answered post(const std::string& path, const std::string& body, const std::string& key = "") {
        return ask("POST", path, body, operator_, key);
    }
    std::string meter(int i) const { return std::string{Shop::pan(i).meter_number()}; }
    std::string order(int i, int tender, const std::string& till = "T1") const {
        return R"({"terminal":")" + till + R"(","meter":")" + meter(i) + R"(","tender":)" +
               std::to_string(tender) + "}";
    }

    Shop shop;
    Seller seller{shop.seller()};
    std::unique_ptr<headend::vending::Service> service;
    std::string operator_, supervisor, viewer;
    std::string cookie, csrf;  ///< of a person who signed in
};

}  // namespace wattmesh::test
