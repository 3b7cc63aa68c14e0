#pragma once
#include "protocol/cosem/models/meter_model.h"

/// The models that are shipped; each has a file of its own.
namespace wattmesh::cosem::models {

extern const MeterModel idis;
extern const MeterModel dsmr;
extern const MeterModel is15959;
extern const MeterModel prepaid;
extern const MeterModel prepaid_remote;
extern const MeterModel generic;

}  // namespace wattmesh::cosem::models
