#pragma once
#include <catch2/catch.hpp>

#include "concentrator/journal/queued_store.h"
#include "concentrator/uplink/logical_device.h"
#include "concentrator/uplink/uplink.h"
#include "security/ciphers.h"
#include "tests/concentrator/journal/queue_executor.h"
#include "tests/concentrator/journal/scratch.h"
#include "tests/concentrator/uplink/head_end.h"

namespace wattmesh::concentrator {

inline const DeviceNumber self = *DeviceNumber::parse("900000000001");
inline constexpr std::uint16_t data_class = 1, profile_class = 7;

/// An uplink with its logical device on a real journal, and the head-end at the other end of a perfect link.
struct Line {
    explicit Line(std::optional<std::vector<Way>> over = {})
        : ways(std::move(over)),
          random(7),
          database(scratch.file("journal.sqlite"), journal_id(1)),
          store(database, executor) {
        connect_device();
        head.emplace(ciphers, random);
    }
    void connect_device() {
        objects = std::make_unique<VersionedObjects>(store, database.recovered().objects);
        images = std::make_unique<ImageShelf>(store, ciphers, database.recovered().image,
                                              [this] { ++images_verified; });
        DevicePorts ports;
        ports.images = images.get();
        ports.topology = [] {
            dcu::TopologyNode node;
            node.number = meter(1);
            node.hops = 3;
            return std::vector{node};
        };
        ports.statistics = [] { return dcu::Statistics{.reads = 5, .reads_first_try = 4}; };
        ports.uplink = [] { return dcu::UplinkState{.ways = {{.bearer = "ethernet", .address = "head:1"}}}; };
        ports.time = [this] { return std::pair{clock.at(now.steady - Instant{}).utc, !clock.trusted()}; };
        ports.set_time = [this](Instant truth) { clock.set(truth, now.steady - Instant{}); };
        ports.objects_changed = [this](const ObisCode& code) { changed.push_back(code); };
        ports.read_again = [this](const auto& ranges, auto done) {
            backfilled = ranges;
            done(true);
        };
        ports.new_journal_id = [] { return journal_id(99); };
        ports.certificate_request = [] { return Buffer{1, 2, 3}; };
        ports.install_certificate = [this](Buffer der, auto done) {
            installed = der;
            done(der.size() == 2);
        };
        device = std::make_unique<LogicalDevice>(self, store, *objects, ports);
        UplinkSettings settings;
        settings.number = self;
        if (ways) settings.ways.ways = *ways;
        uplink = std::make_unique<Uplink>(settings, *device, ciphers, random);
    }

    void pump() {
        for (bool moved = true; moved;) {
            moved = false;
            uplink->tick(now);
            while (auto action = uplink->take_action()) {
                moved = true;
                if (const auto* call = std::get_if<OpenUplink>(&*action)) {
                    ++opens;
                    called = call->way;
                }
                if (const auto* probe = std::get_if<ProbeUplink>(&*action)) probed.push_back(probe->way);
                if (std::holds_alternative<CloseUplink>(*action)) ++closes;
                if (const auto* out = std::get_if<SendUplink>(&*action)) head->receive(out->bytes);
            }
            const auto bytes = head->take_output();
            moved = moved || !bytes.empty();
            if (!bytes.empty()) uplink->receive(bytes, now);
            moved = moved || !executor.works.empty();
            executor.run();
        }
    }
    void wait(Duration time) {
        for (Duration step{}; step < time; step += std::chrono::seconds{1}) {
            now.steady += std::chrono::seconds{1};
            now.utc += std::chrono::seconds{1};
            pump();
        }
    }
    void log_in() {
        pump();
        uplink->opened(now);
        pump();
        head->replication.associate();
        head->configuration.associate();
        pump();
    }
    dlms::ReadOutcome get(const dlms::AttributeId& id, dlms::Selection selection = {}) {
        const auto request = head->replication.get(id, std::move(selection));
        pump();
        const auto found = head->reads.find(request);
        REQUIRE(found != head->reads.end());
        return found->second;
    }
    dlms::Data value(const dlms::AttributeId& id, dlms::Selection selection = {}) {
        auto outcome = get(id, std::move(selection));
        REQUIRE(std::holds_alternative<dlms::Data>(outcome));
        return std::get<dlms::Data>(outcome);
    }
    dlms::AccessResult set(const ObisCode& object, dlms::Data data) {
        const auto request = head->configuration.set({data_class, object, 2}, std::move(data));
        pump();
        const auto found = head->writes.find(request);
        REQUIRE(found != head->writes.end());
        return found->second;
    }

    std::optional<std::vector<Way>> ways;
    Scratch scratch;
    security::OpensslCiphers ciphers;
    SeededRandom random;
    QueueExecutor executor;
    JournalDatabase database;
    QueuedStore store;
    TrustedClock clock{at(1'600'000'000)};
    Now now{at(0), at(1'700'000'000), false};
    std::unique_ptr<VersionedObjects> objects;
    std::unique_ptr<ImageShelf> images;
    int images_verified = 0;
    std::unique_ptr<LogicalDevice> device;
    std::unique_ptr<Uplink> uplink;
    std::optional<HeadEnd> head;
    std::vector<ObisCode> changed;
    std::vector<dcu::BackfillRange> backfilled;
    Buffer installed;
    int opens = 0, closes = 0;
    std::size_t called = 0;
    std::vector<std::size_t> probed;
};

}  // namespace wattmesh::concentrator
