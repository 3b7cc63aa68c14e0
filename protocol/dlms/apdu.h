#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/dlms/data.h"
#include "protocol/dlms/object.h"
#include "protocol/dlms/quirks.h"

/// xDLMS APDUs of LN referencing, A-XDR. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.3 and 9.5.
/// `invoke` is the invoke-id-and-priority octet: bits 0-3 id, bit 6 service class (1 = confirmed), bit 7
/// priority.
namespace wattmesh::dlms {

inline constexpr std::uint8_t service_class_confirmed = 0x40;

/// Most attributes or methods that one with-list or ACCESS request names here.
inline constexpr std::size_t list_size_max = 512;

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
struct GetListRequest {
    struct Item {
        AttributeId id{};
        Selection selection{};
        bool selection_valid = true;
        friend bool operator==(const Item&, const Item&) = default;
    };
    std::uint8_t invoke = 0;
    std::vector<Item> items{};  ///< 1 to list_size_max
    friend bool operator==(const GetListRequest&, const GetListRequest&) = default;
};
/// What a SET writes to. `selective`: an access selection came along (its parameters are not kept).
struct SetTarget {
    AttributeId id{};
    bool selective = false;
    friend bool operator==(const SetTarget&, const SetTarget&) = default;
};
struct SetRequest {
    std::uint8_t invoke = 0;
    SetTarget target{};
    Data value{};
    friend bool operator==(const SetRequest&, const SetRequest&) = default;
};
struct SetListRequest {
    std::uint8_t invoke = 0;
    std::vector<SetTarget> targets{};
    std::vector<Data> values{};  ///< as many as targets
    friend bool operator==(const SetListRequest&, const SetListRequest&) = default;
};
/// One block of a long SET. The first names its targets: one, or with `list` any number. The octets of all
/// blocks together are the encoded value, or the sequence of values.
struct SetBlockRequest {
    std::uint8_t invoke = 0;
    std::vector<SetTarget> targets{};  ///< empty after the first block
    bool list = false;
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
/// The client has a block of return parameters and asks for the next.
struct ActionNextRequest {
    std::uint8_t invoke = 0;
    std::uint32_t block = 0;
    friend bool operator==(const ActionNextRequest&, const ActionNextRequest&) = default;
};
struct ActionListRequest {
    std::uint8_t invoke = 0;
    std::vector<MethodId> ids{};
    std::vector<Data> arguments{};  ///< as many as ids; null-data for none
    friend bool operator==(const ActionListRequest&, const ActionListRequest&) = default;
};
/// One block of long method invocation parameters, like SetBlockRequest.
struct ActionBlockRequest {
    std::uint8_t invoke = 0;
    std::vector<MethodId> ids{};
    bool list = false;
    bool last = false;
    std::uint32_t block = 0;
    Buffer octets{};
    friend bool operator==(const ActionBlockRequest&, const ActionBlockRequest&) = default;
};
using Request =
    std::variant<GetRequest, GetNextRequest, GetListRequest, SetRequest, SetListRequest, SetBlockRequest,
                 ActionRequest, ActionNextRequest, ActionListRequest, ActionBlockRequest>;

Result<Request> decode_request(Bytes apdu);
Buffer encode(const GetRequest& request);
Buffer encode(const GetNextRequest& request);
Buffer encode(const GetListRequest& request);
Buffer encode(const SetRequest& request);
Buffer encode(const SetListRequest& request);
Buffer encode(const SetBlockRequest& request);
Buffer encode(const ActionRequest& request);
Buffer encode(const ActionNextRequest& request);
Buffer encode(const ActionListRequest& request);
Buffer encode(const ActionBlockRequest& request);

// Answers, server to client.
struct GetResponse {
    std::uint8_t invoke = 0;
    ReadOutcome outcome{};
    friend bool operator==(const GetResponse&, const GetResponse&) = default;
};
/// The octets of all blocks together are the encoded value, or for a list the sequence of results.
struct GetBlockResponse {
    std::uint8_t invoke = 0;
    bool last = false;
    std::uint32_t block = 0;
    std::variant<Buffer, AccessResult> content{};
    friend bool operator==(const GetBlockResponse&, const GetBlockResponse&) = default;
};
struct GetListResponse {
    std::uint8_t invoke = 0;
    std::vector<ReadOutcome> outcomes{};
    friend bool operator==(const GetListResponse&, const GetListResponse&) = default;
};
struct SetResponse {
    std::uint8_t invoke = 0;
    AccessResult result = AccessResult::success;
    friend bool operator==(const SetResponse&, const SetResponse&) = default;
};
/// Acknowledges a block of a long SET; the answer to the last one carries the results: one, or with `list`
/// one for each target.
struct SetBlockResponse {
    std::uint8_t invoke = 0;
    std::vector<AccessResult> results{};
    bool list = false;
    std::uint32_t block = 0;
    friend bool operator==(const SetBlockResponse&, const SetBlockResponse&) = default;
};
struct SetListResponse {
    std::uint8_t invoke = 0;
    std::vector<AccessResult> results{};
    friend bool operator==(const SetListResponse&, const SetListResponse&) = default;
};
/// What one method answered: `value` holds its return parameters, or why there are none.
struct ActionResult {
    AccessResult result = AccessResult::success;
    std::optional<ReadOutcome> value{};
    friend bool operator==(const ActionResult&, const ActionResult&) = default;
};
struct ActionResponse {
    std::uint8_t invoke = 0;
    ActionResult outcome{};
    friend bool operator==(const ActionResponse&, const ActionResponse&) = default;
};
struct ActionListResponse {
    std::uint8_t invoke = 0;
    std::vector<ActionResult> outcomes{};
    friend bool operator==(const ActionListResponse&, const ActionListResponse&) = default;
};
/// The octets of all blocks together are the encoded ActionResult, or for a list their sequence [M].
struct ActionBlockResponse {
    std::uint8_t invoke = 0;
    bool last = false;
    std::uint32_t block = 0;
    Buffer octets{};
    friend bool operator==(const ActionBlockResponse&, const ActionBlockResponse&) = default;
};
/// Acknowledges a block of long method invocation parameters.
struct ActionNextResponse {
    std::uint8_t invoke = 0;
    std::uint32_t block = 0;
    friend bool operator==(const ActionNextResponse&, const ActionNextResponse&) = default;
};
using Response = std::variant<GetResponse, GetBlockResponse, GetListResponse, SetResponse, SetBlockResponse,
                              SetListResponse, ActionResponse, ActionListResponse, ActionBlockResponse,
                              ActionNextResponse>;

Result<Response> decode_response(Bytes apdu);
Buffer encode(const GetResponse& response);
Buffer encode(const GetBlockResponse& response);
Buffer encode(const GetListResponse& response);
Buffer encode(const SetResponse& response);
Buffer encode(const SetBlockResponse& response);
Buffer encode(const SetListResponse& response);
Buffer encode(const ActionResponse& response);
Buffer encode(const ActionListResponse& response);
Buffer encode(const ActionBlockResponse& response);
Buffer encode(const ActionNextResponse& response);
/// Octets of a block answer (GET or ACTION) around `raw` octets of block; an upper bound for ACTION.
std::size_t block_response_size(std::size_t raw);

// What block transfer carries in place of one value: sequences.
Buffer encode_values(const std::vector<Data>& values);
Result<std::vector<Data>> decode_values(Bytes octets);
Buffer encode_results(const std::vector<ReadOutcome>& outcomes);
Result<std::vector<ReadOutcome>> decode_results(Bytes octets);
Buffer encode_action_results(const std::vector<ActionResult>& outcomes, bool list);
Result<std::vector<ActionResult>> decode_action_results(Bytes octets, bool list);

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
/// Quirk tagged_date_time: a tag 09 may stand before the date-time's length; otherwise bad_value.
Result<DataNotification> decode_data_notification(Bytes apdu, const Quirks& quirks = {});

/// event-notification-request (C2).
struct EventNotification {
    std::optional<Buffer> time{};  ///< 12 octets
    AttributeId id{};
    Data value{};
    friend bool operator==(const EventNotification&, const EventNotification&) = default;
};
Buffer encode(const EventNotification& notification);
/// Quirk tagged_date_time likewise.
Result<EventNotification> decode_event_notification(Bytes apdu, const Quirks& quirks = {});

}  // namespace wattmesh::dlms
