#include "protocol/dlms/key_rotation.h"

#include <catch2/catch.hpp>
#include <map>

#include "tests/protocol/dlms/fakes.h"
#include "tests/protocol/dlms/vectors.h"

using namespace wattmesh;
using namespace wattmesh::dlms;
using wattmesh::dlms::test::octets;
using wattmesh::dlms::test::SeededRandom;

namespace {

bool same(const SymmetricKey& a, const SymmetricKey& b) {
    return equal_constant_time(a.reveal(), b.reveal());
}

std::optional<SymmetricKey> of(const ClientKeys& keys, KeyKind kind) {
    switch (kind) {
        case KeyKind::unicast_encryption:
            return keys.encryption;
        case KeyKind::broadcast_encryption:
            return keys.broadcast;
        case KeyKind::authentication:
            return keys.authentication;
        case KeyKind::master:
            return keys.master;
    }
    return {};
}

struct MemoryLedger : KeyLedger {
    ClientKeys current() const override { return keys; }
    std::optional<SymmetricKey> pending(KeyKind kind) const override {
        const auto found = waiting.find(kind);
        return found == waiting.end() ? std::nullopt : std::optional{found->second};
    }
    void set_pending(KeyKind kind, const SymmetricKey& key) override { waiting.insert_or_assign(kind, key); }
    void promote(KeyKind kind) override {
        keys.set(kind, waiting.at(kind));
        waiting.erase(kind);
    }
    void drop_pending(KeyKind kind) override { waiting.erase(kind); }
    ClientKeys keys;
    std::map<KeyKind, SymmetricKey> waiting;
};

/// A meter that takes keys under its master key, and lets in who has its other two.
struct Meter {
    TransferOutcome transfer(const Data& argument, Ciphers& ciphers) {
        const auto taken = decode_key_transfer(argument, *ciphers.key_wrap(*keys.master), suite);
        if (!taken || refuses) return TransferOutcome::refused;
        for (const TransferredKey& key : *taken) keys.set(key.kind, key.key);
        return TransferOutcome::taken;
    }
    bool lets_in(const ClientKeys& tried) const {
        return same(tried.encryption, keys.encryption) && same(tried.authentication, keys.authentication);
    }
    ClientKeys keys;
    Suite suite = Suite::zero;
    bool refuses = false;
};

/// Carries a rotation's actions to a meter over a line that loses what `loses` says.
struct World {
    World() {
        ClientKeys keys = dlms::test::vector_keys();
        keys.broadcast = SymmetricKey{Key128{{7}}};
        keys.master = SymmetricKey{Key128{{8}}};
        ledger.keys = meter.keys = keys;
    }
    enum class Loss : std::uint8_t { none, request, answer, everything };

    /// One action; false when there was none.
    bool step(KeyRotation& rotation, Loss loss) {
        const auto action = rotation.take_action();
        if (!action) return false;
        if (const auto* sent = std::get_if<TransferKey>(&*action)) {
            ++transfers;
            CHECK(ledger.pending(sent->kind));  // stored before it is sent
            const bool arrives = loss == Loss::none || loss == Loss::answer;
            const auto outcome = arrives ? meter.transfer(sent->argument, ciphers) : TransferOutcome::lost;
            rotation.transferred(loss == Loss::none ? outcome : TransferOutcome::lost);
        } else if (const auto* tried = std::get_if<TryKeys>(&*action)) {
            ++tries;
            rotation.tried(loss != Loss::everything && meter.lets_in(tried->keys));
        } else if (const auto* replaced = std::get_if<KeyReplaced>(&*action)) {
            ended.emplace_back("replaced " + std::to_string(static_cast<int>(replaced->kind)));
        } else if (const auto* kept = std::get_if<KeyKept>(&*action)) {
            ended.emplace_back("kept " + std::to_string(static_cast<int>(kept->kind)));
        } else if (const auto* doubt = std::get_if<KeyInDoubt>(&*action)) {
            ended.emplace_back("doubt " + std::to_string(static_cast<int>(doubt->kind)));
        }
        // The invariant of all: what opens the meter is in the ledger.
        for (const KeyKind kind : {KeyKind::unicast_encryption, KeyKind::broadcast_encryption,
                                   KeyKind::authentication, KeyKind::master}) {
            const auto there = *of(meter.keys, kind);
            const auto pending = ledger.pending(kind);
            CHECK((same(there, *of(ledger.keys, kind)) || (pending && same(there, *pending))));
        }
        return true;
    }
    void run(KeyRotation& rotation, Loss first = Loss::none, Loss rest = Loss::none) {
        Loss loss = first;
        for (int steps = 0; step(rotation, loss); ++steps) {
            REQUIRE(steps < 50);
            loss = rest;
        }
        CHECK(rotation.done());
    }
    bool agreed(KeyKind kind) const { return same(*of(meter.keys, kind), *of(ledger.keys, kind)); }

