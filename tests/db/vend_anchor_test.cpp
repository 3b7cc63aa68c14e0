#include <catch2/catch.hpp>
#include <fstream>

#include "headend/vending/anchors.h"
#include "headend/vending/upkeep.h"
#include "tests/db/shop.h"

namespace wattmesh::test {
namespace {

using headend::vending::anchor_troubles;
using headend::vending::AnchorKeeper;
using namespace std::chrono_literals;

struct Days {
    explicit Days(int days) {
        Seller seller = shop.seller();
        for (int i = 0; i < days; ++i) {
            const auto key = "k" + std::to_string(i);
            Shop::sold(seller.sell(shop.vending, shop.order(0, key, 10'000)));
            VendJournal{shop.vending}.seal(shop.clock.now(), 1'000);
            shop.clock.at = shop.clock.now() + 24h;
            AnchorKeeper keeper = keeper_of();  // another process each day
            REQUIRE(keeper.anchor(shop.vending, shop.clock.now()));
            CHECK_FALSE(keeper.anchor(shop.vending, shop.clock.now() + 1h));
        }
    }
    AnchorKeeper keeper_of() { return {folder(), shop.master, random, ciphers}; }
    std::filesystem::path folder() const { return shop.folder.path / "counters"; }
    std::string troubles() {
        std::string all;
        for (const auto& one : anchor_troubles(shop.admin, ciphers, folder(), shop.clock.now()))
            all += one + "\n";
        return all;
    }

    Shop shop;
    security::SystemRandom random;
    security::OpensslCiphers ciphers;
};

}  // namespace

TEST_CASE("vending: each day of the journal is signed once, and the signature tells what it was", "[db]") {
    Days days{3};
    const auto anchors = VendAnchors{days.shop.vending}.all();
    REQUIRE(anchors.size() == 3);
    CHECK(anchors[2].head == VendJournal{days.shop.vending}.head());
    CHECK(anchor_text(anchors[0]).find("2026-03-10 batch 1 ") != std::string::npos);
    CHECK(days.ciphers.verify(wattmesh::Curve::p256, anchors[1].public_key, as_bytes(anchor_text(anchors[1])),
                              anchors[1].signature));
    CHECK(days.troubles().empty());
    // a day on which the role did not run is not signed
    VendJournal{days.shop.admin}.append(days.shop.clock.now(), "x", "boss", "");
    VendJournal{days.shop.vending}.seal(days.shop.clock.now(), 1'000);
    days.shop.clock.at = days.shop.clock.now() + 48h;
    CHECK_THAT(days.troubles(), Catch::Contains("sealed on 2026-03-13 has no anchor"));
}

TEST_CASE("vending: whoever writes the journal anew does not get past its anchors", "[db]") {
    Days days{3};
    struct Row {
        const char *statement, *words;
    };
    const auto row = GENERATE(values<Row>(
        {{"update vend_anchor set hash = sha256('x') where day = '2026-03-11'", "was altered"},
         {"update vend_anchor set day = '2026-03-01' where day = '2026-03-11'", "was altered"},
         {"update vend_seal set hash = sha256('x') where number = 2", "the journal was written anew"},
         {"delete from vend_anchor where day = '2026-03-11'", "has no anchor any more that was signed here"},
         {"delete from vend_anchor where day = '2026-03-12'", "has no anchor any more that was signed here"},
         {"update vend_anchor set public_key = decode(repeat('ab', 64), 'hex') where day = '2026-03-12'",
          "by another key"}}));
    CAPTURE(row.statement);
    days.shop.admin.execute(row.statement, "tampering");
    CHECK_THAT(days.troubles(), Catch::Contains(row.words));
}

TEST_CASE("vending: an anchor signed with another key is not taken, nor one that is only in the database",
          "[db]") {
    Days days{2};
    std::filesystem::rename(days.folder(), days.folder().string() + ".true");
    {
        AnchorKeeper liar = days.keeper_of();
        days.shop.admin.execute("delete from vend_anchor", "tampering");
        REQUIRE(liar.anchor(days.shop.vending, days.shop.clock.now()));
    }
    CHECK(days.troubles().empty());  // all of it is the liar's
    std::filesystem::remove_all(days.folder());
    std::filesystem::rename(days.folder().string() + ".true", days.folder());
    CHECK_THAT(days.troubles(), Catch::Contains("signed by another key") &&
                                    Catch::Contains("is not among those kept in") &&
                                    Catch::Contains("has no anchor any more"));
}

TEST_CASE("vending: a crash between the signed line and the database is no trouble; a restore begins anew",
          "[db]") {
    Days days{2};
    const auto last = VendAnchors{days.shop.vending}.all().back();
    days.shop.admin.execute("delete from vend_anchor where day = '2026-03-11'", "crashing");
    AnchorKeeper keeper = days.keeper_of();
    const auto again = keeper.anchor(days.shop.vending, days.shop.clock.now() + 1min);
    REQUIRE(again);
    CHECK(again->head == last.head);
    CHECK(days.troubles().empty());
    days.shop.admin.execute("delete from vend_anchor where day = '2026-03-11'", "putting an old dump back");
    headend::vending::begin_anchors_anew(days.shop.admin, days.folder(), days.shop.clock.now());
    CHECK_THAT(days.troubles(), Catch::Contains("sealed on 2026-03-11 has no anchor"));
    REQUIRE(keeper.anchor(days.shop.vending, days.shop.clock.now()));
    CHECK(days.troubles().empty());
    security::FileMasterKey other{Key256{std::array<std::uint8_t, 32>{1}}};
    CHECK_THROWS_AS((AnchorKeeper{days.folder(), other, days.random, days.ciphers}), security::FileError);
}

TEST_CASE("vending: a clock that is set back across midnight stops no signing, and no upkeep", "[db]") {
    Days days{2};
    auto& shop = days.shop;
    AnchorKeeper keeper = days.keeper_of();
    const auto sealed_at = [&](Duration step) {
        shop.clock.at = shop.clock.now() + step;
        VendJournal{shop.admin}.append(shop.clock.now(), "x", "boss", "");
        VendJournal{shop.vending}.seal(shop.clock.now(), 1'000);
    };
    sealed_at(-24h);  // on the 11th, which has its anchor
    shop.clock.at = shop.clock.now() + 24h;
    CHECK_FALSE(keeper.anchor(shop.vending, shop.clock.now()));
    CHECK(days.troubles().empty());
    sealed_at(0h);
    shop.clock.at = shop.clock.now() + 24h;
    const auto next = keeper.anchor(shop.vending, shop.clock.now());
    REQUIRE(next);
    CHECK(next->head == VendJournal{shop.vending}.head());  // covers what was sealed in between
    CHECK(days.troubles().empty());
    shop.clock.at = shop.clock.now() - 72h;
    CHECK_THAT(days.troubles(), Catch::Contains("the clock was set back"));
}

TEST_CASE("vending: a mark of the journal's end that cannot be read is an alarm, and stays as it is",
          "[db]") {
    Shop shop;
    const auto file = shop.folder.path / "counters" / vend_mark;
    const AuditMark mark{shop.folder.path / "counters", vend_mark};
    const auto sealed = [&] {
        VendJournal{shop.admin}.append(shop.clock.now(), "x", "boss", "");
        return headend::vending::seal(shop.vending, mark, shop.clock.now());
    };
    CHECK(sealed().alarms.empty());
    CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms::all) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    std::ofstream{file} << "half a li";
    const auto kept = sealed();
    CHECK(kept.sealed > 0);
    REQUIRE(kept.alarms.size() == 1);
    CHECK_THAT(kept.alarms[0], Catch::Contains("does not hold the end"));
    CHECK(std::filesystem::file_size(file) == 9);
}

TEST_CASE("vending: a day that cannot be signed is an alarm", "[db]") {
    Days days{1};
    auto& shop = days.shop;
    AnchorKeeper keeper = days.keeper_of();
    VendJournal{shop.admin}.append(shop.clock.now(), "x", "boss", "");
    VendJournal{shop.vending}.seal(shop.clock.now(), 1'000);
    shop.clock.at = shop.clock.now() + 24h;
    SECTION("the file is not there any more") { std::filesystem::remove_all(days.folder()); }
    SECTION("the database refuses it") {
        shop.admin.execute("revoke insert on vend_anchor from wm_vending", "forbidding");
    }
    const auto alarms = headend::vending::anchor_day(shop.vending, keeper, shop.clock.now()).alarms;
    REQUIRE(alarms.size() == 1);
    CHECK_THAT(alarms[0], Catch::Contains("was not signed"));
    CHECK_NOTHROW(VendJournal{shop.vending}.head());  // the connection is good for more
}

TEST_CASE("vending: after an old dump was put back the journal is sealed and signed on from where it ends",
          "[db]") {
    Days days{2};
    auto& shop = days.shop;
    const AuditMark mark{days.folder(), vend_mark};
    mark.write(VendJournal{shop.vending}.head());
    const auto sealed = [&] {
        VendJournal{shop.admin}.append(shop.clock.now(), "x", "boss", "");
        return headend::vending::seal(shop.vending, mark, shop.clock.now()).alarms;
    };
    CHECK(sealed().empty());
    shop.admin.execute(
        "delete from vend_anchor where number = 2; delete from vend_journal where seal > 1; delete from "
        "vend_seal where number > 1",
        "putting an old dump back");
    CHECK(sealed().size() == 1);  // it may be a thief, too
    CHECK(sealed().size() == 1);
    CHECK_FALSE(days.troubles().empty());
    CHECK(headend::vending::begin_anew(shop.admin, mark, days.folder(), "boss", shop.clock.now()));
    CHECK(sealed().empty());
    CHECK(mark.read() == VendJournal{shop.vending}.head());
    CHECK(days.troubles().empty());
    CHECK_FALSE(VendJournal{shop.vending}.first_broken());
    CHECK(shop.text("select record from vend_journal where event = 'restored'")
              .find("was sealed up to batch 3") == 0);
    CHECK_FALSE(headend::vending::begin_anew(shop.admin, mark, days.folder(), "boss", shop.clock.now()));
}

}  // namespace wattmesh::test
