#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/base/bytes.h"
#include "protocol/base/obis.h"
#include "protocol/base/result.h"

namespace wattmesh::headend::monitor {

enum class OperationKind : std::uint8_t { read, write, execute };

/// One thing that a request wants of one object.
struct Operation {
    OperationKind kind{};
    std::uint16_t class_id = 0;
    ObisCode object;
    std::int8_t member = 0;  ///< attribute or method
    friend bool operator==(const Operation&, const Operation&) = default;
};
/// "write 71/0-0:17.0.0*255/4".
std::string to_string(const Operation& operation);

/// What a plain xDLMS request of a client would do, decoded whole.
struct RequestPlan {
    enum class Kind : std::uint8_t {
        initiate,     ///< InitiateRequest without a dedicated key
        request,      ///< everything it does stands in `operations`
        first_block,  ///< so does this; the rest of the values follows
        next_block,   ///< more values of the request that the first block began
        next_answer,  ///< asks for the next block of an answer
    } kind{};
    std::vector<Operation> operations;
    std::vector<Bytes> values;  ///< encoded Data, or the octets of a block; views into the APDU
    bool last = true;           ///< of blocks
};

/// Source: Green Book (DLMS UA 1000-2) ed. 10, 9.3 and 9.5: InitiateRequest, GET, SET and ACTION with lists
/// and blocks, ACCESS. What is anything else, does not decode to its last octet or holds a dedicated key
/// (whoever asked would know it, and could cipher without us) is a fault. At most 512 operations.
Result<RequestPlan> request_plan(Bytes apdu);

}  // namespace wattmesh::headend::monitor
