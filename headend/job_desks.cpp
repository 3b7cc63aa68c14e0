#include "headend/job_desks.h"

#include "headend/console/context.h"
#include "headend/console/data_text.h"
#include "protocol/cosem/units.h"

namespace wattmesh::headend {
namespace {

constexpr std::size_t report_threads = 2;  // one for reports, one for looks at their jobs
constexpr std::chrono::milliseconds delivery_look_real{500}, prepayment_look_real{1'000},
    prepayment_retry_real{60'000};

jobs::JobRunnerSettings settings_of(Plant& plant) {
    std::array<std::uint8_t, 8> octets{};
    plant.random.fill(octets);
    return {.owner = to_hex(octets)};
}

/// 12345 Wh with scaler 1 is "123450 Wh", with scaler -3 "12.345 Wh".
std::string text_of(const monitor::OnDemandResult& result) {
    const auto integer = result.value.integer();
    const int scaler = result.scaler.value_or(0);
    if (!integer || !result.scaler || scaler > 9 || scaler < -9) return console::data_text(result.value);
    auto text = to_string(jobs::Decimal{*integer, scaler < 0 ? -scaler : 0});
    if (scaler > 0 && *integer != 0) text.append(static_cast<std::size_t>(scaler), '0');
    const auto unit = cosem::unit_name(result.unit.value_or(255));
    return unit.empty() ? text : text + " " + std::string{unit};
}

monitor::ParameterJob::Ports ports_of(Plant& plant, database::QueryQueue& queue,
                                      monitor::ParameterDesk& desk) {
    return {.queue = queue,
            .desk = desk,
            .pump = [&plant] { plant.pump(); },
            .now = [&plant] { return plant.loop.now(); },
            .text = console::data_text};
}

}  // namespace

MeterDesk::MeterDesk(Plant& plant, database::QueryQueue& queue, monitor::KeyService& keys,
                     monitor::OnDemand& on_demand, monitor::RelayDesk& relay, const monitor::Carry& carry)
    : plant_(plant),
      queue_(queue),
      on_demand_(on_demand),
      reads_(
          [this](DeviceNumber meter, const dlms::AttributeId& attribute,
                 std::function<void(jobs::ReadJob::Answer)> done) {
              on_demand_.read(
                  meter, attribute,
                  [this, meter, attribute, done = std::move(done)](const monitor::OnDemandResult& result) {
                      const auto integer = result.value.integer();
                      if (result.ok() && integer && result.scaler)
                          put_register(queue_, meter,
                                       {attribute.object, *integer, result.scaler, result.unit},
                                       plant_.loop.now(), "on_demand");
                      done({result.fault, result.ok() ? text_of(result) : std::string{}});
                  });
              plant_.pump();
          },
          [this] { return plant_.loop.now(); }),
      relays_(
          queue, relay, [&plant] { plant.pump(); }, [&plant] { return plant.loop.now(); },
          monitor::prepayment_objection),
      clock_desk_(
          keys, on_demand, carry, [&plant] { return plant.loop.now(); }, plant.ciphers, plant.random),
      parameter_desk_(keys, on_demand, carry, plant.ciphers, plant.random),
      clocks_(
          queue, clock_desk_, [&plant] { plant.pump(); }, [&plant] { return plant.loop.now(); }),
      watch_(plant.loop, queue, clock_desk_, [&plant] { plant.pump(); }),
      parameters_(ports_of(plant, queue, parameter_desk_)),
      limits_(ports_of(plant, queue, parameter_desk_)),
      firmware_(
          queue,
          [&plant] {
              if (plant.monitor != nullptr) plant.monitor->refresh_soon();
          },
          [&plant] { return plant.loop.now(); }),
      activations_({.queue = queue,
                    .on_demand = on_demand,
                    .desk = parameter_desk_,
                    .pump = [&plant] { plant.pump(); },
                    .now = [&plant] { return plant.loop.now(); }}),
      runner_(plant.loop, settings_of(plant), queue,
              {&reads_, &relays_, &clocks_, &parameters_, &limits_, &firmware_, &activations_}),
      prepayments_(plant, queue) {}

PrepaymentDesk::PrepaymentDesk(Plant& plant, database::QueryQueue& queue)
    : plant_(plant),
      queue_(queue),
      settings_{.second_person_above = plant.settings.console.second_person_above},
      timer_(plant.loop) {}

void PrepaymentDesk::look() {
    timer_.after_real(prepayment_retry_real, [this] { look(); });  // even when the completion never comes
    queue_.run(
        [settings = settings_, now = plant_.loop.now()](database::Connection& connection) {
            return monitor::prepayment_round(connection, settings, now);
        },
        [this, alive = std::weak_ptr{alive_}](const std::optional<monitor::PrepaymentRound>& round) {
            if (!alive.lock()) return;
            timer_.after_real(prepayment_look_real, [this] { look(); });
            if (round && round->notices + round->cuts + round->reconnects > 0)
                plant_.log.information("worked prepayment notices={} cuts={} reconnects={}", round->notices,
                                       round->cuts, round->reconnects);
        });
}

void PrepaymentDesk::stop() {
    alive_.reset();
    timer_.cancel();
}

DeliveryDesk::DeliveryDesk(Plant& plant, database::QueryQueue& queue, monitor::KeyService& keys,
                           monitor::OnDemand& on_demand, monitor::RelayDesk& relay, monitor::Carry carry)
    : tokens_(keys, on_demand, std::move(carry), plant.ciphers, plant.random),
      work_({}, {.queue = queue,
                 .master = *plant.master,
                 .tokens = tokens_,
                 .relay = relay,
                 .pump = [&plant] { plant.pump(); },
                 .now = [&plant] { return plant.loop.now(); }}),
      timer_(plant.loop) {}

void DeliveryDesk::look() {
    timer_.after_real(delivery_look_real, [this] { look(); });
    work_.look();
}

ReportDesk::ReportDesk(Plant& plant)
    : workers_(plant, "wm_console", report_threads),
      kind_(workers_.queue(), console::interval_profile, [&plant] { return plant.loop.now(); }),
      runner_(plant.loop, settings_of(plant), workers_.queue(), {&kind_}) {}

}  // namespace wattmesh::headend
