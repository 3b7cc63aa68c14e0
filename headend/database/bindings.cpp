#include "headend/database/bindings.h"

namespace wattmesh::headend::database {

DeviceNumber device_number(long long number) {
    DeviceNumber out;
    for (std::size_t i = out.bcd.size(); i-- > 0; number /= 100)
        out.bcd[i] = static_cast<std::uint8_t>(number % 10 | number / 10 % 10 << 4);
    return out;
}

}  // namespace wattmesh::headend::database
