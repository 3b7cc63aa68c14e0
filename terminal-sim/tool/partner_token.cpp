#include "terminal-sim/tool/partner_token.h"

#include <Poco/Base64Encoder.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <sstream>
#include <stdexcept>

namespace wattmesh::sim {
namespace {

std::string member(const std::string& text, const char* name) {
    try {
        const auto object = Poco::JSON::Parser{}.parse(text).extract<Poco::JSON::Object::Ptr>();
        if (object && object->has(name)) return object->getValue<std::string>(name);
    } catch (const Poco::Exception&) {  // said below
    }
    throw std::runtime_error(std::string{"there is no '"} + name + "' in: " + text.substr(0, 200));
}

platform::HttpUrl token_place(platform::HttpUrl base) {
    base.path = "/partner/oauth/token";
    return base;
}

}  // namespace

PartnerClient parse_client(const std::string& text) {
    return {member(text, "client_id"), member(text, "client_secret")};
}

PartnerToken::PartnerToken(const platform::HttpUrl& base, PartnerClient client,
                           const platform::HttpClientSettings& settings)
    : client_(std::move(client)), http_(token_place(base), settings) {}

std::pair<std::string, std::string> PartnerToken::header() {
    if (token_.empty()) {
        std::ostringstream basic;
        Poco::Base64Encoder encoder{basic};
        encoder.rdbuf()->setLineLength(0);
        encoder << client_.id << ":" << client_.secret;
        encoder.close();
        const auto answer = http_.post({{"Authorization", "Basic " + basic.str()}},
                                       "application/x-www-form-urlencoded", "grant_type=client_credentials");
        if (answer.status != 200)
            throw std::runtime_error("no token (" + std::to_string(answer.status) + "): " + answer.body);
        token_ = member(answer.body, "access_token");
    }
    return {"Authorization", "Bearer " + token_};
}

}  // namespace wattmesh::sim
