#pragma once
#include <cstdint>
#include <variant>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/result.h"
#include "protocol/dlms/object.h"

/// Short-name referencing, the client's side: an attribute is named by 16 bits. Attribute n of an object lies
/// at its base name + 8 (n - 1). Source: Green Book (DLMS UA 1000-2) ed. 10, 9.3.14 to 9.3.16 and 9.5; Blue
/// Book ed. 14, 4.4.2.
namespace wattmesh::dlms {

using ShortName = Id<struct ShortNameTag, std::uint16_t>;
/// Association SN: base name FA00, its object list is attribute 2.
inline constexpr ShortName association_sn{0xFA00};
constexpr ShortName attribute_of(ShortName base, std::uint8_t attribute) {
    return {static_cast<std::uint16_t>(base.value + 8 * (attribute - 1))};
}

/// ReadRequest (05): attributes by name, or the next block of a long answer.
struct ReadRequest {
    struct NextBlock {
        std::uint16_t block = 0;
        friend bool operator==(const NextBlock&, const NextBlock&) = default;
    };
    std::vector<std::variant<ShortName, NextBlock>> items{};  ///< 1 to list_size_max
    friend bool operator==(const ReadRequest&, const ReadRequest&) = default;
};
Buffer encode(const ReadRequest& request);
Result<ReadRequest> decode_read_request(Bytes apdu);

/// ReadResponse (0C): one outcome for each name, or one block of all of them.
struct ReadResponse {
    struct Block {
        bool last = false;
        std::uint16_t block = 0;
        Buffer octets{};  ///< of all blocks together: the sequence of outcomes
        friend bool operator==(const Block&, const Block&) = default;
    };
    std::variant<std::vector<ReadOutcome>, Block> content{};
    friend bool operator==(const ReadResponse&, const ReadResponse&) = default;
};
Buffer encode(const ReadResponse& response);
Result<ReadResponse> decode_read_response(Bytes apdu);
/// What the blocks of a long answer hold together.
Result<std::vector<ReadOutcome>> decode_read_outcomes(Bytes octets);

/// WriteRequest (06) and WriteResponse (0D).
struct WriteRequest {
    std::vector<ShortName> names{};
    std::vector<Data> values{};  ///< as many as names
    friend bool operator==(const WriteRequest&, const WriteRequest&) = default;
};
Buffer encode(const WriteRequest& request);
Result<WriteRequest> decode_write_request(Bytes apdu);
struct WriteResponse {
    std::vector<AccessResult> results{};
    friend bool operator==(const WriteResponse&, const WriteResponse&) = default;
};
Buffer encode(const WriteResponse& response);
Result<WriteResponse> decode_write_response(Bytes apdu);

}  // namespace wattmesh::dlms
