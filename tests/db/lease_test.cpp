#include <catch2/catch.hpp>

#include "headend/database/keys.h"
#include "headend/database/leases.h"
#include "headend/database/read_meters.h"
#include "headend/database/scope.h"
#include "tests/db/town.h"

namespace wattmesh::test {
namespace {

using headend::frontend::Lease;

/// A second concentrator beside Town's, with a session and a journal of its own.
struct Neighbours {
    Neighbours() {
        other_id = Concentrators{town.admin}.add(other, "Station 2", midnight);
        other_epoch = Concentrators{town.frontend}.open_session(other, midnight)->epoch;
    }
    void tell(bool by_other, std::uint64_t sequence, dcu::Entry entry) {
        entry.sequence = Sequence{sequence};
        auto batch = town.batch(sequence - 1, sequence, {});
        if (by_other) {
            batch.concentrator = other;
            batch.epoch = other_epoch;
            batch.journal = journal(2);
        }
        batch.events = {{entry}};
        REQUIRE(town.store(batch).outcome == StoreOutcome::stored);
    }
    static dcu::Entry asked(int meter) {
        return {{}, customer(meter), dcu::EntryKind::unknown_meter, quarter(1), false, {}};
    }
    static dcu::Entry joined(int meter, std::uint32_t counter, Instant at) {
        const dcu::MeterLink link{.short_address = 5,
                                  .parent = {},
                                  .hops = 1,
                                  .rssi_dbm = -80,
                                  .sub_address = 0,
                                  .route = {},
                                  .join_counter = counter};
        return {{}, customer(meter), dcu::EntryKind::meter_joined, at, false, dcu::encode(link)};
    }
    std::optional<dcu::MeterLease> listed(ConcentratorId at, int meter) {
        for (const auto& line : Meters{town.monitor}.listed(at).meters)
            if (line.number == customer(meter)) return line.lease;
        return std::nullopt;
    }

    const DeviceNumber other = number("900000000002");
    Town town;
    ConcentratorId other_id;
    OwnerEpoch other_epoch;
};

}  // namespace

TEST_CASE("lease: a meter that asks next door is listed there and goes where it joins later", "[db]") {
    Neighbours at;
    CHECK(at.listed(at.town.id, 0) == dcu::MeterLease{});
    CHECK_FALSE(at.listed(at.other_id, 0));
    at.tell(false, 1, Neighbours::joined(0, 5, quarter(1)));
    CHECK(at.listed(at.town.id, 0) == dcu::MeterLease{});  // its own join changes no list
    at.tell(true, 1, Neighbours::asked(0));
    REQUIRE(at.listed(at.other_id, 0));
    CHECK_FALSE(at.listed(at.other_id, 0)->here);
    at.tell(true, 2, Neighbours::joined(0, 7, quarter(4)));
    CHECK(at.listed(at.other_id, 0)->here);
    CHECK(at.listed(at.town.id, 0) == dcu::MeterLease{1, 7, false, {}});
    CHECK(Meters{at.town.monitor}.find(customer(0))->concentrator_number == at.other);
    CHECK(Meters{at.town.monitor}.find(customer(0))->concentrator == at.town.id);
    // What comes late from its own concentrator does not call it back, a later join does.
    at.tell(false, 2, Neighbours::joined(0, 6, quarter(9)));
    CHECK(at.listed(at.other_id, 0)->here);
    at.tell(false, 3, Neighbours::joined(0, 8, quarter(5)));
    CHECK(at.listed(at.town.id, 0)->here);
    CHECK(at.listed(at.other_id, 0) == dcu::MeterLease{2, 8, false, {}});
}

TEST_CASE("lease: the new concentrator is told how far a meter is stored without a hole", "[db]") {
    Neighbours at;
    at.town.store(at.town.batch(
        0, 1,
        {Town::entry(0, 1, {interval(quarter(1), 1), interval(quarter(2), 2), interval(quarter(4), 4)}),
         Town::entry(1, 1, {interval(quarter(2), 2)})}));
    at.tell(true, 1, Neighbours::asked(0));
    at.tell(true, 2, Neighbours::asked(1));
    at.tell(true, 3, Neighbours::joined(0, 7, quarter(6)));
    at.tell(true, 4, Neighbours::joined(1, 7, quarter(6)));
    CHECK(at.listed(at.other_id, 0)->stored_to == quarter(2));
    CHECK(at.listed(at.other_id, 1)->stored_to == Instant{});  // its first interval is missing
}

TEST_CASE("lease: meters of another area, and strangers, are not handed out", "[db]") {
    Neighbours at;
    at.town.admin.execute(
        "insert into area values (2, 1, 'East'); update meter set area = 2 where number = " +
            std::to_string(customer(0).integer()),
        "drawing areas");
    at.tell(true, 1, Neighbours::asked(0));
    at.tell(true, 2, Neighbours::asked(77));
    CHECK(Meters{at.town.monitor}.listed(at.other_id).meters.empty());
    CHECK(at.town.value("select count(*) from meter_visit") == 0);
    at.tell(true, 3, Neighbours::asked(1));
    CHECK(Meters{at.town.monitor}.listed(at.other_id).meters.size() == 1);
}

TEST_CASE("lease: a loss told by the concentrator that a meter has left is no loss", "[db]") {
    Neighbours at;
    at.tell(false, 1, Neighbours::joined(0, 5, quarter(1)));
    at.tell(true, 1, Neighbours::asked(0));
    at.tell(true, 2, Neighbours::joined(0, 6, quarter(2)));
    at.tell(false, 2, {{}, customer(0), dcu::EntryKind::meter_lost, quarter(3), false, {}});
    limit(at.town.console, Scope::everything());
    const auto line = MeterReader{at.town.console}.find(customer(0), quarter(9));
    REQUIRE(line);
    CHECK(line->place.joined);
    CHECK(line->reached_over == at.other);
    CHECK(line->concentrator == unit);
    CHECK(MeterReader{at.town.console}.of(at.other_id, quarter(9)).size() == 1);
    CHECK(MeterReader{at.town.console}.of(at.town.id, quarter(9)).size() == 2);
}

}  // namespace wattmesh::test
