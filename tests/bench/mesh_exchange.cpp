#include "tests/bench/mesh_exchange.h"

#include <stdexcept>

#include "concentrator/reading/meter_talk.h"
#include "protocol/dlms/date_time.h"
#include "protocol/dlms/server.h"
#include "security/ciphers.h"
#include "terminal-sim/field/population.h"
#include "terminal-sim/field/shipment.h"
#include "terminal-sim/field/town.h"
#include "terminal-sim/meter/access.h"
#include "tests/concentrator/mesh/town.h"

namespace wattmesh::bench {

Exchange real_exchange() {
    using namespace std::chrono_literals;
    constexpr Duration quarter = 15min;
    const Instant end = test::town_start - Duration{epoch_us(test::town_start) % quarter.count()};
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    const sim::Town town = sim::make_town({.kind = sim::LayoutKind::rural, .meters = 1, .seed = 1});
    const sim::Shipment shipment = sim::make_shipment(town, random);
    const auto& meter = town.meters.front();
    const auto& keys = shipment.at(meter.number);
    sim::CounterFile counters{2};
    sim::Truth truth;
    sim::Population population{town, end - 4h, counters, truth, {}};
    population.advance(end + 10s);
    dlms::Server server{
        system_title(meter.number),
        sim::radio_access({keys.management, keys.reading, {}}, system_title(meter.concentrator), counters, 0),
        population.meter(0), ciphers, random};

    concentrator::MeterTalk talk{meter.number, keys.reading, system_title(meter.concentrator),
                                 false,        ciphers,      random};
    talk.send().grant(1, 100);
    // Bounds belong to the window: a second after the last row up to the newest one.
    talk.client().get({7, obis::load_profile, 2},
                      dlms::RangeSelection{{8, obis::clock, 2, 0},
                                           dlms::date_time_octets({end - quarter + 1s, 0, 0}),
                                           dlms::date_time_octets({end, 0, 0}),
                                           {}});
    Exchange exchange;
    while (auto request = talk.client().take_output()) {
        exchange.down += 1 + request->size();
        server.handle(reading_client, *request, end + 20s, [&](Buffer answer) {
            exchange.up += 1 + answer.size();
            talk.client().receive(answer);
        });
    }
    const auto event = talk.client().take_event();
    const auto* read = event ? std::get_if<dlms::ReadCompleted>(&*event) : nullptr;
    const auto* rows = read ? std::get_if<dlms::Data>(&read->outcome) : nullptr;
    if (rows == nullptr || rows->as<dlms::Array>() == nullptr ||
        rows->as<dlms::Array>()->elements.size() != 1)
        throw std::runtime_error("bench mesh: the simulated meter did not answer with one row");
    return exchange;
}

}  // namespace wattmesh::bench
