#include "headend/frontend/enrolment.h"

#include <Poco/Base64Encoder.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <sstream>

namespace wattmesh::headend::frontend {
namespace {

std::string base64(Bytes octets) {
    std::ostringstream text;
    Poco::Base64Encoder encoder{text};
    encoder.rdbuf()->setLineLength(0);
    encoder.write(reinterpret_cast<const char*>(octets.data()), static_cast<std::streamsize>(octets.size()));
    encoder.close();
    return text.str();
}

}  // namespace

std::optional<std::string> EnrolmentLine::feed(Bytes bytes) {
    text_.append(bytes.begin(), bytes.end());
    const auto end = text_.find('\n');
    if (end == std::string::npos || end > enrolment_line_size_max) {
        too_long_ = text_.size() > enrolment_line_size_max;
        return std::nullopt;
    }
    return text_.substr(0, end);
}

std::variant<EnrolmentRequest, EnrolmentRefusal> parse_enrolment(const std::string& line) {
    try {
        Poco::JSON::Parser parser;
        parser.setDepth(4);
        const auto object = parser.parse(line).extract<Poco::JSON::Object::Ptr>();
        for (const char* key : {"number", "code", "csr"}) {
            if (!object->has(key) || !object->get(key).isString()) {
                return EnrolmentRefusal{std::string{"the enrolment request has no text \""} + key + "\""};
            }
        }
        const auto number = DeviceNumber::parse(object->getValue<std::string>("number"));
        if (!number) return EnrolmentRefusal{"\"number\" is not twelve decimal digits"};
        return EnrolmentRequest{*number, object->getValue<std::string>("code"),
                                object->getValue<std::string>("csr")};
    } catch (const Poco::Exception&) {
        return EnrolmentRefusal{"the enrolment request is not a JSON object on one line"};
    }
}

std::string format_enrolment(const EnrolmentAnswer& answer) {
    Poco::JSON::Object object;
    if (const auto* refusal = std::get_if<EnrolmentRefusal>(&answer)) {
        object.set("error", refusal->error);
    } else {
        const auto& grant = std::get<EnrolmentGrant>(answer);
        object.set("certificate", grant.certificate_pem);
        object.set("ca", grant.ca_pem);
        object.set("kek", base64(grant.kek));
        object.set("renew_after_s", grant.renew_after_s);
    }
    std::ostringstream line;
    object.stringify(line);
    return line.str() + "\n";
}

}  // namespace wattmesh::headend::frontend
