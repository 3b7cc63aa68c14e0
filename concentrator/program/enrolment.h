#pragma once
#include <stdexcept>
#include <string>

#include "concentrator/program/identity.h"
#include "platform/loop.h"
#include "platform/settings.h"
#include "protocol/base/cipher.h"
#include "security/one_time_code.h"

namespace wattmesh::concentrator {

/// Why the concentrator is not enrolled, in words for the person who installs it.
struct EnrolmentError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The one JSON line of a request, and what its answer means. Throws EnrolmentError.
std::string enrolment_request(const DeviceNumber& number, const security::OneTimeCode& code,
                              const std::string& request_pem);
Identity enrolment_answer(const std::string& line, const DeviceNumber& number,
                          const security::OneTimeCode& code, security::SecretBuffer key_pem);

/// Calls the head-end with nothing but the one-time code, checks that it is the head-end the code is from,
/// and brings back an identity. Tries again while nobody answers; runs the loop until then. Nothing: the loop
/// was stopped.
std::optional<Identity> enrol(platform::Loop& loop, Random& random, const platform::HostPort& headend,
                              const DeviceNumber& number, const std::string& code);

}  // namespace wattmesh::concentrator
