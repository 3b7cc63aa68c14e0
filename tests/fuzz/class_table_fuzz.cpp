#include "protocol/cosem/class_table.h"

/// Class, attribute, then a value: looking into it never goes wrong.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh;
    if (size < 2) return 0;
    const auto value = dlms::decode_data(Bytes{data + 2, size - 2});
    if (!value) return 0;
    const auto classes = cosem::classes();
    const auto& spec = *classes[data[0] % classes.size()];
    (void)cosem::conforms(spec, static_cast<std::int8_t>(data[1] % 20), *value);
    (void)cosem::conforms_method(spec, static_cast<std::int8_t>(data[1] % 20), *value);
    return 0;
}
