#pragma once
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/time.h"

/// A new concentrator's first talk: TLS without a client certificate (ALPN "wattmesh-enrol/1"), one JSON line
/// each way.
///   -> {"number":"900000000001","code":"WM1-...","csr":"-----BEGIN CERTIFICATE REQUEST-----..."}
///   <- {"certificate":PEM,"ca":PEM,"kek":base64 of 16 octets,"renew_after_s":N}   or   {"error":"..."}
namespace wattmesh::headend::frontend {

inline constexpr std::size_t enrolment_line_size_max = 16 * 1024;

struct EnrolmentRequest {
    DeviceNumber number;
    std::string code, request_pem;
};
struct EnrolmentGrant {
    std::string certificate_pem, ca_pem;
    Buffer kek;  ///< key-encryption key, 16 octets: a secret, never logged
    std::int64_t renew_after_s = 0;
};
/// Words for the person who installs the unit; says what to do.
struct EnrolmentRefusal {
    std::string error;
};
using EnrolmentAnswer = std::variant<EnrolmentGrant, EnrolmentRefusal>;

/// Checks the code, signs, remembers. `done` comes later, on the caller's thread.
class Enroller {
public:
    virtual ~Enroller() = default;
    virtual void enrol(EnrolmentRequest request, Instant now, std::function<void(EnrolmentAnswer)> done) = 0;
};

/// Without the line end. The refusal says what is wrong with the line.
std::variant<EnrolmentRequest, EnrolmentRefusal> parse_enrolment(const std::string& line);
/// With the line end.
std::string format_enrolment(const EnrolmentAnswer& answer);

/// Cuts the one line out of the stream.
class EnrolmentLine {
public:
    /// The line once it is whole; octets behind it are ignored.
    std::optional<std::string> feed(Bytes bytes);
    bool too_long() const { return too_long_; }

private:
    std::string text_;
    bool too_long_ = false;
};

}  // namespace wattmesh::headend::frontend
