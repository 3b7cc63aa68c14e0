#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "platform/xml_tree.h"
#include "protocol/base/time.h"

/// Messages of IEC 61968-100 with profiles of IEC 61968-9: what partners write. Own schemas: schema/exchange.
namespace wattmesh::headend::exchange {

inline constexpr std::string_view message_space = "http://iec.ch/TC57/2011/schema/message";
/// "http://iec.ch/TC57/2011/MeterReadings#".
std::string profile_space(std::string_view profile);

/// What makes a message fail, as it is answered (Reply/Error).
struct CimProblem {
    std::string code;     ///< "1.8"
    std::string reason;   ///< names the thing and the way out
    std::string xpath{};  ///< where
};

/// How a message was wrapped; its answer is wrapped likewise.
enum class CimWrapping { plain, soap_1_1, soap_1_2 };

struct CimHeader {
    std::string verb, noun, source, message_id, correlation, reply_address;
    bool async = false;
};

struct CimMessage {
    CimWrapping wrapping = CimWrapping::plain;
    CimHeader header;
    platform::XmlElement document;
    const platform::XmlElement* request = nullptr;  ///< in the document; null when absent
    const platform::XmlElement* payload = nullptr;
};

/// What a text is wrapped as, whatever else is wrong with it.
struct CimUnwrapped {
    CimWrapping wrapping = CimWrapping::plain;
    platform::XmlElement document;
};
/// Throws platform::XmlError; CimProblem when a SOAP envelope has no message in it.
CimUnwrapped unwrap_cim(std::string_view body);
/// Throws CimProblem.
CimMessage read_cim(CimUnwrapped unwrapped);

/// A CimProblem 1.8 when a child is not one of these, in the element's own namespace.
void only_children(const platform::XmlElement& element, const std::set<std::string_view>& names,
                   const std::string& xpath);
/// The one child of `element`, which must be this; a CimProblem `missing_code` otherwise.
const platform::XmlElement& only_child(const platform::XmlElement* element, std::string_view space,
                                       std::string_view name, const char* missing_code,
                                       const std::string& xpath);
/// A CimProblem 1.8 when the text of the child, which may be absent, is no instant.
std::optional<Instant> instant_in(const platform::XmlElement& element, std::string_view name,
                                  const std::string& xpath);
/// mRID, or the first Names/name; a CimProblem 5.8 when there is neither.
std::string name_of(const platform::XmlElement& element, const std::string& xpath);

}  // namespace wattmesh::headend::exchange
