#include "headend/jobs/read_job.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>

namespace wattmesh::headend::jobs {
namespace {

/// Faults that time may cure; the others are the same tomorrow.
constexpr std::array<std::string_view, 6> passing{"offline",   "unavailable", "unreachable",
                                                  "no_answer", "busy",        "not_joined"};

}  // namespace

std::string ReadOrder::to_json() const {
    Poco::JSON::Object object;
    object.set("class", int{attribute.class_id});
    object.set("obis", to_string(attribute.object));
    object.set("attribute", int{attribute.attribute});
    std::ostringstream out;
    object.stringify(out);
    return out.str();
}

ReadOrder ReadOrder::from_json(const std::string& text) {
    try {
        const auto object = Poco::JSON::Parser{}.parse(text).extract<Poco::JSON::Object::Ptr>();
        const auto code = ObisCode::parse(object->getValue<std::string>("obis"));
        if (!code) throw std::runtime_error("the order has no OBIS code");
        return {{.class_id = object->getValue<Poco::UInt16>("class"),
                 .object = *code,
                 .attribute = object->getValue<Poco::Int8>("attribute")}};
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("not a read order: " + error.displayText());
    }
}

void ReadJob::work(const database::Job& job, const database::JobItem& item, Done done) {
    const auto meter = DeviceNumber::parse(item.subject);
    std::optional<ReadOrder> order;
    try {
        order = ReadOrder::from_json(job.parameters);
    } catch (const std::runtime_error& error) {
        return done({database::ItemState::failed, error.what()});
    }
    if (!meter) return done({database::ItemState::failed, "'" + item.subject + "' is no meter"});
    read_(*meter, order->attribute, [this, item, done = std::move(done)](const Answer& answer) {
        if (answer.fault.empty()) return done({database::ItemState::done, answer.text, {}});
        const bool again = std::find(passing.begin(), passing.end(), answer.fault) != passing.end();
        const auto pause = std::chrono::minutes{1} * (1 << item.attempts);
        done({again ? database::ItemState::waiting : database::ItemState::failed, answer.fault,
              now_() + pause});
    });
}

}  // namespace wattmesh::headend::jobs
