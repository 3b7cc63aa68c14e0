#include <catch2/catch.hpp>

#include "headend/monitor/guarded_protection.h"

namespace wattmesh::headend::monitor {
namespace {

Buffer hex(const std::string& text) { return from_hex(text).value(); }

/// Ciphers nothing, and counts.
struct Inner : dlms::Protection {
    explicit Inner(int& count) : ciphered(count) {}
    std::optional<Buffer> protect(Bytes apdu) override {
        ++ciphered;
        return to_buffer(apdu);
    }
    Result<Buffer> open(Bytes apdu) override { return to_buffer(apdu); }
    Result<Bytes> open_in_place(std::span<std::uint8_t> apdu) override { return Bytes{apdu}; }
    std::size_t protected_size(std::size_t plain_size) const override { return plain_size; }
    std::optional<Buffer> prove(const dlms::Challenges&) override { return Buffer{1}; }
    bool verify(const dlms::Challenges&, Bytes) override { return true; }
    void set_peer(SystemTitle) override {}
    int& ciphered;
};

/// What goes through a guard, and what it says of the rest.
struct Desk {
    explicit Desk(Role role, int disconnects = 0)
        : guard(std::make_unique<Inner>(ciphered), role, disconnects,
                [this](const std::string& words) { why = words; }) {}
    bool passes(const std::string& apdu) {
        why.clear();
        const int before = ciphered;
        const bool made = guard.protect(hex(apdu)).has_value();
        CHECK(made == (ciphered == before + 1));  // what is refused is not ciphered
        CHECK(made == why.empty());
        return made;
    }
    int ciphered = 0;
    std::string why;
    GuardedProtection guard;
};

// From tests/vectors/dlms.json, by id.
const std::string initiate = "01000000065F1F0400007E1F04B0",        // INI-1
    get_clock = "C001C100080000010000FF0200",                       // GET-1
    get_next = "C002C100000001",                                    // GETN-1
    get_list = "C003C102000100002A0000FF020000080000010000FF0200",  // GETL-1
    get_range =
        "C001C100070100630100FF0201010204020412000809060000010000FF0F02120000090C07E10A010700000000FFC480090C"
        "07E1"
        "0A010701000000FFC4800100",                                                  // GET-RNG
    set_clock = "C101C100080000010000FF0200090C07E50118FF0E303950FFC400",            // SET-1
    set_clock_first = "C102C100080000010000FF0200000000000107090C07E50118FF",        // SETB-1
    set_clock_last = "C103C10100000002070E303950FFC400",                             // SETB-2
    set_list = "C104C10100080000010000FF03000110FF88",                               // SETL-1
    hls_reply = "C301C0000F0000280000FF0101091110000000011A52FE7DD3E72748973C1E28",  // ACT-HLS
    disconnect = "C301C10046000060030AFF01010F00",                                   // ACT-DISC
    access_get = "D94000000100020100010101000001FF020100080000010000FF02020000";     // ACC-1
// By the ASN.1 of the Green Book ed. 10, 9.5, with other objects.
const std::string get_energy = "C001C1 0003 0100010800FF 02 00",
                  get_credit = "C001C1 0070 0000130A00FF 02 00",
                  get_charge = "C001C1 0071 0000131400FF 02 00",
                  set_account = "C101C1 006F 0000130000FF 02 00 1601",
                  enter_token = "C301C1 0073 0000132800FF 01 01 0904 01020304",
                  reconnect = "C301C1 0046 000060030AFF 02 01 0F00",
                  set_limit = "C101C1 0047 0000110000FF 04 00 0600000000",
                  access_set = "D940000001 00 01 02 0047 0000110000FF 04 01 0600000000",
                  run_disconnector = "C301C1 0009 00000A006AFF 01 01 120001";

}  // namespace

TEST_CASE("guard: each role gets what its table says, everything else is refused with a reason",
          "[monitor]") {
    struct Row {
        std::string apdu;
        bool reading, vending, management;
    };
    const auto row = GENERATE(values<Row>({
        {initiate, true, true, true},
        {hls_reply, true, true, true},
        {get_energy, true, false, true},
        {get_clock, true, false, true},
        {get_next, true, true, true},
        {get_list, true, false, true},
        {get_range, true, false, true},
        {access_get, true, false, true},
        {set_clock, false, false, true},
        {set_clock_first, false, false, true},
        {set_list, false, false, true},
        {enter_token, false, true, true},
        {get_credit, true, true, true},
        {set_account, false, true, true},
        {get_charge, true, false, true},
        {reconnect, false, false, true},
        {disconnect, false, false, false},  // not granted
        {set_limit, false, false, false},
        {access_set, false, false, false},
        {run_disconnector, false, false, false},
    }));
    CAPTURE(row.apdu);
    CHECK(Desk{Role::reading}.passes(row.apdu) == row.reading);
    CHECK(Desk{Role::vending}.passes(row.apdu) == row.vending);
    CHECK(Desk{Role::management}.passes(row.apdu) == row.management);
    CHECK_FALSE(Desk{Role::reading, 5}.passes(row.apdu) != row.reading);  // a grant widens no role
}

TEST_CASE("guard: the blocks of a write follow its first block", "[monitor]") {
    Desk desk{Role::management};
    CHECK_FALSE(desk.passes(set_clock_last));
    CHECK(desk.passes(set_clock_first));
    CHECK(desk.passes(set_clock_last));
    CHECK_FALSE(desk.passes(set_clock_last));
    Desk reading{Role::reading};
    CHECK_FALSE(reading.passes(set_clock_first));
    CHECK_FALSE(reading.passes(set_clock_last));
}

TEST_CASE("guard: one bad item in a list refuses the whole list", "[monitor]") {
    Desk vending{Role::vending};
    CHECK(vending.passes("C003C1 02 0070 0000130A00FF 02 00 006F 0000130000FF 02 00"));
    CHECK_FALSE(vending.passes("C003C1 02 0070 0000130A00FF 02 00 0003 0100010800FF 02 00"));
    CHECK_THAT(vending.why, Catch::Contains("vending") && Catch::Contains("1-0:1.8.0"));
    Desk reading{Role::reading};
    CHECK_FALSE(
        reading.passes("D940000001 00 02 01 0001 0101000001FF 02 02 0008 0000010000FF 02 02 00 1100"));
    Desk management{Role::management, 1};
    CHECK(management.passes("C104C1 02 0008 0000010000FF 02 00 0001 0000600100FF 02 00 02 1100 1100"));
    CHECK_FALSE(management.passes("C303C1 02 0046 000060030AFF 01 0046 000060030AFF 01 02 0F00 0F00"));
    CHECK(management.passes("C303C1 02 0046 000060030AFF 01 0046 000060030AFF 02 02 0F00 0F00"));
}

TEST_CASE("guard: disconnects pass as often as they were granted, whatever they look like", "[monitor]") {
    Desk desk{Role::management, 3};
    CHECK(desk.passes(disconnect));
    CHECK(desk.passes(reconnect));
    CHECK(desk.passes(set_limit));
    CHECK(desk.passes(run_disconnector));
    CHECK_FALSE(desk.passes(disconnect));
    CHECK_THAT(desk.why, Catch::Contains("not granted") && Catch::Contains("70/0-0:96.3.10*255/1"));
    const auto hidden = GENERATE_COPY(values<std::string>(
        {access_set, set_limit, run_disconnector,
         "C101C1 0046 000060030AFF 04 00 1604",                          // control mode
         "C301C1 0046 000160030AFF 01 01 0F00",                          // another channel's breaker
         "C301C1 0001 000060030AFF 01 00",                               // the breaker under a foreign class
         "C101C1 0009 00000A0064FF 02 00 0100",                          // scripts of the tariff table
         "C101C1 0016 00000F0001FF 04 00 0100",                          // when the disconnector runs
         "C101C1 0016 00000F0000FF 02 00 0202 090600000A006AFF 120001",  // what a schedule runs
         "C101C1 0015 0000100100FF 02 00 0100",                          // register monitor
         "C301C1 0044 0000600320FF 01 01 0F00",                          // arbitrator
         "C301C1 000A 00000C0000FF 02 01 0202 090600000A006AFF 120001",  // a schedule's new entry
         "C101C1 0014 00000D0000FF 09 00 0101 0202 1101 090600000A006AFF",  // calendar
         "C102C1 0047 0000110000FF 04 00 01 00000001 05 0600000000"}));
    CAPTURE(hidden);
    CHECK_FALSE(desk.passes(hidden));
    CHECK(Desk{Role::management, 1}.passes(hidden));
}

TEST_CASE("guard: values in blocks are watched over the border of blocks", "[monitor]") {
    const std::string first = "C102C1 0014 00000D0000FF 09 00 00 00000001 06 0101 0202 1101",
                      border = "C103C1 00 00000002 06 090600000A00", last = "C103C1 01 00000003 02 6AFF",
                      harmless = "C103C1 01 00000002 04 12000112";
    Desk ungranted{Role::management};
    CHECK(ungranted.passes(first));
    CHECK(ungranted.passes(border));
    CHECK_FALSE(ungranted.passes(last));
    CHECK_FALSE(ungranted.passes(harmless));  // the transfer is over
    CHECK(ungranted.passes(first));
    CHECK(ungranted.passes(harmless));
    CHECK_FALSE(ungranted.passes(border));

    Desk granted{Role::management, 1};
    CHECK(granted.passes(first));
    CHECK(granted.passes(border));
    CHECK(granted.passes(last));
    CHECK_FALSE(granted.passes(disconnect));  // it was used
    CHECK(granted.passes(first));
    CHECK(granted.passes(get_energy));  // another request ends the transfer
    CHECK_FALSE(granted.passes(harmless));
    // A firmware image may hold those octets: it is no calendar.
    CHECK(granted.passes("C301C1 0012 00002C0000FF 02 01 0202 0600000000 0906 00000A006AFF"));
}

TEST_CASE("guard: what does not decode to its last octet is refused for everybody", "[monitor]") {
    const auto apdu = GENERATE_COPY(values<std::string>(
        {get_energy, get_list, get_range, set_clock, hls_reply, access_get, disconnect, set_limit, initiate,
         "C104C1 02 0008 0000010000FF 02 00 0001 0000600100FF 02 00 02 1100 1100",
         "C102C1 0014 00000D0000FF 09 00 00 00000001 06 010102021101"}));
    const auto whole = hex(apdu);
    Desk desk{Role::management, 100};
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(desk.passes(to_hex(Bytes{whole}.first(size))));
    }
    CHECK_FALSE(desk.passes(apdu + "00"));
    CHECK(desk.passes(apdu));
}

