#include <catch2/catch.hpp>
#include <set>

#include "concentrator/mesh/mesh_root.h"
#include "platform/connector.h"
#include "protocol/cosem/payment.h"
#include "protocol/dlms/client.h"
#include "protocol/dlms/date_time.h"
#include "protocol/mesh/host_frame.h"
#include "protocol/sts/amount.h"
#include "protocol/sts/opening.h"
#include "security/ciphers.h"
#include "terminal-sim/field/control_port.h"
#include "terminal-sim/field/module_port.h"
#include "terminal-sim/field/prepaid_town.h"
#include "terminal-sim/meter/access.h"
#include "tests/terminal-sim/field/scratch.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace std::chrono_literals;

namespace {

/// 2026-11-17 06:00 UTC, a Tuesday.
constexpr Instant morning{std::chrono::sys_days{std::chrono::year{2026} / 11 / 17} + 6h};

struct Setting {
    explicit Setting(std::size_t meters = 12, std::size_t concentrators = 1, std::uint64_t seed = 101) {
        LayoutRequest request;
        request.meters = meters;
        request.concentrators = concentrators;
        request.seed = seed;
        request.summary_meters = true;
        town = make_town(request);
        shipment = make_shipment(town, random);
        options.start = morning + 10s;  // whatever its clock shows, every meter has passed the quarter hour
        options.installed_at = morning - 4h - 1min;
    }
    std::unique_ptr<Field> field() {
        return std::make_unique<Field>(town, shipment, options, ciphers, random);
    }

    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    Town town;
    Shipment shipment;
    FieldOptions options;
};

/// The concentrator's mesh root on a radio module of the field, in virtual time.
struct Root {
    Root(Setting& made, Field& with, std::size_t concentrator)
        : field(with),
          index(concentrator),
          root({made.town.concentrators[concentrator], static_cast<std::uint16_t>(concentrator + 1)},
               made.ciphers, made.random) {
        std::vector<std::pair<DeviceNumber, Key128>> list;
        for (const auto& meter : made.town.meters)
            if (meter.concentrator == made.town.concentrators[concentrator])
                list.emplace_back(meter.number, made.shipment.at(meter.number).join);
        root.set_meters(list);
    }
    void run(Duration duration, const std::function<bool()>& enough) {
        const Instant end = field.now() + duration;
        while (field.now() < end && !enough()) {
            root.tick(field.now());
            while (auto output = root.take_output()) field.feed(index, *output);
            field.run_until(
                std::min({end, field.now() + 50ms,
                          std::max(field.now() + 1ms, std::min(root.next_deadline(), field.next_event()))}));
            while (auto payload = field.take(index)) root.receive(*payload, field.now());
            while (auto event = root.take_event()) {
                if (auto* joined = std::get_if<concentrator::MeshJoined>(&*event))
                    meters.insert(joined->meter);
                if (auto* answered = std::get_if<concentrator::MeshAnswer>(&*event))
                    answer = answered->payload;
                if (std::holds_alternative<concentrator::MeshFailure>(*event)) ++failures;
            }
        }
    }
    Field& field;
    std::size_t index;
    concentrator::MeshRoot root;
    std::set<DeviceNumber> meters;
    std::optional<Buffer> answer;
    int failures = 0;
};

}  // namespace

TEST_CASE("field: meters have their history at the start and go on capturing in virtual time", "[sim]") {
    Setting made;
    const auto field = made.field();
    CHECK(field->truth().rows().size() == made.town.meters.size() * 17);
    field->run_until(morning + 30min + 10s);
    CHECK(field->truth().rows().size() == made.town.meters.size() * 19);
    const auto status = field->status();
    CHECK(status.meters == made.town.meters.size());
    CHECK(status.alive == status.meters);
    CHECK(status.joined == 0);  // nobody answers: there is no concentrator
}

TEST_CASE("field: a summary meter's registers are its customers', loss and theft, over every whole hour",
          "[sim]") {
    Setting made{12, 2};
    const auto field = made.field();
    const Population& all = field->population();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const SummaryLoad* transformer = all.summary_load(i);
        if (transformer == nullptr) continue;
        for (Instant from = morning - 4h; from < morning; from += 1h) {
            Energies sum;
            for (std::size_t j = 0; j < all.size(); ++j)
                if (j != i && made.town.meters[j].concentrator == made.town.meters[i].concentrator)
                    sum += all.meter(j).registers(from + 1h).total() - all.meter(j).registers(from).total();
            for (IntervalNumber quarter = interval_of(from); quarter < interval_of(from + 1h); ++quarter)
                sum.channels[0] += transformer->loss(quarter) + transformer->theft(quarter);
            CHECK(all.meter(i).registers(from + 1h).total() - all.meter(i).registers(from).total() == sum);
        }
    }
}

