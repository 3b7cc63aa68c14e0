#pragma once
#include <span>
#include <string>
#include <vector>

#include "headend/exchange/cim_message.h"

/// Messages of IEC 61968-100 that we write. All validate against schema/exchange.
namespace wattmesh::headend::exchange {

inline constexpr std::string_view cim_source = "Wattmesh";

/// Reply codes of IEC 61968-9 (ReplyCodes) that we give.
namespace reply_code {
inline constexpr const char *none = "0.0", *partial_more = "0.1", *partial_end = "0.2", *acknowledged = "0.3",
                            *unknown_meter = "2.4", *unknown_noun = "2.5", *bad_reading_type = "2.6",
                            *unknown_verb = "2.9", *other_reading_type = "2.10",
                            *unknown_usage_point = "2.12", *bad_id = "2.15", *too_many = "3.1",
                            *timed_out = "4.1", *not_attempted = "5.2", *failed = "5.3", *no_data = "5.7",
                            *missing = "5.8", *held = "6.2", *cancelled = "6.5", *not_authorised = "7.5";
}

struct CimError {
    std::string code;
    bool warning = false;  ///< else fatal
    std::string reason;
    std::string details{}, xpath{};
    std::string object{};  ///< the device, or the control of the partner's
};

/// Who answers whom.
struct CimStamp {
    std::string message_id;  ///< ours
    std::string correlation;
    Instant at{};
};

enum class CimResult { ok, partial, failed };

struct CimResponse {
    CimStamp stamp;
    std::string verb = "reply", noun;
    CimResult result = CimResult::ok;
    std::vector<CimError> errors{};
    std::vector<std::string> ids{};
    std::string payload{};  ///< a profile document, or empty
};
/// With an XML declaration.
std::string write_response(const CimResponse& response, CimWrapping wrapping);
std::string write_event_message(const CimStamp& stamp, std::string_view verb, std::string_view noun,
                                const std::string& payload);
/// For what is no message at all: FaultMessage, or a SOAP fault.
std::string write_fault(const CimError& error, CimWrapping wrapping);
const char* content_type(CimWrapping wrapping);

/// A version 4 UUID (RFC 9562, 5.4) of 16 octets of chance.
std::string uuid_of(std::span<const std::uint8_t, 16> octets);

}  // namespace wattmesh::headend::exchange
