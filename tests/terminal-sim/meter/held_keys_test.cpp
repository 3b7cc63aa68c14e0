#include "terminal-sim/meter/held_keys.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "protocol/cosem/security_setup.h"
#include "protocol/dlms/client.h"
#include "protocol/dlms/key_exchange.h"
#include "protocol/dlms/key_rotation.h"
#include "security/certificate_folder.h"
#include "security/ciphers.h"
#include "security/private_file.h"
#include "terminal-sim/meter/meter.h"
#include "tests/protocol/dlms/nonce_watch.h"
#include "tests/terminal-sim/field/scratch.h"
#include "tests/terminal-sim/meter/town_street.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using namespace wattmesh::dlms;
using namespace std::chrono_literals;

namespace {

SymmetricKey key(std::uint8_t octet) { return SymmetricKey::from(Buffer(16, octet)).value(); }

const DeviceNumber number = customer_number(1);
const SystemTitle concentrator_title = system_title(*DeviceNumber::parse("900000000001"));
const SystemTitle head_end_title{{'W', 'M', 'T', 'H', 'E', '0', '0', '1'}};
constexpr ObisCode management_setup{{0, 0, 43, 0, 0, 255}}, reading_setup{{0, 0, 43, 0, 1, 255}};

struct Watch {
    security::OpensslCiphers inner;
    dlms::test::NonceWatch ciphers{inner};
    security::SystemRandom random;
};

/// A meter over radio from its start to the next; counters and keys in the folder.
struct Life {
    Life(Watch& shared, const std::filesystem::path& folder)
        : watch(shared), counters(folder / "counters", 7, 2), file(folder / "keys") {
        AccessKeys factory{ClientKeys{key(1), key(2)}, ClientKeys{key(3), key(4)}, {}};
        factory.management->master = key(5);
        held_keys.emplace(number, factory, file, watch.ciphers);
        MeterSettings made{.number = number, .seed = 5, .installed_at = monday};
        made.over_radio = true;
        made.replace_keys = [this](KeyOwner owner, const Data& argument) {
            return held_keys->take(owner, argument);
        };
        meter.emplace(made, *street.customers[1], &street.customers[1]->supply(), nullptr);
        server = new_server();
    }
    std::shared_ptr<Server> new_server() {
        auto made = std::make_shared<Server>(system_title(number),
                                             radio_access(held_keys->keys(), concentrator_title, counters, 0),
                                             *meter, watch.ciphers, watch.random);
        held_keys->tell(made);
        return made;
    }
    Watch& watch;
    CounterFile counters;
    KeyFile file;
    Street street{5};
    std::optional<HeldKeys> held_keys;
    std::optional<Meter> meter;
    std::shared_ptr<Server> server;
};

/// A client's own side, over all lives of the meter.
struct Side {
    explicit Side(Watch& shared) : watch(shared) {
        management = ClientKeys{key(1), key(2)};
        reading = ClientKeys{key(3), key(4)};
    }
    ClientConfig config(Sap sap) const {
        ClientConfig made;
        made.ciphered = true;
        made.pre_established = sap == reading_client;
        made.own_title = sap == reading_client ? concentrator_title : head_end_title;
        made.server_title = system_title(number);
        made.mechanism = sap == reading_client ? Mechanism::none : Mechanism::high_gmac;
        made.keys = sap == reading_client ? reading : management;
        return made;
    }
    /// The outcome of one call in an association of its own; nothing when the meter did not answer it.
    std::optional<AccessResult> call(Life& life, const ObisCode& setup, const Data& argument) {
        std::optional<AccessResult> result;
        talk(
            *life.server, management_client, [&](Client& client) { client.act({64, setup, 2}, argument); },
            [&](const ClientEvent& event) {
                if (const auto* done = std::get_if<ActionCompleted>(&event)) result = done->outcome.result;
            });
        return result;
    }
    std::optional<AccessResult> transfer(Life& life, const ObisCode& setup, KeyKind kind,
                                         const SymmetricKey& fresh, const SymmetricKey& master) {
        return call(life, setup, encode_key_transfer({{kind, fresh}}, *watch.ciphers.key_wrap(master)));
    }
    /// Whether a client with our keys reads the clock.
    bool reads(Server& server, Sap sap) {
        bool read = false;
        talk(
            server, sap, [](Client& client) { client.get({8, obis::clock, 2}); },
            [&](const ClientEvent& event) { read = read || std::holds_alternative<ReadCompleted>(event); });
        return read;
    }
    void talk(Server& server, Sap sap, const std::function<void(Client&)>& ask,
              const std::function<void(const ClientEvent&)>& on) {
        const std::size_t slot = sap == reading_client ? 1 : 0;
        Client client{config(sap), watch.ciphers, watch.random, counters.send(slot), counters.receive(slot)};
        if (sap != reading_client) client.associate();
        ask(client);
        while (auto request = client.take_output())
            server.handle(sap, *request, monday + 2h, [&](Buffer apdu) { client.receive(apdu); });
        while (const auto event = client.take_event()) on(*event);
    }
    Watch& watch;
    CounterFile counters{2};
    ClientKeys management, reading;
};

}  // namespace

