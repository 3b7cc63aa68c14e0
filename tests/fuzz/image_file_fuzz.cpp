#include <cassert>

#include "protocol/cosem/image_file.h"

/// A header that decodes is within its bounds, whatever the file says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    const auto header = cosem::decode_image_header(Bytes{data, size});
    if (!header) return 0;
    assert(header->image_size < size && !header->identifier.empty());
    assert(header->model.size() <= cosem::image_text_size_max &&
           header->version.size() <= cosem::image_text_size_max);
    return 0;
}
