#include "headend/frontend/enrolment.h"

/// The one line that anybody may send before it has a certificate.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh::headend::frontend;
    EnrolmentLine line;
    if (const auto text = line.feed({data, size})) static_cast<void>(parse_enrolment(*text));
    static_cast<void>(parse_enrolment({reinterpret_cast<const char*>(data), size}));
    return 0;
}
