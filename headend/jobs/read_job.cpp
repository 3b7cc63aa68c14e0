#include "headend/jobs/read_job.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <sstream>
#include <stdexcept>

#include "headend/jobs/retry.h"

namespace wattmesh::headend::jobs {

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
    read_(*meter, order->attribute, [this, job, item, done = std::move(done)](const Answer& answer) {
        if (answer.fault.empty()) return done({database::ItemState::done, answer.text, {}});
        if (passes(answer.fault)) return done(again(job, item, answer.fault, now_()));
        done({database::ItemState::failed, answer.fault});
    });
}

}  // namespace wattmesh::headend::jobs