TEST_CASE("key transfer: every key of a meter changes after its answer and is there after a restart",
          "[sim]") {
    const Scratch folder;
    Watch watch;
    Side side{watch};
    SymmetricKey master = key(5);
    {
        Life life{watch, folder.path};
        // Each answer opens under the keys that asked: it went out before the change.
        CHECK(side.transfer(life, management_setup, KeyKind::broadcast_encryption, key(20), master) ==
              AccessResult::success);
        CHECK(side.transfer(life, management_setup, KeyKind::authentication, key(21), master) ==
              AccessResult::success);
        CHECK_FALSE(side.reads(*life.server, management_client));
        side.management.authentication = key(21);
        CHECK(side.transfer(life, management_setup, KeyKind::unicast_encryption, key(22), master) ==
              AccessResult::success);
        CHECK_FALSE(side.reads(*life.server, management_client));
        side.management.encryption = key(22);
        CHECK(side.transfer(life, management_setup, KeyKind::master, key(23), master) ==
              AccessResult::success);
        CHECK(side.transfer(life, management_setup, KeyKind::master, key(24), master) ==
              AccessResult::other_reason);  // wrapped under the one that is gone
        master = key(23);
        CHECK(side.reads(*life.server, management_client));
        CHECK(side.reads(*life.server, reading_client));  // whose keys are others
    }
    Life again{watch, folder.path};
    CHECK(side.reads(*again.server, management_client));
    CHECK(side.transfer(again, management_setup, KeyKind::master, key(25), master) == AccessResult::success);
    CHECK(holds(*again.held_keys->keys().management, KeyKind::broadcast_encryption, key(20)));
    CHECK(again.meter->deeds().empty());
    CHECK(std::filesystem::status(folder.path / "keys").permissions() == std::filesystem::perms{0600});
    CHECK(watch.ciphers.repeated() == 0);
    CHECK(watch.ciphers.keys() == 3);  // of encryption: the reading client's, and both of the other
}

TEST_CASE("key transfer: the reading client has a security setup of its own", "[sim]") {
    const Scratch folder;
    Watch watch;
    Side side{watch};
    {
        Life life{watch, folder.path};
        CHECK(side.reads(*life.server, reading_client));
        CHECK(side.transfer(life, reading_setup, KeyKind::unicast_encryption, key(30), key(5)) ==
              AccessResult::success);
        CHECK_FALSE(side.reads(*life.server, reading_client));
        side.reading.encryption = key(30);
        CHECK(side.reads(*life.server, reading_client));
        CHECK(side.transfer(life, reading_setup, KeyKind::authentication, key(31), key(5)) ==
              AccessResult::success);
        side.reading.authentication = key(31);
        CHECK(side.reads(*life.server, reading_client));
        CHECK(side.transfer(life, reading_setup, KeyKind::master, key(32), key(5)) ==
              AccessResult::other_reason);
        CHECK(side.reads(*life.server, management_client));
    }
    Life again{watch, folder.path};
    CHECK(side.reads(*again.server, reading_client));
    CHECK(watch.ciphers.repeated() == 0);
}

TEST_CASE("key transfer: a key sent again is taken again, and its counters go on", "[sim]") {
    const Scratch folder;
    Watch watch;
    Side side{watch};
    Life life{watch, folder.path};
    const auto transfer = [&] {
        return side.transfer(life, reading_setup, KeyKind::unicast_encryption, key(30), key(5));
    };
    CHECK(transfer() == AccessResult::success);
    side.reading.encryption = key(30);
    CHECK(side.reads(*life.server, reading_client));
    const auto accepted = life.counters.accepted(reading_slot(0));
    CHECK(accepted > 0);
    CHECK(transfer() == AccessResult::success);
    CHECK(life.counters.accepted(reading_slot(0)) == accepted);  // else what was recorded could be replayed
    CHECK(side.reads(*life.server, reading_client));
    CHECK(watch.ciphers.repeated() == 0);
}

TEST_CASE("key transfer: what is not wrapped under the master key changes nothing", "[sim]") {
    const Scratch folder;
    Watch watch;
    Side side{watch};
    Life life{watch, folder.path};
    const auto wrap = watch.ciphers.key_wrap(key(5));
    const auto wide = SymmetricKey::from(Buffer(32, 1)).value();
    for (const Data& argument :
         {encode_key_transfer({{KeyKind::unicast_encryption, key(9)}}, *watch.ciphers.key_wrap(key(6))),
          encode_key_transfer({{KeyKind::unicast_encryption, wide}}, *wrap), encode_key_transfer({}, *wrap)})
        CHECK(side.call(life, management_setup, argument) == AccessResult::other_reason);
    CHECK(side.reads(*life.server, management_client));
    CHECK_FALSE(std::filesystem::exists(folder.path / "keys"));
}

