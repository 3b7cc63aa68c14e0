#include <catch2/catch.hpp>
#include <fstream>

#include "tests/db/counter.h"

namespace wattmesh::test {
namespace {

std::string after(const std::string& body, const std::string& name) {
    const auto at = body.find("\"" + name + "\":\"");
    return at == std::string::npos ? ""
                                   : body.substr(at + name.size() + 4,
                                                 body.find('"', at + name.size() + 4) - at - name.size() - 4);
}

}  // namespace

TEST_CASE("vending desk: a name is masked for who sells, and shown to who manages", "[db]") {
    using headend::vending::masked;
    CHECK(masked("Asha Rao") == "A\u2022\u2022 R\u2022\u2022");
    CHECK(masked("17 Mill  Road") == "\u2022\u2022 M\u2022\u2022 R\u2022\u2022");
    CHECK(masked("\u738B\u5C0F\u660E") == "\u738B\u2022\u2022");
    CHECK(masked("X") == "\u2022\u2022");
    CHECK(masked("\xE7\x8E") == "\u2022\u2022");  // cut off
    CHECK(masked("").empty());
    Counter counter;
    counter.service->set_ready();
    const auto path = "/api/vend/meters/" + counter.meter(0);
    CHECK_FALSE(counter.ask("GET", path, "", counter.operator_).has("Customer 0"));
    CHECK_FALSE(counter.ask("GET", path, "", counter.operator_).has("Road 1"));
    CHECK(counter.ask("GET", path, "", counter.supervisor).has("\"address\":\"Road 1\""));
    CHECK_FALSE(counter.post("/api/vend/quotes", counter.order(0, 10'000)).has("Customer 0"));
    // what the customer takes away is whole
    CHECK(counter.post("/api/vend/sales", counter.order(0, 10'000), "a").has("\"name\":\"Customer 0\""));
    const auto past = counter.ask("GET", path, "", counter.operator_);
    CHECK(past.has("\"last_purchase\":{\"at\":\"2026-03-10T06:00:00.000Z\",\"tender\":10000"));
    CHECK(past.has("\"key_changed\":null"));
}

TEST_CASE("vending desk: customers are found by a part of their name or their number", "[db]") {
    Counter counter;
    counter.shop.admin.execute("update customer_account set name = 'Asha 100%_Rao' where number = 'A0'",
                               "naming");
    const auto find = [&](const std::string& words, const std::string& token) {
        return counter.ask("GET", "/api/vend/meters?search=" + words, "", token);
    };
    CHECK(find("tomer", counter.supervisor).has("\"customer\":\"Customer 1\""));
    CHECK(find("TOMER", counter.operator_).has(counter.meter(2)));
    CHECK_FALSE(find("tomer", counter.operator_).has("Customer"));
    CHECK(find("0%25_r", counter.supervisor).has(counter.meter(0)));
    CHECK(find("0%25%25r", counter.supervisor).body == R"({"items":[],"more":false})");
    CHECK(find("A2x", counter.supervisor).body == R"({"items":[],"more":false})");
    CHECK(find("To", counter.operator_).status == 400);
    CHECK(find("tomer", counter.viewer).status == 403);
}

TEST_CASE("vending desk: tills with their shifts, and what was sold at them", "[db]") {
    Counter counter{{.utility = "Riverside", .currency = "R"}};
    counter.service->set_ready();
    const auto desk = [&](const std::string& token) {
        return counter.ask("GET", "/api/vend/desk", "", token);
    };
    CHECK(desk(counter.operator_).has("\"utility\":\"Riverside\""));
    CHECK(desk(counter.operator_).has("\"terminal\":\"T2\""));
    CHECK_FALSE(desk(counter.operator_).has("K1"));
    CHECK(desk(counter.supervisor).has("K1"));
    CHECK(desk(counter.operator_).has("\"shift\":null"));
    CHECK(counter.post("/api/vend/shifts", R"({"terminal":"T1"})").status == 201);
    CHECK(desk(counter.operator_).has("\"operator\":\"olga (token olga)\""));
    REQUIRE(counter.post("/api/vend/sales", counter.order(0, 10'000), "a").status == 200);
    CHECK(desk(counter.operator_).has("\"available\":9990000"));
    const auto sold = counter.ask("GET", "/api/vend/sales?terminal=T1", "", counter.operator_);
    CHECK(sold.has("\"tender\":10000"));
    CHECK(sold.has("\"confirmed\":false"));
    CHECK(sold.has(counter.meter(0)));
    CHECK(counter.ask("GET", "/api/vend/sales?terminal=T2", "", counter.operator_).body == R"({"items":[]})");
    CHECK(counter.ask("GET", "/api/vend/sales?terminal=K1", "", counter.operator_).status == 403);
    CHECK(counter.ask("GET", "/api/vend/sales", "", counter.operator_).status == 403);
}

TEST_CASE("vending desk: the receipt as a PDF and as a text message, with sum, units and digits", "[db]") {
    Counter counter{{.utility = "Riverside", .address = "4 Station Square", .currency = "R"}};
    counter.service->set_ready();
    const auto sale = counter.post("/api/vend/sales", counter.order(0, 123'456), "a");
    REQUIRE(sale.status == 200);
    const auto path = "/api/vend/sales/" + std::to_string(counter.shop.value("select max(id) from sale"));
    const auto paper = [&](const char* form, const std::string& token) {
        return counter.ask("GET", path + "/receipt?as=" + form, "", token);
    };
    const auto digits = sale.body.substr(sale.body.find("\"digits\":[\"") + 11, 24);
    const auto sms = paper("sms", counter.operator_);
    CHECK(sms.type == "text/plain; charset=utf-8");
    CHECK(sms.has("Riverside: " + after(sale.body, "units") + " kWh for R 1 234.56, meter " +
                  counter.meter(0)));
    CHECK(sms.has(digits));
    const auto text_of = [&](const Answered& pdf) {
        CHECK(pdf.type == "application/pdf");
        const security::Folder folder;
        std::ofstream{folder.path / "r.pdf", std::ios::binary} << pdf.body;
        const auto command = "pdftotext -layout '" + (folder.path / "r.pdf").string() + "' '" +
                             (folder.path / "r.txt").string() + "'";
        REQUIRE(std::system(command.c_str()) == 0);
        std::ifstream in{folder.path / "r.txt"};
        return std::string{std::istreambuf_iterator<char>{in}, {}};
    };
    const auto text = text_of(paper("pdf", counter.operator_));
    CHECK_THAT(text, Catch::Contains(digits) && Catch::Contains("4 Station Square") &&
                         Catch::Contains("Corner, T1") && Catch::Contains("Customer 0") &&
                         Catch::Contains("R 1 234.56") && !Catch::Contains("COPY"));
    CHECK(counter.post(path + "/confirm", "{}").status == 204);
    CHECK_THAT(text_of(paper("pdf", counter.operator_)), Catch::Contains("COPY 1"));
    CHECK(paper("sms", counter.operator_).has(digits));
    CHECK(counter.ask("GET", path, "", counter.operator_).has("\"copies\":2"));  // and is the third itself
    CHECK(counter.shop.value("select copies from sale where state = 'issued' and kind = 'sale'") == 3);
    CHECK(counter.shop.value("select count(*) from vend_journal where event = 'copy'") == 3);
    CHECK(paper("html", counter.operator_).status == 400);
    CHECK(counter.ask("POST", path + "/reverse", R"({"reason":"x"})", counter.supervisor).status == 204);
    CHECK(paper("pdf", counter.operator_).status == 409);
    CHECK_FALSE(counter.ask("GET", path, "", counter.operator_).has(digits));  // it was taken back
}

TEST_CASE("vending desk: an operator changes his password and makes tokens, though he may look at nothing",
          "[db]") {
    Counter counter;
    const auto id = Users{counter.shop.admin}.find("olga")->id;
    Users{counter.shop.admin}.set_password(id,
                                           security::hash_password("first password", counter.shop.random));
    const auto sign_in = [&](const std::string& password) {
        counter.cookie.clear();
        const auto answer =
            counter.ask("POST", "/api/login", R"({"user":"olga","password":")" + password + "\"}", "");
        counter.cookie = answer.cookie.substr(0, answer.cookie.find(';'));
        counter.csrf = after(answer.body, "csrf");
        return answer.status;
    };
    REQUIRE(sign_in("first password") == 200);
    // the console's cookie of the same host is another one
    CHECK_THAT(counter.cookie, Catch::StartsWith("wattmesh_vending="));
    CHECK(counter.ask("GET", "/api/me", "", "").status == 200);
    const auto own = std::exchange(counter.cookie, "wattmesh_session" + counter.cookie.substr(16));
    CHECK(counter.ask("GET", "/api/me", "", "").status == 401);
    counter.cookie = own;
    CHECK(counter.ask("POST", "/api/password", R"({"old_password":"no","password":"second password"})", "")
              .status == 403);
    CHECK(counter.ask("POST", "/api/password", R"({"old_password":"first password","password":"short"})", "")
              .status == 400);
    CHECK(counter
              .ask("POST", "/api/password",
                   R"({"old_password":"first password","password":"second password"})", "")
              .status == 204);
    CHECK(counter.ask("GET", "/api/vend/desk", "", "").status == 401);  // every session has ended
    CHECK(sign_in("first password") == 401);
    REQUIRE(sign_in("second password") == 200);
    const auto made = counter.ask("POST", "/api/tokens", R"({"name":"machine","look_only":false})", "");
    REQUIRE(made.status == 201);
    CHECK(counter.ask("POST", "/api/logout", "{}", "").status == 204);
    counter.cookie.clear();
    CHECK(counter.ask("GET", "/api/vend/desk", "", after(made.body, "token")).has("\"terminal\":\"T1\""));
    CHECK(counter.shop.value(
              "select count(*) from audit where actor = 'olga' and action in ('password change', "
              "'token add', 'logout')") == 3);
}

TEST_CASE("vending desk: a machine's ports keep money once for an order, and give it back", "[db]") {
    Counter counter{{.simulated_ports = true}};
    const auto act = [&](const std::string& what, const std::string& members) {
        return counter.post("/api/vend/ports/" + what, R"({"terminal":"T1")" + members + "}");
    };
    const auto state = [&](const std::string& key) {
        return after(counter.ask("GET", "/api/vend/ports?terminal=T1&key=" + key, "", counter.operator_).body,
                     "state");
    };
    const auto inserted = [&](int amount) {
        return counter.ask("GET", "/api/vend/ports?terminal=T1", "", counter.operator_)
            .has("\"inserted\":" + std::to_string(amount) + "}");
    };
    CHECK(act("person", R"(,"act":"insert","amount":500)").status == 409);  // closed
    CHECK(act("open", R"(,"kind":"cash","amount":2000)").status == 204);
    CHECK(act("person", R"(,"act":"insert","amount":1500)").status == 204);
    CHECK(act("person", R"(,"act":"insert","amount":600)").status == 409);
    CHECK(inserted(1500));
    CHECK(state("a") == "none");
    CHECK(act("close", "").status == 204);
    CHECK(act("person", R"(,"act":"insert","amount":500)").status == 409);  // what is counted is what is kept
    CHECK(inserted(1500));
    CHECK(act("take", R"(,"key":"a","amount":1000)").has("none"));  // another sum was priced
    CHECK(inserted(1500));
    CHECK(act("take", R"(,"key":"a","amount":1500)").has("taken"));
    CHECK(act("take", R"(,"key":"a","amount":1500)").has("taken"));
    CHECK(inserted(0));
    CHECK(act("take", R"(,"key":"b","amount":1500)").has("none"));  // nothing was put in for it
    CHECK(act("refund", R"(,"key":"a")").status == 204);
    CHECK(state("a") == "refunded");
    CHECK(act("open", R"(,"kind":"card","key":"c","amount":2000)").status == 204);
    CHECK(act("person", R"(,"act":"bad_card")").status == 204);
    CHECK(state("c") == "refused");
    CHECK(act("person", R"(,"act":"card")").status == 409);
    CHECK(act("open", R"(,"kind":"card","key":"d","amount":2000)").status == 204);
    CHECK(act("close", "").status == 204);
    CHECK(act("person", R"(,"act":"card")").status == 409);  // nothing is charged behind an asker's back
    CHECK(state("d") == "none");
    CHECK(act("open", R"(,"kind":"cash","amount":2000)").status == 204);
    CHECK(act("person", R"(,"act":"insert","amount":500)").status == 204);
    CHECK(act("back", "").status == 204);
    CHECK(inserted(0));
    CHECK(counter.post("/api/vend/ports/open", R"({"terminal":"K1","kind":"cash","amount":1})").status ==
          403);
    Counter real;
    CHECK(real.post("/api/vend/ports/open", R"({"terminal":"T1","kind":"cash","amount":1})").status == 404);
}

}  // namespace wattmesh::test
