#pragma once
#include "protocol/modbus/register_map.h"

namespace wattmesh::modbus::maps {

extern const RegisterMap em6400ng, em6400, em1200;

}  // namespace wattmesh::modbus::maps
