#include "security/webhook_signature.h"

#include <catch2/catch.hpp>

using namespace wattmesh;
using namespace wattmesh::security;

namespace {

/// The reference vector of the libraries of Standard Webhooks (test "sign function works"; also in Svix's
/// documentation, "Verifying webhooks manually").
constexpr const char* vector_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* vector_id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::int64_t vector_seconds = 1614265330;
constexpr const char* vector_body = R"({"test": 2432232314})";
constexpr const char* vector_signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

}  // namespace

TEST_CASE("webhook signature: the reference vector", "[security]") {
    const auto secret = parse_webhook_secret(vector_secret);
    REQUIRE(secret);
    CHECK(webhook_signature(secret->reveal(), vector_id, vector_seconds, vector_body) == vector_signature);
    CHECK(webhook_secret_text(secret->reveal()) == vector_secret);
}

TEST_CASE("webhook signature: holds for what was signed and nothing else", "[security]") {
    const auto secret = parse_webhook_secret(vector_secret);
    const auto holds = [&](std::string_view header, std::string_view id, std::int64_t seconds,
                           std::string_view body) {
        return webhook_signature_holds(header, secret->reveal(), id, seconds, body);
    };
    CHECK(holds(vector_signature, vector_id, vector_seconds, vector_body));
    CHECK(holds(std::string{"v1,AAAA v1a,xyz "} + vector_signature, vector_id, vector_seconds, vector_body));
    CHECK_FALSE(holds(vector_signature, vector_id, vector_seconds + 1, vector_body));
    CHECK_FALSE(holds(vector_signature, "msg_other", vector_seconds, vector_body));
    CHECK_FALSE(holds(vector_signature, vector_id, vector_seconds, R"({"test": 2432232315})"));
    CHECK_FALSE(holds(vector_signature + 3, vector_id, vector_seconds, vector_body));
    CHECK_FALSE(holds("", vector_id, vector_seconds, vector_body));
    CHECK_FALSE(holds("  ", vector_id, vector_seconds, vector_body));
}

TEST_CASE("webhook secret: 24 to 64 octets behind whsec_", "[security]") {
    const auto text = [](std::size_t size) { return webhook_secret_text(Buffer(size, 7)); };
    CHECK(parse_webhook_secret(text(24)));
    CHECK(parse_webhook_secret(text(64)));
    CHECK_FALSE(parse_webhook_secret(text(23)));
    CHECK_FALSE(parse_webhook_secret(text(65)));
    CHECK_FALSE(parse_webhook_secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    CHECK_FALSE(parse_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!"));
}
