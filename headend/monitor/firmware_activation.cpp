#include "headend/monitor/firmware_activation.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <stdexcept>

#include "headend/jobs/retry.h"
#include "protocol/cosem/image_transfer_class.h"
#include "protocol/cosem/measurement.h"
#include "protocol/cosem/models/models.h"

namespace wattmesh::headend::monitor {
namespace {

namespace transfer = cosem::image_transfer;
constexpr Duration restart = std::chrono::minutes{1};  // meters may restart to run another image

std::string text_of(const dlms::Data& value) {
    std::string text;
    for (const auto octet : value.octets())
        text += octet < ' ' || octet > '~' ? '?' : static_cast<char>(octet);
    return text.substr(0, 64);
}

}  // namespace

std::string ActivationOrder::to_json() const {
    return R"({"image":)" + std::to_string(image.value) + R"(,"at_us":)" + std::to_string(epoch_us(at)) + "}";
}

ActivationOrder ActivationOrder::from_json(const std::string& text) {
    try {
        const auto object = Poco::JSON::Parser{}.parse(text).extract<Poco::JSON::Object::Ptr>();
        return {database::FirmwareImageId{object->getValue<Poco::Int64>("image")},
                from_epoch_us(object->getValue<Poco::Int64>("at_us"))};
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("not an order to activate firmware: " + error.displayText());
    }
}

/// One item.
struct FirmwareActivation::Turn {
    database::Job job;
    database::JobItem item;
    Done done;
    DeviceNumber meter;
    database::FirmwareTask task{};
    ObisCode version{}, image{};
    std::string before{}, after{};
    bool sent = false;  ///< by us, or perhaps by whom we took the item up from
};

void FirmwareActivation::work(const database::Job& job, const database::JobItem& item, Done done) {
    const auto meter = DeviceNumber::parse(item.subject);
    std::optional<ActivationOrder> order;
    try {
        order = ActivationOrder::from_json(job.parameters);
    } catch (const std::runtime_error& error) {
        return done({database::ItemState::failed, error.what()});
    }
    if (!meter) return done({database::ItemState::failed, "'" + item.subject + "' is no meter"});
    if (ports_.now() < order->at && job.open()) return done(jobs::later("waits for its time", order->at));
    const auto turn = std::make_shared<Turn>(Turn{job, item, std::move(done), *meter});
    turn->sent = item.taken_up || item.sent;
    ports_.queue.run(
        [meter = *meter, image = order->image](database::Connection& connection) {
            return database::Firmware{connection}.task(image, meter);
        },
        [this, turn](const std::optional<std::optional<database::FirmwareTask>>& task) {
            if (!task) return turn->done(jobs::later(turn->item, ports_.now()));
            if (!*task) return turn->done({database::ItemState::failed, "the meter or the image is gone"});
            turn->task = **task;
            begin(turn);
        });
}

/// A fault that time may cure puts the item off, another ends it.
void FirmwareActivation::read(const std::shared_ptr<Turn>& turn, const dlms::AttributeId& id,
                              std::function<void(const dlms::Data&)> then) {
    ports_.on_demand.read(turn->meter, id,
                          [this, turn, then = std::move(then)](const OnDemandResult& result) {
                              if (result.ok()) return then(result.value);
                              if (!passes(result.fault))
                                  return conclude(turn, database::ItemState::failed, result.fault);
                              auto outcome = jobs::again(turn->job, turn->item, result.fault, ports_.now());
                              outcome.sent = turn->sent;
                              turn->done(std::move(outcome));
                          });
    ports_.pump();
}

void FirmwareActivation::begin(const std::shared_ptr<Turn>& turn) {
    using cosem::Quantity;
    const auto* model =
        cosem::meter_model(turn->task.cosem_model.empty() ? "generic" : turn->task.cosem_model);
    const auto* version = model != nullptr ? model->find(Quantity::firmware_version) : nullptr;
    const auto* image = model != nullptr ? model->find(Quantity::image_transfer) : nullptr;
    if (version == nullptr || image == nullptr)
        return conclude(turn, database::ItemState::failed, "its model has no firmware that can be changed");
    turn->version = version->name;
    turn->image = image->name;
    read(turn, cosem::data::value.of(turn->version), [this, turn](const dlms::Data& value) {
        turn->before = turn->after = text_of(value);
        const bool runs = turn->before == turn->task.image.version;
        if (runs)
            return conclude(turn, database::ItemState::done,
                            (turn->sent ? "runs " : "runs it already: ") + turn->before);
        if (!turn->job.open()) return conclude(turn, database::ItemState::failed, "cancelled");
        look_at_image(turn);
    });
}

void FirmwareActivation::look_at_image(const std::shared_ptr<Turn>& turn) {
    read(turn, transfer::image_transfer_status.of(turn->image), [this, turn](const dlms::Data& value) {
        const auto status = transfer::image_transfer_status.read(value);
        if (status && *status == transfer::Status::activation_initiated) return verify(turn);
        if (!status || *status != transfer::Status::verification_successful)
            return conclude(turn, database::ItemState::failed, "the meter holds no verified image");
        if (turn->task.meter.state != "verified")
            return conclude(turn, database::ItemState::failed,
                            "the meter has not said that it holds this image");
        activate(turn);
    });
}

void FirmwareActivation::activate(const std::shared_ptr<Turn>& turn) {
    auto call = transfer::image_activate(turn->image);
    std::vector<MeterErrand::Step> steps;
    steps.emplace_back(MeterErrand::Call{call.id, std::move(call.argument).value()});
    ports_.desk.write(turn->meter, std::move(steps), 0, turn->job.requested_by,
                      [this, turn](const std::string& fault, bool sent) {
                          turn->sent = turn->sent || sent;
                          if (!sent && passes(fault))
                              return turn->done(jobs::again(turn->job, turn->item, fault, ports_.now()));
                          if (fault == "refused" || !sent)
                              return conclude(turn, database::ItemState::failed, fault);
                          verify(turn);  // also when the answer was lost: the meter knows
                      });
    ports_.pump();
}

void FirmwareActivation::verify(const std::shared_ptr<Turn>& turn) {
    read(turn, cosem::data::value.of(turn->version), [this, turn](const dlms::Data& value) {
        turn->after = text_of(value);
        if (turn->after == turn->task.image.version)
            return conclude(turn, database::ItemState::done, "runs " + turn->after);
        database::ItemOutcome outcome{database::ItemState::waiting,
                                      "was told to, and still runs " + turn->after, ports_.now() + restart};
        outcome.sent = true;
        turn->done(std::move(outcome));
    });
}

void FirmwareActivation::conclude(const std::shared_ptr<Turn>& turn, database::ItemState state,
                                  const std::string& detail) {
    database::AuditRecord record{ports_.now(), turn->job.requested_by, "firmware activate",
                                 to_string(turn->meter)};
    record.detail = detail + ", job " + std::to_string(turn->job.id.value);
    record.reason = turn->job.reason;
    record.before = turn->before;
    record.after = turn->after;
    record.tenant = TenantId{std::stoi(turn->job.scope.tenant)};
    database::ItemOutcome outcome{state, detail};
    outcome.audit = std::move(record);
    outcome.sent = turn->sent;
    if (!turn->after.empty())
        outcome.also = [meter = turn->meter, version = turn->after,
                        now = ports_.now()](database::Connection& connection) {
            database::Firmware{connection}.runs(meter, version, now);
        };
    turn->done(std::move(outcome));
}

}  // namespace wattmesh::headend::monitor