TEST_CASE("key transfer: servers of other connections change with it, without a nonce twice", "[sim]") {
    const Scratch folder;
    Watch watch;
    Side side{watch};
    Life life{watch, folder.path};
    const auto other = life.new_server();
    CHECK(side.reads(*other, management_client));
    CHECK(side.transfer(life, management_setup, KeyKind::unicast_encryption, key(40), key(5)) ==
          AccessResult::success);
    CHECK_FALSE(side.reads(*other, management_client));
    side.management.encryption = key(40);
    CHECK(side.reads(*other, management_client));
    CHECK(side.reads(*life.server, management_client));
    CHECK(side.reads(*life.new_server(), management_client));
    CHECK(watch.ciphers.repeated() == 0);
}

TEST_CASE("key file: comes back as it was; every truncation is refused", "[sim]") {
    const Scratch folder;
    const auto file = folder.path / "keys";
    {
        KeyFile keys{file};
        keys.put(number, KeyOwner::management, {{KeyKind::master, key(1)}});
        keys.put(number, KeyOwner::reading, {{KeyKind::authentication, key(2)}});
        keys.put(customer_number(2), KeyOwner::management, {{KeyKind::unicast_encryption, key(3)}});
    }
    const KeyFile keys{file};
    REQUIRE(keys.of(number, KeyOwner::management).size() == 1);
    CHECK(keys.of(number, KeyOwner::management)[0].kind == KeyKind::master);
    CHECK(to_hex(keys.of(number, KeyOwner::management)[0].key.reveal()) == to_hex(key(1).reveal()));
    CHECK(keys.of(number, KeyOwner::reading).size() == 1);
    CHECK(keys.of(customer_number(2), KeyOwner::reading).empty());
    const auto content = content_of(file);
    for (std::size_t size = 0; size < content.size(); ++size) {
        std::ofstream{file, std::ios::binary | std::ios::trunc}.write(content.data(),
                                                                      static_cast<std::streamsize>(size));
        CHECK_THROWS_WITH(KeyFile{file}, Catch::Contains("damaged"));
    }
}

TEST_CASE("held keys: agreed ones are both ends' making, and only of a client with a certificate", "[sim]") {
    Watch watch;
    const Scratch scratch;
    const auto root = security::MeterAuthority::create_root("Utility", Curve::p256, monday);
    const auto authority = security::MeterAuthority::open(root.certificate_pem, root.key_pem);
    security::CertificateFolder folder{scratch.path / "pki", system_title(number), Curve::p256,
                                       [] { return monday; }};
    security::write_private_file(scratch.path / "pki/trust.pem", as_bytes(root.certificate_pem));
    const auto sign = [&](const security::KeyAndRequest& made, SystemTitle title) {
        const auto use = security::CertificateUse::signature;
        const auto certificate =
            std::get<security::DlmsCertificate>(authority.sign(made.request_der, title, use, monday));
        CHECK(folder.import(certificate.der).empty());
        return certificate.public_key;
    };
    KeyFile file{scratch.path / "keys"};
    AccessKeys factory{ClientKeys{key(1), key(2)}, {}, {}};
    factory.suite = Suite::one;
    factory.certificates = &folder;
    HeldKeys held{number, factory, file, watch.ciphers};
    const auto client_made = security::make_title_request(head_end_title, Curve::p256);
    const auto client_key = security::private_key_from_pem(client_made.key_pem);
    KeyExchange exchange{watch.ciphers,
                         *client_key,
                         head_end_title,
                         system_title(number),
                         {KeyKind::unicast_encryption, KeyKind::authentication}};
    CHECK_FALSE(held.agree(KeyOwner::management, exchange.argument()));  // no certificates yet
    sign(client_made, head_end_title);
    folder.generate(security::CertificateUse::signature);
    const auto meter_public =
        sign(folder.request(security::CertificateUse::signature).value(), system_title(number));

    // Somebody else's signature agrees on nothing.
    const auto stranger = watch.ciphers.generate(Curve::p256);
    KeyExchange forged{
        watch.ciphers, *stranger, head_end_title, system_title(number), {KeyKind::authentication}};
    CHECK_FALSE(held.agree(KeyOwner::management, forged.argument()));
    CHECK(holds(*held.keys().management, KeyKind::authentication, key(2)));

    const auto answer = held.agree(KeyOwner::management, exchange.argument());
    REQUIRE(answer);
    const auto agreed = exchange.finish(*answer, meter_public);
    REQUIRE(agreed);
    REQUIRE(agreed->size() == 2);
    for (const auto& one : *agreed) CHECK(holds(*held.keys().management, one.kind, one.key));
    // What it agreed on it has after a restart too.
    const HeldKeys later{number, factory, file, watch.ciphers};
    for (const auto& one : *agreed) CHECK(holds(*later.keys().management, one.kind, one.key));
    CHECK_FALSE(held.agree(KeyOwner::reading, exchange.argument()));
}
