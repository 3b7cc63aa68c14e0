#pragma once
#include <string>

#include "headend/trace/record.h"
#include "protocol/decode/report.h"

namespace wattmesh::headend::trace {

/// A record in words. Nothing is deciphered: the head-end's keys stay in its key service.
struct Explained {
    std::string summary;    ///< one line
    decode::Report report;  ///< the tree; empty for openings, ends and what is not DLMS
};
Explained explain(const Record& record);

}  // namespace wattmesh::headend::trace
