#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <catch2/catch.hpp>

#include "tests/headend/console/site.h"

using Poco::JSON::Object;
using wattmesh::test::SiteUnderTest;

namespace {

/// "kind number name" of what was found, in its order.
std::vector<std::string> found_by(const wattmesh::test::Reply& reply) {
    INFO(reply.body);
    REQUIRE(reply.status == 200);
    std::vector<std::string> found;
    const auto items = Poco::JSON::Parser{}.parse(reply.body).extract<Object::Ptr>()->getArray("items");
    for (std::size_t i = 0; i < items->size(); ++i) {
        const auto one = items->getObject(static_cast<unsigned>(i));
        found.push_back(one->getValue<std::string>("kind") + " " + one->getValue<std::string>("number") +
                        " " + one->getValue<std::string>("name"));
    }
    return found;
}
using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("console search: a number by its end, with its leading zeros or without", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(found_by(site.get("/api/search?q=540000000007")) == Lines{"meter 540000000007 Ada Lovelace"});
    CHECK(found_by(site.get("/api/search?q=5400%200000%200007")) == Lines{"meter 540000000007 Ada Lovelace"});
    const auto by_end = found_by(site.get("/api/search?q=0007"));
    REQUIRE(!by_end.empty());
    CHECK(by_end.front() == "meter 540000000007 Ada Lovelace");
    CHECK(found_by(site.get("/api/search?q=0000900000000001")).empty());  // more than twelve digits
    CHECK(found_by(site.get("/api/search?q=900000000001")).front().rfind("concentrator 900000000001", 0) ==
          0);
    CHECK(found_by(site.get("/api/search?q=7")).empty());
}

TEST_CASE("console search: customers by two letters of name or address, nodes by number", "[console]") {
    SiteUnderTest site;
    site.run(
        "insert into customer (tenant, area, number, name, address) values (1, 1, 'C8', '张伟', '解放路 12 "
        "号'), "
        "(1, 1, 'C9', '100%_sure', '')");
    REQUIRE(site.sign_in("ada").status == 200);
    CHECK(found_by(site.get("/api/search?q=lovelace%20mill")) == Lines{"customer C7 Ada Lovelace"});
    CHECK(found_by(site.get("/api/search?q=ov")) == Lines{"customer C7 Ada Lovelace"});
    CHECK(found_by(site.get("/api/search?q=%E5%BC%A0%E4%BC%9F")) == Lines{"customer C8 张伟"});
    CHECK(found_by(site.get("/api/search?q=%E8%A7%A3%E6%94%BE")) == Lines{"customer C8 张伟"});
    CHECK(found_by(site.get("/api/search?q=0%25_")) == Lines{"customer C9 100%_sure"});
    CHECK(found_by(site.get("/api/search?q=a_a")).empty());  // no wildcard of a person's
    CHECK(found_by(site.get("/api/search?q=tx-1")).front().rfind("transformer TX-1", 0) == 0);
    CHECK(found_by(site.get("/api/search?q=%27%3Bdrop")).empty());
}

TEST_CASE("console search: another area's customers are not found", "[console]") {
    SiteUnderTest site;
    site.run("insert into customer (tenant, area, number, name) values (2, 3, 'X1', 'Ada Farther')");
    REQUIRE(site.sign_in("ada").status == 200);
    const auto found = found_by(site.get("/api/search?q=ada"));
    CHECK(std::find(found.begin(), found.end(), "customer C7 Ada Lovelace") != found.end());
    CHECK(std::find(found.begin(), found.end(), "customer X1 Ada Farther") == found.end());
}

TEST_CASE("console search: a pasted list says what is wrong with which row", "[console]") {
    SiteUnderTest site;
    REQUIRE(site.sign_in("ada").status == 200);
    const auto reply = site.post(
        "/api/search/meters",
        R"({"text":"5400 0000 0007, Ada\n540000000007\n\n12 Mill road\n540000000099\n540000000003"})");
    INFO(reply.body);
    REQUIRE(reply.status == 200);
    const auto answer = Poco::JSON::Parser{}.parse(reply.body).extract<Object::Ptr>();
    CHECK(answer->getValue<int>("rows") == 6);
    const auto found = answer->getArray("found"), problems = answer->getArray("problems");
    REQUIRE(found->size() == 2);
    CHECK(found->getObject(0)->getValue<std::string>("customer") == "Ada Lovelace");
    CHECK(found->getObject(1)->getValue<int>("row") == 6);
    REQUIRE(problems->size() == 4);
    CHECK(problems->getObject(0)->getValue<std::string>("problem") == "The number stands in row 1 already.");
    CHECK(problems->getObject(1)->getValue<std::string>("problem").find("blank") != std::string::npos);
    CHECK(problems->getObject(2)->getValue<std::string>("text") == "12 Mill road");
    CHECK(problems->getObject(3)->getValue<std::string>("problem").find("540000000099") != std::string::npos);
    CHECK(site.post("/api/search/meters", R"({"text":"123456789012345678901234567890123456789路"})")
              .has(R"("123456789012345678901234567890123456789")"));  // no half character
    std::string rows;
    for (int i = 0; i < 10'001; ++i) rows += "1\\n";
    CHECK(site.post("/api/search/meters", R"({"text":")" + rows + "\"}").has("10 000 rows"));
}
