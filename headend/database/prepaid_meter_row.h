#pragma once
#include "headend/database/binary_rows.h"
#include "headend/database/bindings.h"
#include "headend/database/customers.h"

namespace wattmesh::headend::database {

/// What prepaid_meter_of() wants first in a row; the table is called m.
inline constexpr const char* prepaid_meter_columns =
    "m.id, m.tenant, m.pan, m.supply_group, m.key_revision::int, m.tariff_index::int, m.key_type::int, "
    "m.algorithm::int, "
    "m.base_year::int, m.last_tid, m.blocked_why, (select d.number from meter d join meter_model k on k.name "
    "= "
    "d.model where d.id = m.meter and k.cosem_model is not null)";
inline constexpr int prepaid_meter_column_count = 12;
PrepaidMeter prepaid_meter_of(const BinaryRows& rows, int row);

}  // namespace wattmesh::headend::database
