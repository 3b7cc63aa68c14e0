#include "concentrator/program/enrolment.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <sstream>

#include "platform/connector.h"
#include "platform/log.h"
#include "security/base64.h"

namespace wattmesh::concentrator {
namespace {

constexpr std::size_t answer_size_max = 64 * 1'024;

std::string text(const Poco::JSON::Object& object, const std::string& key) {
    if (!object.has(key) || !object.get(key).isString()) {
        throw EnrolmentError("the head-end's answer to the enrolment has no text \"" + key +
                             "\": is it a Wattmesh head-end of this version?");
    }
    return object.getValue<std::string>(key);
}

security::TlsSettings tls_settings(const security::OneTimeCode& code) {
    security::TlsSettings settings;
    settings.ca_fingerprint = code.ca_fingerprint;
    settings.protocols = {std::string{security::enrolment_protocol}};
    return settings;
}

}  // namespace

std::string enrolment_request(const DeviceNumber& number, const security::OneTimeCode& code,
                              const std::string& request_pem) {
    Poco::JSON::Object object;
    object.set("number", to_string(number));
    object.set("code", code.text());
    object.set("csr", request_pem);
    std::ostringstream line;
    object.stringify(line);
    return line.str() + "\n";
}

Identity enrolment_answer(const std::string& line, const DeviceNumber& number,
                          const security::OneTimeCode& code, security::SecretBuffer key_pem) {
    Poco::JSON::Object::Ptr object;
    try {
        object = Poco::JSON::Parser{}.parse(line).extract<Poco::JSON::Object::Ptr>();
    } catch (const Poco::Exception&) {
        throw EnrolmentError("the head-end's answer to the enrolment is not a JSON object");
    }
    if (object->has("error"))
        throw EnrolmentError("the head-end refused the enrolment: " + text(*object, "error"));
    Identity identity{number, std::move(key_pem), text(*object, "certificate"), text(*object, "ca"), {}};
    const auto certificate = security::read_certificate(identity.certificate_pem);
    const auto ca = security::read_certificate(identity.ca_pem);
    if (!certificate || certificate->common_name != to_string(number)) {
        throw EnrolmentError("the head-end's certificate for us is not in the name of " + to_string(number));
    }
    const auto print = ca ? security::fingerprint(ca->der) : security::Fingerprint{};
    if (!ca || !std::equal(code.ca_fingerprint.begin(), code.ca_fingerprint.end(), print.begin())) {
        throw EnrolmentError("the head-end's CA certificate is not the one that the code names");
    }
    const auto octets = security::from_base64(text(*object, "kek"));
    const auto kek = octets ? Key128::from(*octets) : std::nullopt;
    if (!kek) throw EnrolmentError("the head-end sent no key-encryption key of 16 octets");
    identity.kek = *kek;
    uplink_context(identity.key_pem, identity.certificate_pem,
                   identity.ca_pem);  // throws when they do not fit
    return identity;
}

std::optional<Identity> enrol(platform::Loop& loop, Random& random, const platform::HostPort& headend,
                              const DeviceNumber& number, const std::string& code_text) {
    const auto code = security::parse_one_time_code(code_text);
    if (!code) {
        throw EnrolmentError(
            "--enrol: this is not a one-time code (WM1-...-...); get one with: headend enrol " +
            to_string(number));
    }
    const platform::Log log("enrolment");
    const auto request = security::make_request(number);
    std::optional<Identity> identity;
    std::string failure, received;

    platform::ConnectorSettings settings;
    settings.host = headend.host;
    settings.port = headend.port;
    settings.tls = std::make_shared<const security::TlsContext>(tls_settings(*code));
    settings.certificate_time = [] { return std::nullopt; };  // nobody has told us the time yet
    platform::Connector connector(loop, random, std::move(settings));
    connector.start({.on_open =
                         [&](platform::Link& link) {
                             received.clear();
                             link.send(as_bytes(enrolment_request(number, *code, request.request_pem)));
                         },
                     .on_bytes =
                         [&](Bytes bytes) {
                             received.append(bytes.begin(), bytes.end());
                             const auto end = received.find('\n');
                             if (end == std::string::npos && received.size() < answer_size_max) return;
                             try {
                                 identity = enrolment_answer(received.substr(0, end), number, *code,
                                                             request.key_pem);
                             } catch (const std::exception& exception) {
                                 failure = exception.what();
                             }
                             loop.stop();
                         },
                     .on_closed =
                         [&](const std::string& reason, Duration) {
                             if (identity || !failure.empty()) return;  // it has said what it had to say
                             log.warning("could not enrol yet headend={}:{} reason={}", headend.host,
                                         headend.port, platform::quoted(reason));
                         }});
    loop.run();
    connector.stop();
    if (!failure.empty()) throw EnrolmentError(failure);
    return identity;
}

}  // namespace wattmesh::concentrator