    security::OpensslCiphers ciphers;
    SeededRandom random{11};
    MemoryLedger ledger;
    Meter meter;
    int transfers = 0, tries = 0;
    std::vector<std::string> ended;
};

const std::vector<KeyKind> every_kind{KeyKind::unicast_encryption, KeyKind::broadcast_encryption,
                                      KeyKind::authentication, KeyKind::master};
using Loss = World::Loss;

}  // namespace

// The wrapped key is the value of RFC 3394 4.1, which the vectors have too (kw128). Blue Book (DLMS UA
// 1000-1) ed. 14, 4.4.7.3.2: array of structure {enum key-id, octet-string}.
TEST_CASE("key transfer: the argument holds the key wrapped under the master key, and comes back", "[dlms]") {
    security::OpensslCiphers ciphers;
    const auto master = ciphers.key_wrap(*Key128::from(octets("000102030405060708090A0B0C0D0E0F")));
    const auto key = *SymmetricKey::from(octets("00112233445566778899AABBCCDDEEFF"));
    const Data argument = encode_key_transfer({{KeyKind::authentication, key}}, *master);
    CHECK(to_hex(encode_data(argument)) ==
          "01010202160209181FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5");
    const auto taken = decode_key_transfer(argument, *master, Suite::zero);
    REQUIRE(taken);
    REQUIRE(taken->size() == 1);
    CHECK(taken->front().kind == KeyKind::authentication);
    CHECK(same(taken->front().key, key));
    CHECK_FALSE(decode_key_transfer(argument, *master, Suite::two));  // 16 octets are no key of suite 2
}

TEST_CASE("key transfer: a meter takes all keys of an argument or none", "[dlms]") {
    security::OpensslCiphers ciphers;
    const auto master = ciphers.key_wrap(Key128{{1}}), stranger = ciphers.key_wrap(Key128{{2}});
    const SymmetricKey key{Key128{{3}}};
    const auto refused = [&](const Data& argument) {
        return !decode_key_transfer(argument, *master, Suite::zero);
    };
    CHECK(refused(encode_key_transfer({{KeyKind::authentication, key}}, *stranger)));
    CHECK(refused(
        encode_key_transfer({{KeyKind::authentication, key}, {KeyKind::authentication, key}}, *master)));
    CHECK(refused(encode_key_transfer({{static_cast<KeyKind>(4), key}}, *master)));
    CHECK(refused(encode_key_transfer({}, *master)));
    CHECK(refused(Data{}));
    CHECK(refused(Data{Array{{Data{std::uint8_t{1}}}}}));
    CHECK(refused(Data{Array{{Data{Structure{{Data{Enum{0}}, Data{Enum{0}}}}}}}}));
    Data mixed = encode_key_transfer({{KeyKind::authentication, key}}, *master);
    const Data bad = encode_key_transfer({{KeyKind::unicast_encryption, key}}, *stranger);
    std::get<Array>(mixed.value).elements.push_back(std::get<Array>(bad.value).elements.front());
    CHECK(refused(mixed));
}

TEST_CASE("key rotation: replaces every kind, the master last, each after its proof", "[dlms]") {
    World world;
    const ClientKeys before = world.ledger.keys;
    KeyRotation rotation{world.ledger, world.ciphers, world.random, Suite::zero};
    rotation.start(every_kind);
    world.run(rotation);
    CHECK(world.ended == std::vector<std::string>{"replaced 1", "replaced 2", "replaced 0", "replaced 3"});
    CHECK(world.transfers == 5);  // the master key twice: once under the old one and once under itself
    CHECK(world.tries == 2);
    for (const KeyKind kind : every_kind) {
        CHECK(world.agreed(kind));
        CHECK_FALSE(same(*of(world.ledger.keys, kind), *of(before, kind)));
    }
    CHECK(world.ledger.waiting.empty());
}

TEST_CASE("key rotation: in suite 2 keys have 32 octets", "[dlms]") {
    World world;
    const SymmetricKey wide{Key256{{1}}};
    world.ledger.keys = world.meter.keys = ClientKeys{wide, wide, wide, wide};
    world.meter.suite = Suite::two;
    KeyRotation rotation{world.ledger, world.ciphers, world.random, Suite::two};
    rotation.start(every_kind);
    world.run(rotation);
    CHECK(world.ended.size() == 4);
    CHECK(world.ledger.keys.encryption.size() == 32);
    CHECK_FALSE(same(world.ledger.keys.encryption, wide));
    CHECK(world.agreed(KeyKind::unicast_encryption));
}

TEST_CASE("key rotation: a meter that refuses keeps its key, and so do we", "[dlms]") {
    World world;
    world.meter.refuses = true;
    KeyRotation rotation{world.ledger, world.ciphers, world.random, Suite::zero};
    rotation.start(every_kind);
    world.run(rotation);
    CHECK(world.ended == std::vector<std::string>{"kept 1", "kept 2", "kept 0", "kept 3"});
    for (const KeyKind kind : every_kind) CHECK(world.agreed(kind));
    CHECK(world.ledger.waiting.empty());
    CHECK(rotation.done());
}