TEST_CASE("field: one seed, one history, whenever it is looked at", "[sim]") {
    Setting made;
    const auto once = made.field();
    once->run_until(morning + 1h);
    made.options.start = morning + 1h;  // a field that was started an hour later
    const auto later = made.field();
    CHECK(later->truth().rows() == once->truth().rows());
}

TEST_CASE("field: a restart finds its meters, counters and truth again", "[sim]") {
    const Scratch scratch;
    Setting made;
    made.options.state_folder = scratch.path / "state";
    made.options.truth_file = scratch.path / "truth.csv";
    made.field()->run_until(morning + 20min);
    const std::string before = content_of(made.options.truth_file);
    made.options.start = morning + 40min;
    made.options.installed_at = morning + 40min;  // the state folder knows better
    const auto field = made.field();
    field->run_until(morning + 50min);
    const std::string after = content_of(made.options.truth_file);
    CHECK(after.substr(0, before.size()) == before);
    CHECK(std::count(after.begin(), after.end(), '\n') ==
          1 + static_cast<std::ptrdiff_t>(made.town.meters.size()) * 20 * 4);
    CHECK(std::filesystem::status(scratch.path / "state" / "field.state").permissions() ==
          std::filesystem::perms{0600});

    Setting other{12, 1, 102};
    other.options.state_folder = made.options.state_folder;
    CHECK_THROWS_WITH(other.field(), Catch::Contains("--state"));
}

TEST_CASE("field: says which meter has no keys", "[sim]") {
    Setting made;
    made.shipment.erase(made.town.meters[3].number);
    CHECK_THROWS_WITH(made.field(), Catch::Contains(to_string(made.town.meters[3].number)));
}

TEST_CASE("field: a concentrator forms its mesh and reads, over radio, what the truth holds", "[sim]") {
    Setting made;
    const auto field = made.field();
    Root root{made, *field, 0};
    root.run(300s, [&] { return root.meters.size() == made.town.meters.size(); });
    REQUIRE(root.meters.size() == made.town.meters.size());
    CHECK(field->status().joined == made.town.meters.size());

    for (const auto& meter : made.town.meters) {
        CounterFile counters{2};
        dlms::ClientConfig config;
        config.ciphered = config.pre_established = true;
        config.keys = made.shipment.at(meter.number).reading;
        config.own_title = system_title(made.town.concentrators[0]);
        config.server_title = system_title(meter.number);
        dlms::Client client{config, made.ciphers, made.random, counters.send(0), counters.receive(0)};
        const Instant quarter = std::chrono::floor<std::chrono::minutes>(morning);
        client.get({7, obis::load_profile, 2},
                   dlms::RangeSelection{{8, obis::clock, 2, 0},
                                        dlms::date_time_octets({.at = quarter - 75min}),
                                        dlms::date_time_octets({.at = quarter}),
                                        {}});
        Buffer payload = client.take_output().value();
        payload.insert(payload.begin(), static_cast<std::uint8_t>(reading_client.value));
        root.answer.reset();
        root.root.send(meter.number, payload, 3, field->now(), 30s);
        root.run(40s, [&] { return root.answer.has_value() || root.failures > 0; });
        REQUIRE(root.answer);
        CHECK(root.answer->size() <= 1 + radio_pdu_size_max);
        CHECK(root.answer->front() == reading_client.value);
        client.receive(Bytes{*root.answer}.subspan(1));
        const auto event = client.take_event();
        REQUIRE(event);
        const auto* read = std::get_if<dlms::ReadCompleted>(&*event);
        REQUIRE(read != nullptr);
        const auto rows =
            dcu::interval_rows({obis::load_profile, std::get<dlms::Data>(read->outcome)}, 15min);
        REQUIRE(rows);
        REQUIRE(rows->size() == 6);
        for (const auto& row : *rows) {
            const auto& truth = field->truth().rows().at({meter.number, epoch_us(row.at) / 1'000'000});
            for (std::size_t channel = 0; channel < 4; ++channel)
                CHECK(row.values[channel] == std::optional{truth.channels[channel]});
        }
    }
}

