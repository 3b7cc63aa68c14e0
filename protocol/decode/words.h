#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/obis.h"

/// Numbers of the standards in words. Source where not said otherwise: Green Book (DLMS UA 1000-2) ed. 10.
namespace wattmesh::decode {

/// "get-request"; empty for a tag that begins no APDU (9.5).
std::string_view apdu_name(std::uint8_t tag);
/// "success (0)": data-access-result and action-result (9.5).
std::string result_words(std::uint8_t result);
/// "invoke 1 confirmed high priority": invoke-id-and-priority, one octet (9.5).
std::string invoke_words(std::uint8_t invoke);
/// The same with 32 bits (9.5).
std::string long_invoke_words(std::uint32_t invoke);
/// "get, set, action": conformance block of 24 bits (9.4.6.1), in lines of handy length.
std::vector<std::string> conformance_words(std::uint32_t bits);
/// "HLS GMAC (5)": authentication mechanism (9.2.2.2.2).
std::string mechanism_words(std::uint8_t mechanism);
/// "logical names, ciphered (3)": application context (9.4.2.2.2).
std::string context_words(std::uint8_t context);
/// "4D4D4D0000BC614E (MMM)"
std::string title_words(Bytes title);

/// "16 (public client)": service access point.
std::string sap_words(std::uint16_t sap);

/// "1-0:1.8.0*255 Active energy import"
std::string object_words(const ObisCode& code);
/// "class 8 clock, 0-0:1.0.0*255 Clock, attribute 2 time" (Blue Book ed. 14, clause 4).
std::string attribute_words(std::uint16_t class_id, const ObisCode& object, std::int8_t attribute);
std::string method_words(std::uint16_t class_id, const ObisCode& object, std::int8_t method);

}  // namespace wattmesh::decode