TEST_CASE("key rotation: a lost request or answer is found out by trying the new key and then the old",
          "[dlms]") {
    struct Row {
        KeyKind kind;
        Loss loss;
        const char* end;
    };
    const auto row = GENERATE(values<Row>({
        {KeyKind::unicast_encryption, Loss::answer, "replaced 0"},
        {KeyKind::unicast_encryption, Loss::request, "kept 0"},
        {KeyKind::authentication, Loss::answer, "replaced 2"},
        {KeyKind::authentication, Loss::request, "kept 2"},
        {KeyKind::broadcast_encryption, Loss::answer, "replaced 1"},
        {KeyKind::broadcast_encryption, Loss::request, "replaced 1"},  // sent again
        {KeyKind::master, Loss::answer, "replaced 3"},
        {KeyKind::master, Loss::request, "replaced 3"},  // sent again under the old one
    }));
    DYNAMIC_SECTION(row.end << " loss " << static_cast<int>(row.loss)) {
        World world;
        KeyRotation rotation{world.ledger, world.ciphers, world.random, Suite::zero};
        rotation.start({row.kind});
        world.run(rotation, row.loss);
        CHECK(world.ended == std::vector<std::string>{row.end});
        CHECK(world.agreed(row.kind));
        CHECK(world.ledger.waiting.empty());
    }
}

TEST_CASE("key rotation: in doubt both keys are kept, nothing more is sent, and a later resume concludes",
          "[dlms]") {
    const KeyKind kind = GENERATE(KeyKind::unicast_encryption, KeyKind::broadcast_encryption,
                                  KeyKind::authentication, KeyKind::master);
    const Loss first = GENERATE(Loss::answer, Loss::request);
    World world;
    KeyRotation rotation{world.ledger, world.ciphers, world.random, Suite::zero};
    std::vector<KeyKind> kinds{kind};
    if (kind != KeyKind::master) kinds.push_back(KeyKind::master);
    rotation.start(kinds);
    world.run(rotation, first, Loss::everything);
    REQUIRE(world.ended.size() == 1);
    CHECK(world.ended[0].starts_with("doubt"));
    CHECK(world.ledger.pending(kind));
    world.ended.clear();

    // The program was started again: only the ledger is left.
    KeyRotation later{world.ledger, world.ciphers, world.random, Suite::zero};
    later.resume();
    world.run(later);
    REQUIRE(world.ended.size() == 1);
    CHECK_FALSE(world.ended[0].starts_with("doubt"));
    CHECK(world.agreed(kind));
    CHECK(world.ledger.waiting.empty());
    later.resume();  // nothing is left to do
    CHECK_FALSE(later.take_action());
}

TEST_CASE("key rotation: started again over a pending key, it goes on with that one", "[dlms]") {
    const bool arrived = GENERATE(false, true);
    World world;
    const SymmetricKey pending{Key128{{0x77}}};
    world.ledger.set_pending(KeyKind::unicast_encryption, pending);  // a crash left it
    if (arrived) world.meter.keys.encryption = pending;
    KeyRotation rotation{world.ledger, world.ciphers, world.random, Suite::zero};
    rotation.start({KeyKind::unicast_encryption});
    world.run(rotation);
    CHECK(world.ended == std::vector<std::string>{"replaced 0"});
    CHECK(same(world.ledger.keys.encryption, pending));
    CHECK(world.agreed(KeyKind::unicast_encryption));
}

TEST_CASE("key rotation: whatever is lost wherever, the ledger always opens the meter", "[dlms]") {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        INFO("seed " << seed);
        World world;
        SeededRandom chance{seed};
        const auto roll = [&] {
            std::uint8_t octet = 0;
            chance.fill({&octet, 1});
            return octet;
        };
        auto rotation = std::make_unique<KeyRotation>(world.ledger, world.ciphers, world.random, Suite::zero);
        rotation->start(every_kind);
        for (int steps = 0; steps < 40; ++steps) {
            if (roll() < 20) {  // the program stops between two actions and starts again
                rotation =
                    std::make_unique<KeyRotation>(world.ledger, world.ciphers, world.random, Suite::zero);
                rotation->resume();
            }
            const auto loss = static_cast<Loss>(roll() < 128 ? 0 : roll() % 4);
            if (!world.step(*rotation, loss)) rotation->resume();
        }
        rotation = std::make_unique<KeyRotation>(world.ledger, world.ciphers, world.random, Suite::zero);
        rotation->resume();
        world.run(*rotation);
        for (const KeyKind kind : every_kind) REQUIRE(world.agreed(kind));
        REQUIRE(world.ledger.waiting.empty());
    }
}
