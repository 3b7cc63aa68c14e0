#include "protocol/cim/reading_type.h"

#include <catch2/catch.hpp>

using namespace wattmesh;
using cim::Capture;

TEST_CASE("reading type: codes of the usual registers", "[protocol]") {
    // Codes as Green Button (ESPI) feeds and public head-ends' documents have them; scaler 3 makes k.
    struct Row {
        const char* obis;
        Capture capture;
        int period_s, scaler, unit;
        const char* code;
    };
    for (const auto& row : {
             Row{"1-0:1.8.0*255", Capture::state, 0, 3, 30, "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"},
             Row{"1-0:1.8.0*255", Capture::state, 0, 0, 30, "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.0.72.0"},
             Row{"1-0:2.8.0*255", Capture::state, 0, 3, 30, "0.0.0.1.19.1.12.0.0.0.0.0.0.0.0.3.72.0"},
             Row{"1-0:1.8.2*255", Capture::state, 0, 3, 30, "0.0.0.9.1.1.12.0.0.0.0.2.0.0.0.3.72.0"},
             Row{"1-0:3.8.0*255", Capture::state, 0, 3, 32, "0.0.0.1.2.1.12.0.0.0.0.0.0.0.0.3.73.0"},
             Row{"1-0:4.8.0*255", Capture::state, 0, 3, 32, "0.0.0.1.3.1.12.0.0.0.0.0.0.0.0.3.73.0"},
             Row{"1-0:6.8.0*255", Capture::state, 0, 3, 32, "0.0.0.1.16.1.12.0.0.0.0.0.0.0.0.3.73.0"},
             Row{"1-0:9.8.0*255", Capture::state, 0, 3, 31, "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.71.0"},
             Row{"1-0:16.8.0*255", Capture::state, 0, 3, 30, "0.0.0.1.4.1.12.0.0.0.0.0.0.0.0.3.72.0"},
             Row{"1-0:1.8.0*255", Capture::stored, 86'400, 3, 30, "11.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"},
             Row{"1-0:1.8.0*255", Capture::stored, 900, 3, 30, "0.0.2.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"},
             Row{"1-0:1.8.0*255", Capture::period, 900, 3, 30, "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"},
             Row{"1-0:1.29.0*255", Capture::stored, 900, 3, 30, "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"},
             Row{"1-0:2.8.0*255", Capture::period, 3'600, 0, 30, "0.0.7.4.19.1.12.0.0.0.0.0.0.0.0.0.72.0"},
             Row{"1-0:32.7.0*255", Capture::stored, 900, 0, 35, "0.0.0.12.0.1.158.0.0.0.0.0.0.0.128.0.29.0"},
             Row{"1-0:72.7.0*255", Capture::state, 0, -1, 35, "0.0.0.12.0.1.158.0.0.0.0.0.0.0.32.-1.29.0"},
             Row{"1-0:51.7.0*255", Capture::state, 0, 0, 33, "0.0.0.12.1.1.4.0.0.0.0.0.0.0.64.0.5.0"},
             Row{"1-0:1.7.0*255", Capture::state, 0, 3, 27, "0.0.0.12.1.1.37.0.0.0.0.0.0.0.0.3.38.0"},
             Row{"1-0:2.7.0*255", Capture::state, 0, 3, 27, "0.0.0.12.19.1.37.0.0.0.0.0.0.0.0.3.38.0"},
             Row{"1-0:13.7.0*255", Capture::state, 0, 0, 255, "0.0.0.12.0.1.38.0.0.0.0.0.0.0.0.0.65.0"},
             Row{"1-0:14.7.0*255", Capture::state, 0, 0, 44, "0.0.0.12.0.1.15.0.0.0.0.0.0.0.0.0.33.0"},
         }) {
        INFO(row.obis << " " << row.code);
        const auto type = cim::reading_type(ObisCode::parse(row.obis).value(), row.capture, row.period_s,
                                            row.scaler, row.unit);
        REQUIRE(type);
        CHECK(to_string(*type) == row.code);
    }
}

TEST_CASE("reading type: what we know no code of has none", "[protocol]") {
    const auto has = [](const char* obis, Capture capture, int period_s, int unit) {
        return cim::reading_type(ObisCode::parse(obis).value(), capture, period_s, 0, unit).has_value();
    };
    CHECK_FALSE(has("1-0:1.8.0*255", Capture::state, 0, 32));      // another unit than the register's
    CHECK_FALSE(has("1-0:1.8.0*255", Capture::period, 901, 30));   // a period without a code
    CHECK_FALSE(has("7-0:3.0.0*255", Capture::state, 0, 13));      // gas
    CHECK_FALSE(has("1-0:1.8.0*1", Capture::state, 0, 30));        // a former billing period
    CHECK_FALSE(has("1-0:32.7.0*255", Capture::period, 900, 35));  // a voltage does not rise by
    CHECK_FALSE(has("1-0:32.7.5*255", Capture::state, 0, 35));     // a harmonic
}

TEST_CASE("reading type: eighteen numbers read as they are written, anything else is none", "[protocol]") {
    for (const auto* text :
         {"0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0", "0.0.0.12.0.1.158.0.0.7.1.2.3.4.32.-1.29.978"}) {
        const auto type = cim::parse_reading_type(text);
        REQUIRE(type);
        CHECK(to_string(*type) == text);
    }
    for (const auto* text :
         {"", "0", "1.8.0", "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72", "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0.0",
          "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.", ".0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0",
          "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.x", "-1.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0",
          "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.1234567.0", "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.-.72.0"}) {
        INFO(text);
        CHECK_FALSE(cim::parse_reading_type(text));
    }
}

TEST_CASE("reading type: a register that is read now has one, and it leads back to the register",
          "[protocol]") {
    for (const auto* obis :
         {"1-0:1.8.0*255", "1-0:1.8.2*255", "1-0:2.8.0*255", "1-0:3.8.0*255", "1-0:16.8.0*255",
          "1-0:1.7.0*255", "1-0:32.7.0*255", "1-0:91.7.0*255", "1-0:14.7.0*255"}) {
        INFO(obis);
        const auto code = ObisCode::parse(obis).value();
        std::optional<cim::ReadingType> type;
        for (const int unit : {27, 29, 30, 32, 33, 35, 44})
            if (!type) type = cim::reading_type(code, Capture::state, 0, 3, unit);
        REQUIRE(type);
        CHECK(cim::state_register(*type) == code);
        type->measuring_period = 2;
        CHECK_FALSE(cim::state_register(*type));
    }
}
