#pragma once
#include <cstdint>
#include <optional>
#include <variant>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"

/// xDLMS Initiate services, carried as user-information of AARQ and AARE. Source: Green Book (DLMS UA 1000-2)
/// ed. 10, 9.4.3 and 9.5.
namespace wattmesh::dlms {

/// Conformance bits; bit 0 of the standard is 0x80'00'00.
namespace conformance {
inline constexpr std::uint32_t general_protection = 0x40'0000, general_block_transfer = 0x20'0000,
                               read = 0x10'0000, write = 0x08'0000, delta_values = 0x02'0000,
                               block_transfer_with_get = 0x1000, block_transfer_with_set = 0x0800,
                               block_transfer_with_action = 0x0400, multiple_references = 0x0200,
                               data_notification = 0x0080, access = 0x0040, get = 0x10, set = 0x08,
                               selective_access = 0x04, event_notification = 0x02, action = 0x01;
}

inline constexpr std::uint8_t dlms_version = 6;
inline constexpr std::uint16_t vaa_name_logical = 0x0007, vaa_name_short = 0xFA00;

struct InitiateRequest {
    std::optional<Buffer> dedicated_key{};  ///< 16 or 32 octets; whoever takes it wipes it
    bool response_allowed = true;
    std::optional<std::uint8_t> quality_of_service{};
    std::uint8_t version = dlms_version;
    std::uint32_t conformance = 0;
    std::uint16_t pdu_size_max = 0;  ///< 0 = no limit
    friend bool operator==(const InitiateRequest&, const InitiateRequest&) = default;
};
Buffer encode(const InitiateRequest& request);
Result<InitiateRequest> decode_initiate_request(Bytes bytes);

struct InitiateResponse {
    std::optional<std::uint8_t> quality_of_service{};
    std::uint8_t version = dlms_version;
    std::uint32_t conformance = 0;
    std::uint16_t pdu_size_max = 0;
    std::uint16_t vaa_name = vaa_name_logical;
    friend bool operator==(const InitiateResponse&, const InitiateResponse&) = default;
};
Buffer encode(const InitiateResponse& response);
Result<InitiateResponse> decode_initiate_response(Bytes bytes);

/// confirmedServiceError (0E): which service, which kind of error, which error.
struct ServiceError {
    std::uint8_t service = 1, kind = 6, value = 0;  ///< service 1 and kind 6 = initiate
    friend bool operator==(const ServiceError&, const ServiceError&) = default;
};
namespace initiate_error {
inline constexpr std::uint8_t version_too_low = 1, incompatible_conformance = 2, pdu_size_too_short = 3;
}
Buffer encode(const ServiceError& error);
Result<ServiceError> decode_service_error(Bytes bytes);

}  // namespace wattmesh::dlms
