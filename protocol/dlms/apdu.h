#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/dlms/data.h"
#include "protocol/dlms/object.h"

/// xDLMS APDUs of LN referencing, A-XDR. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.3 and 9.5.
/// `invoke` is the invoke-id-and-priority octet: bits 0-3 id, bit 6 service class (1 = confirmed), bit 7
/// priority.
namespace wattmesh::dlms {

inline constexpr std::uint8_t service_class_confirmed = 0x40;

// Requests, client to server.
struct GetRequest {
    std::uint8_t invoke = 0;
    AttributeId id{};
    Selection selection{};
    bool selection_valid = true;  ///< false: a selector or its parameters are not ours; answer type_unmatched
    friend bool operator==(const GetRequest&, const GetRequest&) = default;
};
struct GetNextRequest {
    std::uint8_t invoke = 0;
    std::uint32_t block = 0;  ///< number of the block just received
    friend bool operator==(const GetNextRequest&, const GetNextRequest&) = default;
};
struct SetRequest {
    std::uint8_t invoke = 0;
    AttributeId id{};
    Data value{};
    bool selective = false;  ///< an access selection came along (its parameters are not kept)
    friend bool operator==(const SetRequest&, const SetRequest&) = default;
};
/// One block of a long SET: the first names the attribute. `octets` of all blocks together are the encoded
/// value.
struct SetBlockRequest {
    std::uint8_t invoke = 0;
    std::optional<AttributeId> id{};
    bool selective = false;
    bool last = false;
    std::uint32_t block = 0;
    Buffer octets{};
    friend bool operator==(const SetBlockRequest&, const SetBlockRequest&) = default;
};
struct ActionRequest {
    std::uint8_t invoke = 0;
    MethodId id{};
    std::optional<Data> argument{};
    friend bool operator==(const ActionRequest&, const ActionRequest&) = default;
};
/// A request of the standard that we do not serve: with-list, ACTION by blocks.
struct UnsupportedRequest {
    std::uint8_t tag = 0, choice = 0, invoke = 0;
    friend bool operator==(const UnsupportedRequest&, const UnsupportedRequest&) = default;
};
using Request =
    std::variant<GetRequest, GetNextRequest, SetRequest, SetBlockRequest, ActionRequest, UnsupportedRequest>;

Result<Request> decode_request(Bytes apdu);
Buffer encode(const GetRequest& request);
Buffer encode(const GetNextRequest& request);
Buffer encode(const SetRequest& request);
Buffer encode(const SetBlockRequest& request);
Buffer encode(const ActionRequest& request);

// Answers, server to client.
struct GetResponse {
    std::uint8_t invoke = 0;
    ReadOutcome outcome{};
    friend bool operator==(const GetResponse&, const GetResponse&) = default;
};
struct GetBlockResponse {
    std::uint8_t invoke = 0;
    bool last = false;
    std::uint32_t block = 0;
    std::variant<Buffer, AccessResult> content{};
    friend bool operator==(const GetBlockResponse&, const GetBlockResponse&) = default;
};
struct SetResponse {
    std::uint8_t invoke = 0;
    AccessResult result = AccessResult::success;
    friend bool operator==(const SetResponse&, const SetResponse&) = default;
};
/// Acknowledges a block of a long SET; the answer to the last one carries the result.
struct SetBlockResponse {
    std::uint8_t invoke = 0;
    std::optional<AccessResult> result{};
    std::uint32_t block = 0;
    friend bool operator==(const SetBlockResponse&, const SetBlockResponse&) = default;
};
struct ActionResponse {
    std::uint8_t invoke = 0;
    AccessResult result = AccessResult::success;
    std::optional<ReadOutcome> value{};  ///< return parameters: data, or why there are none
    friend bool operator==(const ActionResponse&, const ActionResponse&) = default;
};
using Response = std::variant<GetResponse, GetBlockResponse, SetResponse, SetBlockResponse, ActionResponse>;

Result<Response> decode_response(Bytes apdu);
Buffer encode(const GetResponse& response);
Buffer encode(const GetBlockResponse& response);
Buffer encode(const SetResponse& response);
Buffer encode(const SetBlockResponse& response);
Buffer encode(const ActionResponse& response);
/// Octets of a GetBlockResponse around `raw` octets of block.
std::size_t get_block_size(std::size_t raw);

/// exception-response (D8).
struct ExceptionResponse {
    std::uint8_t state = 1, service = 1;
    std::optional<std::uint32_t> counter_expected{};  ///< with service 6, invocation-counter-error
    friend bool operator==(const ExceptionResponse&, const ExceptionResponse&) = default;
};
namespace exception {
inline constexpr std::uint8_t service_not_allowed = 1, service_unknown = 2;  // state-error
inline constexpr std::uint8_t operation_not_possible = 1, service_not_supported = 2, other_reason = 3,
                              pdu_too_long = 4, deciphering_error = 5,
                              invocation_counter_error = 6;  // service-error
}  // namespace exception
Buffer encode(const ExceptionResponse& response);
Result<ExceptionResponse> decode_exception(Bytes apdu);

/// data-notification (0F). Long invoke-id: bits 0-23 id, 30 service class, 31 priority.
struct DataNotification {
    std::uint32_t invoke = 0;
    Buffer date_time{};  ///< 12 octets or empty
    Data body{};
    friend bool operator==(const DataNotification&, const DataNotification&) = default;
};
Buffer encode(const DataNotification& notification);
Result<DataNotification> decode_data_notification(Bytes apdu);

/// event-notification-request (C2).
struct EventNotification {
    std::optional<Buffer> time{};  ///< 12 octets
    AttributeId id{};
    Data value{};
    friend bool operator==(const EventNotification&, const EventNotification&) = default;
};
Result<EventNotification> decode_event_notification(Bytes apdu);

}  // namespace wattmesh::dlms
