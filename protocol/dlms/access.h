#pragma once
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/dlms/apdu.h"

/// ACCESS service: many GETs, SETs and ACTIONs in one request, executed in order, answered in one response.
/// Source: Green Book (DLMS UA 1000-2) ed. 10, 9.3.5 and 9.5.
namespace wattmesh::dlms {

struct AccessGet {
    AttributeId id{};
    Selection selection{};
    bool selection_valid = true;  ///< false: selector or parameters are not ours
    friend bool operator==(const AccessGet&, const AccessGet&) = default;
};
struct AccessSet {
    SetTarget target{};
    friend bool operator==(const AccessSet&, const AccessSet&) = default;
};
struct AccessAction {
    MethodId id{};
    friend bool operator==(const AccessAction&, const AccessAction&) = default;
};
using AccessSpecification = std::variant<AccessGet, AccessSet, AccessAction>;

/// Bits of the long invoke-id-and-priority: 0-23 invoke id.
namespace long_invoke {
inline constexpr std::uint32_t break_on_error = 1U << 29, confirmed = 1U << 30, high_priority = 1U << 31;
}

/// access-request (D9). `data` holds one value for each specification: what SET writes, what ACTION is given;
/// null-data for GET.
struct AccessRequest {
    std::uint32_t invoke = 0;
    Buffer date_time{};  ///< 12 octets or empty
    std::vector<AccessSpecification> specifications{};
    std::vector<Data> data{};
    friend bool operator==(const AccessRequest&, const AccessRequest&) = default;
};
Buffer encode(const AccessRequest& request);
Result<AccessRequest> decode_access_request(Bytes apdu);

/// Which service a result belongs to.
enum class AccessKind : std::uint8_t { get = 1, set = 2, action = 3 };
struct AccessResponseItem {
    AccessKind kind{};
    AccessResult result = AccessResult::success;
    friend bool operator==(const AccessResponseItem&, const AccessResponseItem&) = default;
};
/// access-response (DA). `data` holds what each GET and ACTION returned, null-data where there is nothing.
struct AccessResponse {
    std::uint32_t invoke = 0;
    Buffer date_time{};
    std::vector<AccessSpecification> specifications{};  ///< repeated from the request, or empty
    std::vector<Data> data{};
    std::vector<AccessResponseItem> results{};
    friend bool operator==(const AccessResponse&, const AccessResponse&) = default;
};
Buffer encode(const AccessResponse& response);
Result<AccessResponse> decode_access_response(Bytes apdu);

/// Outcome of one part of an ACCESS request: what it returned (Null where there is nothing) and its result.
struct AccessOutcome {
    AccessResult result = AccessResult::success;
    Data value;
    friend bool operator==(const AccessOutcome&, const AccessOutcome&) = default;
};

}  // namespace wattmesh::dlms
