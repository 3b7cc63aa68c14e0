#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/id.h"
#include "protocol/decode/decipher.h"
#include "protocol/decode/report.h"

namespace wattmesh::decode {

/// What joined blocks or segments are, once they are whole.
enum class Content : std::uint8_t {
    llc,            ///< information fields of HDLC: LLC header and APDU
    segment,        ///< segments of M-Bus: an APDU
    apdu,           ///< blocks of general-block-transfer
    value,          ///< blocks of a GET answer or a SET
    action_result,  ///< blocks of an ACTION answer
};

/// A message that comes in parts.
struct Transfer {
    Content content{};
    Passage joined;
    std::uint32_t next = 0;  ///< number of the part that comes next
    int depth = 0;           ///< where the whole stands in the tree
};

/// Everything that is known while one input is decoded.
struct Session {
    Session(Report& out, const Keyring& keys, bool to_the_end)
        : report(out), keyring(keys), all(to_the_end) {}

    /// Knows the same and reports elsewhere: for a trial. What has begun stays with the other.
    Session(const Session& other, Report& trial)
        : report(trial),
          keyring(other.keyring),
          all(other.all),
          direction(other.direction),
          asked(other.asked),
          titles(other.titles),
          dedicated(other.dedicated),
          nesting(other.nesting) {}

    Report& report;
    const Keyring& keyring;  ///< what the caller knows
    bool all;                ///< prints long arrays to the end

    std::string direction;                      ///< of what is decoded: parts of one direction are joined
    std::map<std::string, Transfer> transfers;  ///< open ones, by kind and direction
    std::map<std::uint8_t, std::string> asked;  ///< what a GET asked for, by invoke id
    std::vector<SystemTitle> titles;            ///< that were announced or came with a message
    std::optional<SymmetricKey> dedicated;      ///< from an InitiateRequest in this input
    int nesting = 0;                            ///< of messages in messages
};

}  // namespace wattmesh::decode
