#include <catch2/catch.hpp>
#include <set>

#include "protocol/cosem/class_table.h"
#include "protocol/cosem/models/meter_model.h"
#include "protocol/cosem/models/models.h"

using namespace wattmesh;
using namespace wattmesh::cosem;

TEST_CASE("meter models: names are unique, objects are attributes of known classes", "[cosem]") {
    std::set<std::string_view> names;
    for (const auto* model : meter_models()) {
        INFO(model->name);
        CHECK(names.insert(model->name).second);
        CHECK(meter_model(model->name) == model);
        CHECK_FALSE(model->summary.empty());
        CHECK_FALSE(model->objects.empty());
        std::set<Quantity> quantities;
        std::set<ObisCode> codes;
        for (const auto& object : model->objects) {
            INFO(to_string(object.quantity));
            CHECK(quantities.insert(object.quantity).second);
            CHECK(codes.insert(object.name).second);
            const auto* spec = find_class(object.class_id);
            REQUIRE(spec != nullptr);
            CHECK(spec->attribute(object.attribute) != nullptr);
        }
        for (const auto quantity : {Quantity::clock, Quantity::logical_device_name, Quantity::load_profile,
                                    Quantity::image_transfer, Quantity::security_setup, Quantity::meter_type})
            CHECK(model->find(quantity) != nullptr);
    }
    CHECK(meter_model("nobody") == nullptr);
}

TEST_CASE("meter models: profiles are objects, start with the clock and capture known classes", "[cosem]") {
    for (const auto* model : meter_models())
        for (const auto& profile : model->profiles) {
            INFO(model->name << ' ' << to_string(profile.quantity));
            const auto* object = model->find(profile.quantity);
            REQUIRE(object != nullptr);
            CHECK(object->class_id == 7);
            REQUIRE_FALSE(profile.columns.empty());
            if (profile.quantity != Quantity::name_plate_profile)
                CHECK(profile.columns.front() == dlms::CaptureObject{8, obis::clock, 2, 0});
            for (const auto& column : profile.columns) CHECK(find_class(column.class_id) != nullptr);
        }
}

TEST_CASE("meter models: every quantity has a word of its own", "[cosem]") {
    std::set<std::string_view> words;
    for (int i = 0; i <= static_cast<int>(Quantity::load_side_voltage); ++i)
        CHECK(words.insert(to_string(static_cast<Quantity>(i))).second);
    CHECK(to_string(Quantity::meter_type) == "meter_type");
    CHECK(to_string(Quantity::load_profile) == "load_profile");
}

TEST_CASE("meter models: the maker's letters find a model, what is unknown is generic", "[cosem]") {
    CHECK(model_of("ISK1030777764366").name == "idis");  // fact sheet GETLR-1
    CHECK(model_of("KFM1200200000019").name == "dsmr");
    CHECK(model_of("WMT540000000001").name == "generic");
    CHECK(model_of("XYZ1").name == "generic");
    CHECK(model_of("", SystemTitle{{'L', 'G', 'Z', 1, 2, 3, 4, 5}}).name == "idis");
    CHECK(model_of("", {}).name == "generic");
}

TEST_CASE("meter models: Indian meters keep their things where IS 15959 says", "[cosem]") {
    const auto& model = *meter_model("is15959");
    CHECK(model.find(Quantity::instantaneous_profile)->name == ObisCode{{1, 0, 94, 91, 0, 255}});
    CHECK(model.find(Quantity::load_profile)->name == ObisCode{{1, 0, 99, 1, 0, 255}});
    CHECK(model.find(Quantity::daily_profile)->name == ObisCode{{1, 0, 99, 2, 0, 255}});
    CHECK(model.find(Quantity::billing_profile)->name == ObisCode{{1, 0, 98, 1, 0, 255}});
    CHECK(model.find(Quantity::name_plate_profile)->name == ObisCode{{0, 0, 94, 91, 10, 255}});
    CHECK(model.profile(Quantity::load_profile)->scaler_profile == ObisCode{{1, 0, 94, 91, 4, 255}});
    CHECK(model.find(ObisCode{{1, 0, 9, 8, 0, 255}})->quantity == Quantity::apparent_import);
    CHECK(model.find(Quantity::reactive_import) == nullptr);
    CHECK(model.reading_client.client == Sap{32});
    CHECK(model.management_client.client == Sap{48});
    CHECK(model.reading_keys == ReadingKeys::separate);
}

TEST_CASE("meter models: quirks are off unless a model says otherwise", "[cosem]") {
    CHECK(models::generic.quirks == dlms::Quirks{});
    CHECK(models::idis.quirks == dlms::Quirks{});
    CHECK(models::dsmr.quirks.tagged_date_time);
    CHECK(models::idis.reading_keys == ReadingKeys::shared);
}

TEST_CASE("meter models: what sells by token says where, and what closes its breaker", "[cosem]") {
    int selling = 0;
    for (const auto* model : meter_models()) {
        INFO(model->name);
        const auto* gateway = model->find(Quantity::token_gateway);
        CHECK(model->reconnection.has_value() == (gateway != nullptr));
        if (gateway == nullptr) continue;
        ++selling;
        CHECK(gateway->class_id == 115);
        CHECK(model->find(Quantity::account)->class_id == 111);
        CHECK(model->find(Quantity::token_credit)->class_id == 112);
        // nobody switches on by command without looking behind the breaker
        if (model->reconnection == Reconnection::by_command)
            CHECK(model->find(Quantity::load_side_voltage) != nullptr);
    }
    CHECK(selling == 2);
    CHECK(model_of("WMP540000000001").name == "prepaid");
    CHECK(to_string(Reconnection::by_hand) == "by_hand");
}
