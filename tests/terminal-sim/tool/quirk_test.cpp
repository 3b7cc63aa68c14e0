// Each quirk as a simulated meter shows it, read when it is allowed and refused by name when it is not.
#include <catch2/catch.hpp>

#include "protocol/decode/describe.h"
#include "protocol/dlms/date_time.h"
#include "protocol/dlms/quirk_names.h"
#include "terminal-sim/tool/profile_reading.h"
#include "terminal-sim/tool/session_options.h"
#include "tests/terminal-sim/tool/listener_thread.h"
#include "tests/terminal-sim/tool/meter_thread.h"

using namespace wattmesh;
using namespace wattmesh::sim;

namespace {

MeterThread::Special showing(bool dlms::Quirks::* quirk) {
    MeterThread::Special special;
    special.quirks.*quirk = true;
    return special;
}

MeterSession::Who management(const dlms::Quirks& allowed, bool general = false) {
    MeterSession::Who who{management_client, {}, dlms::ClientKeys{key(1), key(2)}};
    who.quirks = allowed;
    who.form.framing = general ? dlms::Framing::general : dlms::Framing::service;
    return who;
}

/// Associates, reads a value and the profile's rows of an hour, and releases.
std::size_t rows_read(const MeterThread& meter, const MeterSession::Who& who, BenchLine line = {},
                      LinkKind kind = LinkKind::wrapper) {
    BenchCall call{meter.address(), kind, management_logical_device, 5s, std::move(line)};
    MeterSession session{call, who};
    REQUIRE(std::holds_alternative<dlms::Data>(session.get({8, obis::clock, 2})));
    const auto clock = session.get({8, obis::clock, 2});
    const auto now = dlms::date_time(std::get<dlms::Data>(clock))->at;
    const auto rows = read_profile(session, obis::load_profile, std::pair{now - 1h, now});
    const auto count = std::get<dlms::Data>(rows).elements()->size();
    session.release();
    return count;
}

MeterSession::Who reader(const dlms::Quirks& allowed) {
    MeterSession::Who who{reading_client, to_buffer(as_bytes("12345678")), {}};
    who.quirks = allowed;
    return who;
}

}  // namespace

TEST_CASE("quirk: what the meter leaves out or writes wrong is read when allowed, refused by name when not",
          "[sim]") {
    struct Row {
        const char* name;
        bool general;
        bool plain;  ///< shown to the reading client, whose answers are not ciphered
    };
    const auto row = GENERATE(values<Row>({{"empty_system_title", true, false},
                                           {"missing_user_information", false, true},
                                           {"wrong_release_length", false, false},
                                           {"capture_attribute_255", false, false},
                                           {"sort_column_not_first", false, false},
                                           {"more_rows_than_counted", false, true}}));
    CAPTURE(row.name);
    const auto* quirk = dlms::quirk_named(row.name);
    REQUIRE(quirk != nullptr);
    const MeterThread meter{LinkKind::wrapper, {}, showing(quirk->flag)};
    dlms::Quirks allowed;
    const auto who = [&] { return row.plain ? reader(allowed) : management(allowed, row.general); };
    CHECK_THROWS_WITH(rows_read(meter, who()), Catch::Contains(row.name));
    allowed.*quirk->flag = true;
    CHECK(rows_read(meter, who()) == 4);
}

TEST_CASE("quirk: a meter without quirks is read by a client that would bear them all", "[sim]") {
    const MeterThread meter{LinkKind::wrapper};
    dlms::Quirks all;
    for (const auto& quirk : dlms::quirk_names()) all.*quirk.flag = true;
    CHECK(rows_read(meter, management(all)) == 4);
    CHECK(rows_read(meter, reader({})) == 4);
}

TEST_CASE("quirk: an optical echo is taken off when it is expected, and nothing is read when not", "[sim]") {
    const MeterThread meter{LinkKind::hdlc, {}, showing(&dlms::Quirks::optical_echo)};
    BenchLine line;
    line.attempts_max = 1;
    {  // client 1 and server 1: its own frames look like the meter's
        BenchCall call{meter.address(), LinkKind::hdlc, management_logical_device, 500ms, line};
        CHECK_THROWS_WITH((MeterSession{call, management({})}), Catch::Contains("optical_echo"));
    }
    line.echo = true;  // what --quirk optical_echo sets
    line.attempts_max = 3;
    CHECK(rows_read(meter, management({}), line, LinkKind::hdlc) == 4);
}

TEST_CASE("quirk: pushes with a tagged date or without a title are decoded, and named", "[sim]") {
    const auto* quirk =
        GENERATE(dlms::quirk_named("tagged_date_time"), dlms::quirk_named("empty_system_title"));
    CAPTURE(quirk->name);
    ListenerThread listener{PushLink::wrapper};
    auto special = showing(quirk->flag);
    special.push_destination = {
        cosem::push_setup::TransportService::tcp, to_buffer(as_bytes(listener.address())), {}};
    const MeterThread meter{LinkKind::wrapper, {}, special};
    BenchCall call{meter.address(), LinkKind::wrapper, management_logical_device, 20s};
    MeterSession session{call, management({})};
    REQUIRE(session.act({40, ObisCode{{0, 0, 25, 9, 0, 255}}, 1}, dlms::Data{std::int8_t{0}}).result ==
            dlms::AccessResult::success);
    session.release();
    const auto push = listener.take();
    REQUIRE(push);
    security::OpensslCiphers ciphers;
    decode::Keyring keyring;
    keyring.ciphers = &ciphers;
    keyring.encryption = key(1);
    keyring.authentication = key(2);
    keyring.title = system_title(MeterThread::number);
    const auto report = decode::describe(push->octets, {.form = decode::Form::wrapper}, keyring);
    CAPTURE(report.text());
    CHECK(report.whole());
    CHECK_THAT(report.text(), Catch::Contains("quirk " + std::string{quirk->name}));
    CHECK_THAT(report.text(), Catch::Contains("WMT540000000042"));
    const dlms::Quirks none;
    CHECK(quirk_met(report, none) == quirk->name);
    dlms::Quirks allowed;
    allowed.*quirk->flag = true;
    CHECK(quirk_met(report, allowed).empty());
}

TEST_CASE("quirk: names are those of the flags, and an unknown one is refused with all that there are",
          "[sim]") {
    const auto options = [](const char* words) {
        return platform::Settings{std::map<std::string, std::string>{{"quirk", words}}};
    };
    const auto both = quirks_of(options("optical_echo,tagged_date_time"), cosem::models::generic);
    CHECK(both.optical_echo);
    CHECK(both.tagged_date_time);
    CHECK_FALSE(both.empty_system_title);
    CHECK(quirks_of(platform::Settings{}, cosem::models::dsmr).tagged_date_time);
    CHECK_THROWS_WITH(quirks_of(options("lazy"), cosem::models::generic), Catch::Contains("optical_echo"));
}
