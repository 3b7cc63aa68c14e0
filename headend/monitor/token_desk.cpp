#include "headend/monitor/token_desk.h"

#include <utility>

namespace wattmesh::headend::monitor {
namespace {

namespace gateway = cosem::token_gateway;
using cosem::Quantity;
using What = ErrandResult::What;

constexpr const char* actor = "vending";

}  // namespace

/// One after the other, which the desk of reads puts into one association.
void TokenDesk::read(DeviceNumber meter, std::vector<dlms::AttributeId> wanted,
                     std::function<void(std::string, std::vector<OnDemandResult>)> done) {
    struct Reading {
        std::vector<dlms::AttributeId> wanted;
        std::vector<OnDemandResult> values;
        std::function<void(std::string, std::vector<OnDemandResult>)> done;
        bool over = false;
    };
    const auto reading = std::make_shared<Reading>(Reading{std::move(wanted), {}, std::move(done)});
    for (const auto& id : reading->wanted)
        on_demand_.read(meter, id, [reading, alive = std::weak_ptr{alive_}](const OnDemandResult& read) {
            if (!alive.lock() || std::exchange(reading->over, reading->over || !read.ok())) return;
            if (!read.ok()) return reading->done(read.fault, {});
            reading->values.push_back(read);
            if (reading->values.size() == reading->wanted.size())
                reading->done("", std::move(reading->values));
        });
}

void TokenDesk::look(DeviceNumber meter, const cosem::MeterModel& model, Told<GatewayView> done) {
    const ObisCode name = model.find(Quantity::token_gateway)->name;
    read(meter,
         {gateway::token.of(name), gateway::token_delivery_method.of(name), gateway::token_status.of(name)},
         [done = std::move(done)](std::string fault, const std::vector<OnDemandResult>& values) {
             if (!fault.empty()) return done(std::move(fault), std::nullopt);
             const auto digits = gateway::token.read(values[0].value);
             const auto from = gateway::token_delivery_method.read(values[1].value);
             const auto status = gateway::token_status.read(values[2].value);
             if (!digits || !from || !status) return done("malformed", std::nullopt);
             done("", GatewayView{{digits->begin(), digits->end()}, *from, *status});
         });
}

void TokenDesk::enter(DeviceNumber meter, const cosem::MeterModel& model, const std::string& digits,
                      std::function<void(TokenOutcome)> done) {
    auto call = gateway::enter(model.find(Quantity::token_gateway)->name, to_buffer(as_bytes(digits)));
    MeterErrand::Call method{call.id, std::move(call.argument).value()};
    on_demand_.hold(meter, [this, meter, method = std::move(method), done = std::move(done),
                            alive = std::weak_ptr{alive_}]() mutable {
        if (!alive.lock()) return;
        keys_.access(
            {.meter = meter, .role = Role::vending, .actor = actor},
            [this, meter, method = std::move(method), done = std::move(done),
             alive](KeyAnswer answer) mutable {
                if (!alive.lock()) return;
                if (const auto* fault = std::get_if<KeyFault>(&answer)) {
                    on_demand_.release(meter);
                    return done({std::string{to_string(*fault)}, false, {}});
                }
                const auto errand = std::make_shared<MeterErrand>(meter, carry_, ciphers_, random_);
                errands_.insert(errand);
                errand->start(
                    std::get<GuardedAccess>(std::move(answer)), radio_pdu_size_max, std::move(method), true,
                    [this, meter, ended = std::weak_ptr{errand}, done = std::move(done),
                     alive](const ErrandResult& result) {
                        if (!alive.lock()) return;
                        errands_.erase(ended.lock());
                        on_demand_.release(meter);
                        if (result.what == What::unreached) return done({result.fault, false, {}});
                        if (result.what == What::denied) return done({"not_authentic", false, {}});
                        if (result.what == What::lost) return done({"no_answer", true, {}});
                        if (result.what == What::refused) return done({"refused", true, {}});
                        const auto status = gateway::token_status.read(result.value.value_or(dlms::Data{}));
                        if (!status) return done({"malformed", true, {}});
                        done({"", true, *status});
                    });
            });
    });
}

void TokenDesk::balance(DeviceNumber meter, const cosem::MeterModel& model,
                        Told<database::MeterBalance> done) {
    read(meter,
         {cosem::credit::current_credit_amount.of(model.find(Quantity::token_credit)->name),
          cosem::account::currency.of(model.find(Quantity::account)->name)},
         [done = std::move(done)](std::string fault, const std::vector<OnDemandResult>& values) {
             if (!fault.empty()) return done(std::move(fault), std::nullopt);
             const auto amount = cosem::credit::current_credit_amount.read(values[0].value);
             const auto currency = cosem::account::currency.read(values[1].value);
             if (!amount || !currency) return done("malformed", std::nullopt);
             done("",
                  database::MeterBalance{*amount, currency->currency_scale, currency->currency_name.text});
         });
}

void TokenDesk::load_side(DeviceNumber meter, const cosem::MeterModel& model, Told<std::int64_t> done) {
    const ObisCode name = model.find(Quantity::load_side_voltage)->name;
    read(meter, {dlms::AttributeId{3, name, 2}},
         [done = std::move(done)](std::string fault, const std::vector<OnDemandResult>& values) {
             if (!fault.empty()) return done(std::move(fault), std::nullopt);
             const auto raw = values[0].value.integer();
             const int scaler = values[0].scaler.value_or(0);
             if (!raw || scaler < -4 || scaler > 2) return done("malformed", std::nullopt);
             std::int64_t tenths = *raw * 10;
             for (int i = scaler; i < 0; ++i) tenths /= 10;
             for (int i = scaler; i > 0; --i) tenths *= 10;
             done("", tenths);
         });
}

}  // namespace wattmesh::headend::monitor