TEST_CASE("guard: takes no key from outside, of an association or for good", "[monitor]") {
    Desk desk{Role::management, 100};
    const Key128 key{std::array<std::uint8_t, 16>{1}};
    CHECK_FALSE(desk.guard.set_dedicated_key(SymmetricKey{key}));
    CHECK_FALSE(desk.guard.replace_key(dlms::KeyKind::unicast_encryption, key));
    CHECK(desk.guard.set_dedicated_key(std::nullopt));  // an association without one
}

TEST_CASE("guard: refuses what it does not know and keys of others' making", "[monitor]") {
    Desk desk{Role::management, 100};
    struct Row {
        const char *why, *apdu;
    };
    const auto row = GENERATE(values<Row>({
        {"dedicated key", "01011000112233445566778899AABBCCDDEEFF0000065F1F0400007E1F04B0"},
        {"short-name read", "050102FA08"},
        {"short-name write", "0601020100011101"},
        {"general block transfer", "E0 80 0001 0000 00 01 C0"},
        {"already ciphered", "C81E3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B"},
        {"unknown choice of GET", "C004C1"},
        {"unknown choice of SET", "C106C1"},
        {"unknown choice of ACTION", "C307C1"},
        {"empty list", "C003C100"},
        {"endless list", "C003C1 84FFFFFFFF"},
        {"fewer values than targets", "C104C1 02 0008 0000010000FF 02 00 0001 0000600100FF 02 00 01 1100"},
        {"a flag that is neither 0 nor 1", "C001C1 0003 0100010800FF 02 02"},
        {"a block of nothing that began", "C306C1 01 00000002 00"},
        {"nested too deep",
         "C101C1 0001 0000600100FF 02 00 "
         "0201020102010201020102010201020102010201020102010201020102010201020102011100"},
    }));
    CAPTURE(row.why);
    CHECK_FALSE(desk.passes(row.apdu));
    CHECK(desk.passes(get_energy));
}

}  // namespace wattmesh::headend::monitor
