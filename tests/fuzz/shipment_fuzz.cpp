#include "headend/database/line_file.h"
#include "headend/database/shipped_device.h"

/// A manufacturer's file: foreign text that ends in keys.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wattmesh::headend::database;
    const ShippedKeyForm form{.transport = {}, .plain = true};
    try {
        LineFile file{{reinterpret_cast<const char*>(data), size}, shipment_form()};
        while (const auto line = file.next()) {
            try {
                static_cast<void>(read_shipped_device(*line, form));
            } catch (const LineRefused&) {
            }
        }
    } catch (const std::runtime_error&) {
    }
    return 0;
}