TEST_CASE("field: a dead meter does not answer, a revived one does; its metering went on", "[sim]") {
    Setting made;
    const auto field = made.field();
    const auto victim = made.town.meters[0].number;
    field->run_until(morning + 15s);  // all are powered
    CHECK(field->kill(victim));
    CHECK_FALSE(field->kill(*DeviceNumber::parse("540000009999")));
    CHECK(field->status().alive == made.town.meters.size() - 1);
    CHECK(field->status().dead == std::vector{victim});
    field->run_until(morning + 15min + 10s);
    CHECK(field->truth().rows().contains({victim, epoch_us(morning + 15min) / 1'000'000}));
    CHECK(field->revive(victim));
    CHECK(field->status().dead.empty());
}

TEST_CASE("control port: answers each line by one line of JSON", "[sim]") {
    Setting made;
    const auto field = made.field();
    field->run_until(morning + 15s);  // all are powered
    const auto number = to_string(made.town.meters[2].number);
    struct Row {
        std::string line, answer;
    };
    const std::string unknown =
        R"({"ok":false,"error":"unknown command; say kill NUMBER, darken NUMBER, revive NUMBER, move NUMBER COLLECTOR, )"
        R"(move NUMBER radio, unplug NUMBER, keypad NUMBER LINE or status"})";
    const std::vector<Row> rows{
        {"kill " + number, R"({"ok":true,"killed":")" + number + R"("})"},
        {"darken " + number, R"({"ok":true,"darkened":")" + number + R"("})"},
        {"revive " + number, R"({"ok":true,"revived":")" + number + R"("})"},
        {"kill 540000009999", R"({"ok":false,"error":"no such device in this field: 540000009999"})"},
        {"kill", R"({"ok":false,"error":"a device number has twelve decimal digits"})"},
        {"kill 12", R"({"ok":false,"error":"a device number has twelve decimal digits"})"},
        {"", unknown},
        {"status now", unknown},
    };
    for (const auto& row : rows) CHECK(ControlPort::answer(*field, {}, row.line) == row.answer);
    field->kill(made.town.meters[2].number);
    CHECK_THAT(
        ControlPort::answer(*field, 1500ms, "status"),
        Catch::StartsWith(R"({"ok":true,)") && Catch::Contains(R"("meters":13,"alive":12,"joined":0)") &&
            Catch::Contains(R"("behind_ms":1500)") && Catch::EndsWith(R"("dead":[")" + number + R"("]})"));
}

TEST_CASE("module port: host frames cross TCP both ways, and the newest connection wins", "[sim]") {
    Setting made{6, 2};
    const auto clock = std::make_shared<platform::ScaledClock>(10.0);
    made.options.start = clock->now();
    made.options.installed_at = made.options.start - 1h;
    platform::Loop loop{clock};
    const auto field = made.field();
    ModulePorts modules{loop, *field, "127.0.0.1", 0};
    REQUIRE(modules.port(0) != modules.port(1));

    const auto talk = [&] {
        mesh::host::StreamDecoder decoder;
        platform::Connector connector{
            loop,
            made.random,
            {.host = "127.0.0.1", .port = modules.port(1), .tls = {}, .certificate_time = {}}};
        std::optional<mesh::host::Status> status;
        connector.start(
            {[&](platform::Link& link) {
                 const Buffer init = mesh::host::frame_stream(
                     mesh::host::encode(mesh::host::Init{made.town.concentrators[1], 7, mesh::PhyRate::kbit50,
                                                         1, made.shipment.begin()->second.join, 100}));
                 link.send(init);
                 link.send(mesh::host::frame_stream(mesh::host::encode(mesh::host::StatusRequest{})));
             },
             [&](Bytes bytes) {
                 decoder.feed(bytes);
                 while (const auto payload = decoder.next()) {
                     const auto message = mesh::host::decode(*payload);
                     REQUIRE(message);
                     if (const auto* told = std::get_if<mesh::host::Status>(&*message)) status = *told;
                 }
                 if (status && status->initialised) loop.stop();
             },
             [](const std::string&, Duration) {}});
        platform::Timer late{loop};
        late.after_real(20s, [&] { loop.stop(); });
        loop.run();
        connector.stop();
        return status && status->initialised && status->counter_next >= 100;
    };
    CHECK(talk());
    CHECK(talk());
    CHECK(field->now() > made.options.start);
}

