#include "concentrator/core.h"

#include <catch2/catch.hpp>

#include "concentrator/journal/queued_store.h"
#include "protocol/dlms/date_time.h"
#include "security/ciphers.h"
#include "terminal-sim/radio/radio_field.h"
#include "tests/concentrator/journal/queue_executor.h"
#include "tests/concentrator/journal/scratch.h"
#include "tests/concentrator/reading/fake_meter.h"
#include "tests/concentrator/uplink/head_end.h"

using namespace wattmesh;
using namespace wattmesh::concentrator;
using namespace std::chrono_literals;
namespace o = dcu::objects;

namespace {

constexpr int meters_count = 6;
const DeviceNumber self = *DeviceNumber::parse("900000000001");
const Instant origin = at(1'700'000'100);  // the end of a period
const Instant first_row = origin - 2h;
constexpr std::uint16_t data_class = 1, profile_class = 7;

/// A concentrator's whole core, a few meters in the simulated air, and a head-end.
struct Village {
    Village() : random(5), field(make_field()), kek_octets{9, 9, 9} {
        for (int n = 1; n <= meters_count; ++n) {
            auto fake =
                std::make_unique<FakeMeter>(meter(n), n, system_title(self), first_row, ciphers, random);
            field->set_application(meter(n),
                                   [fake = fake.get()](Bytes payload, Instant now, const auto& reply) {
                                       if (auto answer = fake->ask(payload, now)) reply(std::move(*answer));
                                   });
            fakes.push_back(std::move(fake));
        }
        restart();
    }
    std::unique_ptr<sim::RadioField> make_field() {
        const auto layout = sim::layout(
            {.kind = sim::LayoutKind::urban, .meters = meters_count, .concentrators = 1, .seed = 3});
        std::vector<sim::FieldMeter> members;
        for (int n = 1; n <= meters_count; ++n) members.push_back({meter(n), meter_keys(n).join, {}});
        return std::make_unique<sim::RadioField>(sim::FieldSettings{.seed = 11, .start = origin}, layout,
                                                 members, std::vector{self}, ciphers);
    }

    /// Power cut: what was not on the disk is gone.
    void restart() {
        executor.works.clear();
        core.reset();
        store.reset();
        database.reset();
        journals.push_back(journal_id(++run));
        database = std::make_unique<JournalDatabase>(scratch.file("journal.sqlite"), journals.back());
        store = std::make_unique<QueuedStore>(*database, executor);
        CoreSettings settings;
        settings.number = self;
        settings.kek = Key128{kek_octets};
        core = std::make_unique<Core>(settings, *store, database->recovered(), ciphers, random);
        started = field->now();
        line_open = false;
        head.emplace(ciphers, random);
        core->radio_connected(0s);
        settle();
    }

    Duration elapsed() const { return field->now() - started; }
    /// Lets everything at this instant happen.
    void settle() {
        for (bool moved = true; moved;) {
            moved = false;
            while (auto action = core->take_action()) {
                moved = true;
                if (const auto* radio = std::get_if<SendRadio>(&*action)) {
                    host.feed(radio->bytes);
                    while (const auto payload = host.next()) field->feed(0, *payload);
                }
                if (const auto* out = std::get_if<SendUplink>(&*action)) head->receive(out->bytes);
                if (std::holds_alternative<OpenUplink>(*action)) {
                    line_open = head_works;
                    head_works ? core->uplink_opened(elapsed())
                               : core->uplink_closed("nobody there", elapsed());
                }
            }
            const auto bytes = head->take_output();
            if (!bytes.empty() && line_open) core->uplink_received(bytes, elapsed());
            moved = moved || !bytes.empty() || !executor.works.empty();
            executor.run();
            core->tick(elapsed());
        }
    }
    void run_for(Duration time) {
        const Instant end = field->now() + time;
        while (field->now() < end) {
            const Duration next = core->next_deadline();
            const Instant target =
                next == Duration::max() ? end : std::clamp(started + next, field->now() + 1ms, end);
            field->run_until_output(target);
            while (const auto payload = field->take(0))
                core->radio_received(mesh::host::frame_stream(*payload), elapsed());
            core->tick(elapsed());
            settle();
        }
    }

    void write(const ObisCode& object, dlms::Data data, std::uint16_t class_id = data_class) {
        const auto request = head->configuration.set({class_id, object, 2}, std::move(data));
        settle();
        REQUIRE(head->writes.count(request) == 1);
        CHECK(head->writes.at(request) == dlms::AccessResult::success);
    }
    void log_in() {
        run_for(3s);
        REQUIRE(core->logged_in());
        head->configuration.associate();
        head->replication.associate();
        settle();
        write(obis::clock, dlms::date_time_octets({field->now(), 0, 0}), 8);
    }
    void configure() {
        const auto kek = ciphers.key_wrap(Key128{kek_octets});
        dcu::MeterList list{1, {}};
        dcu::WrappedKeys wrapped{1, {}};
        for (int n = 1; n <= meters_count; ++n) {
            list.meters.push_back({meter(n), n == 1 ? dcu::MeterRole::summary : dcu::MeterRole::customer});
            const auto keys = meter_keys(n);
            Buffer plain;
            for (const Bytes key :
                 {keys.reading.encryption.reveal(), keys.reading.authentication.reveal(), keys.join.reveal()})
                plain.insert(plain.end(), key.begin(), key.end());
            wrapped.meters.push_back({meter(n), kek->wrap(plain)});
        }
        write(o::meter_list, dcu::to_data(list));
        write(o::wrapped_keys, dcu::to_data(wrapped));
        write(o::reading_plan, dcu::to_data(dcu::ReadingPlan{1, {{.profile = obis::load_profile}}}));
        write(o::limits, dcu::to_data(dcu::Limits{.version = 1}));
    }

    std::vector<dcu::Entry> entries() {
        std::vector<dcu::Entry> all;
        for (const auto& id : journals) {
            for (auto& entry : database->read(id, {0}, 100'000, 1 << 30)) all.push_back(std::move(entry));
        }
        return all;
    }
    std::size_t count(dcu::EntryKind kind) {
        std::size_t n = 0;
        for (const auto& entry : entries()) n += entry.kind == kind ? 1 : 0;
        return n;
    }
    /// Every meter's rows since the first one, right.
    void check_complete(Instant last) {
        std::map<std::pair<DeviceNumber, Instant>, std::int64_t> found;
        for (const auto& entry : entries()) {
            if (entry.kind != dcu::EntryKind::interval_rows) continue;
            const auto rows = dcu::interval_rows(*dcu::decode_profile_rows(entry.payload), 900s);
            REQUIRE(rows);
            for (const auto& row : *rows) found[{entry.meter, row.at}] = *row.values[0];
        }
        for (int n = 1; n <= meters_count; ++n) {
            for (Instant row = first_row; row <= last; row += 900s) {
                INFO("meter " << n << " row " << epoch_us(row) / 1'000'000);
                const auto reading = found.find({meter(n), row});
                REQUIRE(reading != found.end());
                CHECK(reading->second == FakeMeter::value(n, row));
            }
        }
    }

    Scratch scratch;
    security::OpensslCiphers ciphers;
    SeededRandom random;
    std::unique_ptr<sim::RadioField> field;
    std::array<std::uint8_t, 16> kek_octets;
    std::vector<std::unique_ptr<FakeMeter>> fakes;
    QueueExecutor executor;
    std::unique_ptr<JournalDatabase> database;
    std::unique_ptr<QueuedStore> store;
    std::unique_ptr<Core> core;
    std::optional<HeadEnd> head;
    mesh::host::StreamDecoder host;
    std::vector<JournalId> journals;
    Instant started{};
    std::uint8_t run = 0;
    bool line_open = false, head_works = true;
};

}  // namespace

TEST_CASE("concentrator: from nothing to every reading in the journal", "[concentrator]") {
    Village village;
    CHECK(village.core->clock().at(0s).doubtful);
    village.log_in();
    village.configure();
    village.run_for(25min);
    CHECK(village.count(dcu::EntryKind::meter_joined) >= meters_count);
    CHECK(village.core->topology().size() == meters_count);
    village.check_complete(origin + 900s);
    CHECK(village.entries().front().kind == dcu::EntryKind::started);
    CHECK(village.entries().front().clock_doubtful);
    CHECK_FALSE(village.entries().back().clock_doubtful);

    // what the head-end fetches is what the journal holds
    const auto request =
        village.head->replication.get({profile_class, o::journal(0), 2}, dcu::entries_after({0}, 500));
    village.settle();
    const auto& outcome = village.head->reads.at(request);
    REQUIRE(std::holds_alternative<dlms::Data>(outcome));
    const auto expected = village.database->read(village.journals.back(), {0}, 500, 1 << 20);
    REQUIRE(std::get<dlms::Data>(outcome).elements()->size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        auto entry = *dcu::entry_from_data((*std::get<dlms::Data>(outcome).elements())[i]);
        entry.time = expected[i].time;  // travels in hundredths of a second
        CHECK(entry == expected[i]);
    }
    CHECK_FALSE(village.head->notifications.empty());
}

TEST_CASE("concentrator: relays to a meter end to end, and says when it cannot", "[concentrator]") {
    Village village;
    village.log_in();
    village.configure();
    village.run_for(5min);
    // GET 0-0:42.0.0 of the meter as public client, by hand: sheet "dlms", GET-request-normal
    const Buffer get{0xC0, 0x01, 0xC1, 0x00, 0x01, 0, 0, 42, 0, 0, 255, 0x02, 0x00};
    Buffer associate{0x60, 0x1D, 0xA1, 0x09, 0x06, 0x07, 0x60, 0x85, 0x74, 0x05, 0x08,
                     0x01, 0x01, 0xBE, 0x10, 0x04, 0x0E, 0x01, 0x00, 0x00, 0x00, 0x06,
                     0x5F, 0x1F, 0x04, 0x00, 0x00, 0x7E, 0x1F, 0x04, 0xB0};
    village.head->ask(meter(2), associate, public_client);
    village.run_for(10s);
    village.head->ask(meter(2), get, public_client);
    village.run_for(10s);
    REQUIRE(village.head->relayed.size() == 2);
    CHECK(village.head->relayed[0].apdu.front() == 0x61);
    CHECK(village.head->relayed[1].apdu == Buffer{0xC4, 0x01, 0xC1, 0x00, 0x09, 0x03, 'W', 'M', 'T'});
    CHECK(village.head->relayed_to[1] == public_client);

    village.field->kill(meter(3));
    village.head->ask(meter(3), get, management_client);
    village.run_for(2min);
    REQUIRE(village.head->relayed.size() == 3);
    CHECK(village.head->relayed[2].apdu == Buffer{0xD8, 1, 3});
}

TEST_CASE("concentrator: reads on without a head-end, and after a power cut goes on where it was",
          "[concentrator]") {
    Village village;
    village.log_in();
    village.configure();
    village.run_for(4min);
    village.head_works = false;
    village.core->uplink_closed("reset by peer", village.elapsed());
    village.run_for(16min);
    village.restart();
    CHECK(village.core->clock().at(0s).doubtful);
    CHECK(village.core->objects().meter_list().meters.size() == meters_count);
    village.run_for(30min);
    CHECK(village.entries().back().clock_doubtful);
    village.check_complete(origin + 2 * 900s);

    village.head_works = true;
    village.run_for(90s);
    REQUIRE(village.core->logged_in());
    village.log_in();
    village.run_for(20min);
    CHECK_FALSE(village.entries().back().clock_doubtful);
    village.check_complete(origin + 4 * 900s);
    const auto directory = village.database->directory();
    REQUIRE(directory.size() == 2);
    CHECK(directory.front().id ==
          village.journals.front());  // the old one is still there, to be drained first
}
