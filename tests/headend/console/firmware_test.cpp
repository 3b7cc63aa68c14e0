#include <catch2/catch.hpp>

#include "protocol/cosem/image_file.h"
#include "security/base64.h"
#include "security/ciphers.h"
#include "tests/headend/console/site.h"

using namespace wattmesh;
using wattmesh::test::SiteUnderTest;

TEST_CASE("console firmware: an image is kept, ordered, shown meter by meter and activated", "[console]") {
    SiteUnderTest site;
    security::OpensslCiphers ciphers;
    const auto vendor = ciphers.generate(Curve::p256), stranger = ciphers.generate(Curve::p256);
    const auto upload = [&](PrivateKey& key) {
        cosem::ImageHeader header;
        header.model = "WMT-SIM";
        header.version = "WMT-SIM 2";
        header.identifier = {2};
        const auto file = cosem::sign_image(header, Buffer(700, 1), key, ciphers);
        return site.post("/api/firmware/images",
                         R"({"reason":"bug 7","file":")" + security::to_base64(file) + R"("})");
    };
    const std::string trust =
        R"({"reason":"contract","name":"Ohm","public_key":")" + to_hex(vendor->public_key()) + R"("})";
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(site.post("/api/firmware/vendors", trust).status == 403);
    REQUIRE(site.sign_in("amy").status == 200);
    CHECK(upload(*vendor).status == 400);  // nobody is trusted yet
    REQUIRE(site.post("/api/firmware/vendors", trust).status == 201);
    CHECK(site.post("/api/firmware/vendors", trust).status == 409);
    const auto kept = upload(*vendor);
    REQUIRE(kept.status == 201);
    CHECK(kept.has(R"("version":"WMT-SIM 2")"));
    CHECK(upload(*stranger).has("No vendor whose key is known"));
    CHECK(site.post("/api/firmware/images", R"({"reason":"x","file":"***"})").status == 400);
    CHECK(site.get("/api/firmware").has(R"("vendor":"Ohm")"));
    CHECK(site.value("select count(*) from wattmesh.audit where action = 'firmware upload' and reason = 'bug "
                     "7' and actor = 'amy'") == 1);

    const std::string to_one = R"({"image":1,"meters":["540000000001"],"reason":"bug 7"})";
    const auto ordered = site.post("/api/firmware/orders", to_one);
    REQUIRE(ordered.status == 202);
    CHECK(ordered.has("Firmware WMT-SIM 2 to 1 meter"));
    CHECK(site.post("/api/firmware/orders", to_one).has("540000000001"));  // is in an open order
    CHECK(site.post("/api/firmware/orders", R"({"image":9,"meters":["540000000001"],"reason":"x"})").status ==
          404);
    site.run(
        "update wattmesh.firmware_meter set state = 'failed', blocks = 5, trouble = 'the image is for "
        "another model'");
    const auto job = std::to_string(site.value("select max(id) from wattmesh.job"));
    const auto shown = site.get("/api/firmware/orders/" + job);
    CHECK(shown.has(R"("states":{"failed":1})"));
    CHECK(shown.has(R"("trouble":"the image is for another model")"));
    CHECK(shown.has(R"("concentrator":"900000000001","state":"")"));
    CHECK(site.get("/api/firmware/orders/" + job + "?state=verified").has(R"("meters":[])"));
    CHECK(site.get("/api/meters/540000000001/firmware").has(R"("state":"failed")"));
    CHECK(site.get("/api/meters/540000000002/firmware").has(R"("state":"")"));
    CHECK(site.post("/api/firmware/orders", to_one).status == 202);  // no longer open for it

    const std::string activate = R"({"image":1,"meters":["540000000001"],"reason":"bug 7")";
    CHECK(site.post("/api/firmware/activations", activate + R"(,"at":"soon"})").status == 400);
    CHECK(site.post("/api/firmware/activations", activate + R"(,"at":"2199-01-01T00:00:00Z"})").status ==
          400);
    CHECK(
        site.post("/api/firmware/activations", activate + "}").has("Activate firmware WMT-SIM 2 on 1 meter"));
}