namespace {

/// A town in which the first household has next to no credit, and what a token of its key says.
struct PrepaidSetting : Setting {
    explicit PrepaidSetting(std::size_t count = 4) {
        make_prepaid(shipment, town, count, *sts::VendingKey::from(Buffer(20, 0xAB)));
        first = shipment.prepaid.begin()->first;
    }
    std::string token(std::uint64_t tenths, Instant at) const {
        const auto& held = shipment.prepaid.at(first);
        return to_string(sts::seal(sts::Credit{sts::Commodity::electricity, 5,
                                               *sts::tid_at(held.key.base, at), *sts::encode_units(tenths)},
                                   sts::BlockCipher{held.decoder_key}));
    }
    DeviceNumber first;
};

bool dark(Field& field, const DeviceNumber& meter) {
    const auto says = field.keypad(meter, "status").value();
    return says.find(R"("breaker":"open")") != std::string::npos;
}

}  // namespace

TEST_CASE("field: a prepaid meter goes dark, the keypad brings light, a restart finds it as it was",
          "[sim]") {
    const Scratch scratch;
    PrepaidSetting made;
    made.options.state_folder = scratch.path / "state";
    std::string digits;
    {
        const auto field = made.field();
        CHECK(dark(*field, made.first));  // 300 Wh are gone after four hours
        const auto ledger = [&](const char* word) { return field->keypad(made.first, word).value(); };
        CHECK_THAT(ledger("status"), Catch::Contains(R"("balance_wh":0,)"));
        digits = made.token(50, field->now());
        CHECK_THAT(ledger(("enter " + digits).c_str()), Catch::Contains(R"("kwh":"5.0")"));
        CHECK_FALSE(dark(*field, made.first));
        CHECK_THAT(ledger(("enter " + digits).c_str()), Catch::Contains("used_error"));
        field->run_until(morning + 2h);
    }
    made.options.start = morning + 2h;
    const auto field = made.field();
    CHECK_FALSE(dark(*field, made.first));
    CHECK_THAT(field->keypad(made.first, "enter " + digits).value(), Catch::Contains("used_error"));
    const auto says = [&](const std::string& line) { return ControlPort::answer(*field, {}, line); };
    CHECK_THAT(says("keypad " + to_string(made.first) + " status"), Catch::Contains(R"("relay":"closed")"));
    CHECK_THAT(says("keypad " + to_string(made.town.meters[0].concentrator) + " status"),
               Catch::Contains("no meter with a keypad"));
    CHECK_THAT(says("keypad 12 status"), Catch::Contains("say keypad NUMBER"));
}

TEST_CASE("field: twenty digits through the mesh do what the keypad does", "[sim]") {
    PrepaidSetting made;
    const auto field = made.field();
    Root root{made, *field, 0};
    root.run(300s, [&] { return root.meters.contains(made.first); });
    REQUIRE(root.meters.contains(made.first));
    CounterFile counters{2};
    dlms::ClientConfig config;
    config.mechanism = dlms::Mechanism::high_gmac;
    config.ciphered = true;
    config.keys = made.shipment.at(made.first).management;
    config.own_title = system_title(made.town.concentrators[0]);
    config.server_title = system_title(made.first);
    config.pdu_size_max = radio_pdu_size_max;
    dlms::Client client{config, made.ciphers, made.random, counters.send(0), counters.receive(0)};
    std::optional<dlms::ClientEvent> event;
    const auto talk = [&] {
        event.reset();
        while (auto apdu = client.take_output()) {
            apdu->insert(apdu->begin(), static_cast<std::uint8_t>(management_client.value));
            root.answer.reset();
            root.root.send(made.first, *apdu, 3, field->now(), 30s);
            root.run(40s, [&] { return root.answer.has_value() || root.failures > 0; });
            REQUIRE(root.answer);
            client.receive(Bytes{*root.answer}.subspan(1));
            if (auto told = client.take_event()) event = std::move(told);
        }
    };
    client.associate();
    talk();
    REQUIRE(event);
    REQUIRE(std::holds_alternative<dlms::Associated>(*event));
    const auto digits = made.token(50, field->now());
    const auto& gateway = *cosem::models::prepaid.find(cosem::Quantity::token_gateway);
    const auto enter = [&] {
        auto call = cosem::token_gateway::enter(gateway.name, to_buffer(as_bytes(digits)));
        client.act(call.id, std::move(call.argument).value());
        talk();
        const auto& acted = std::get<dlms::ActionCompleted>(event.value());
        REQUIRE(acted.outcome.result == dlms::AccessResult::success);
        return *cosem::token_gateway::token_status.read(acted.outcome.value.value());
    };
    CHECK(enter().status_code == cosem::token_gateway::StatusCode::token_execution_ok);
    CHECK_FALSE(dark(*field, made.first));
    CHECK(enter().data_value == dlms::BitString{8, {static_cast<std::uint8_t>(sts::Refusal::used)}});
}
