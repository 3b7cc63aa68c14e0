#include <catch2/catch.hpp>

#include "protocol/cosem/obis_names.h"
#include "protocol/cosem/units.h"

using namespace wattmesh;
using namespace wattmesh::cosem;

TEST_CASE("units: names are those of the Blue Book's table", "[cosem]") {
    CHECK(unit_name(27) == "W");
    CHECK(unit_name(30) == "Wh");
    CHECK(unit_name(32) == "varh");
    CHECK(unit_name(13) == "m³");
    CHECK(unit_name(255).empty());
    CHECK(unit_name(58).empty());
    CHECK(scaled(2305, -1) == 230.5);
    CHECK(scaled(7, 3) == 7000);
}

TEST_CASE("obis names: objects have words, and the code when there are none", "[cosem]") {
    CHECK(obis_name(obis::active_import_total) == "Active energy import");
    CHECK(obis_name(ObisCode{{1, 0, 1, 8, 2, 255}}) == "Active energy import tariff 2");
    CHECK(obis_name(obis::clock) == "Clock");
    CHECK(obis_name(ObisCode{{0, 0, 43, 1, 1, 255}}) == "Invocation counter");
    CHECK(obis_name(ObisCode{{0, 0, 15, 0, 2, 255}}) == "Image activation schedule");
    CHECK(obis_name(ObisCode{{7, 0, 3, 0, 0, 255}}).empty());
    CHECK(obis_name_or_code(ObisCode{{7, 0, 3, 0, 0, 255}}) == "7-0:3.0.0*255");
    CHECK(usual_class(obis::clock) == 8);
    CHECK(usual_class(obis::load_profile) == 7);
    CHECK(usual_class(obis::disconnect_control) == 70);
    CHECK(usual_class(obis::active_import_total) == 3);
}
