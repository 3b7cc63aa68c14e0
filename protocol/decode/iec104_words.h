#pragma once
#include <string>

#include "protocol/iec104/asdu.h"

namespace wattmesh::decode {

/// "M_ME_TF_1 short float with time"; "type 200" for one that is not spoken.
std::string type_words(std::uint8_t type);
/// "3 spontaneous"; with the group of a group interrogation.
std::string cause_words(iec104::Cause cause);
/// What an information object holds, without address and time: "230.5, not topical".
std::string object_words(const iec104::Object& object);
/// "not topical, invalid"; empty when good.
std::string quality_words(const iec104::Object& object);
/// "2026-09-21T14:13:20.123Z, clock not synchronised"
std::string time_words(const iec104::Time56& time);

}  // namespace wattmesh::decode
