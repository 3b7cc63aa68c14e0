#include "protocol/cosem/models/generic_objects.h"
#include "protocol/cosem/models/models.h"

/// A meter that follows the Blue Book and nothing else: what our simulated meter plays unless told otherwise.
namespace wattmesh::cosem::models {

namespace {

using enum Quantity;

constexpr dlms::CaptureObject load_columns[]{column(8, obis::clock),
                                             column(1, obis::profile_status),
                                             column(3, obis::active_import_total),
                                             column(3, obis::active_export_total),
                                             column(3, obis::reactive_import_total),
                                             column(3, obis::reactive_export_total)};
constexpr dlms::CaptureObject daily_columns[]{column(8, obis::clock),
                                              column(1, obis::profile_status),
                                              column(3, obis::active_import_total),
                                              column(3, obis::active_export_total),
                                              column(3, obis::reactive_import_total),
                                              column(3, obis::reactive_export_total),
                                              column(3, code(1, 0, 1, 8, 1)),
                                              column(3, code(1, 0, 1, 8, 2))};
constexpr dlms::CaptureObject event_columns[]{column(8, obis::clock), column(1, code(0, 0, 96, 11, 0))};

constexpr ModelProfile profiles[]{{load_profile, 900, load_columns, {}},
                                  {daily_profile, 86'400, daily_columns, {}},
                                  {event_log, 0, event_columns, {}}};

constexpr std::string_view makers[]{"WMT"};

}  // namespace

constinit const MeterModel generic{
    .name = "generic",
    .summary = "follows the Blue Book; profiles and names as most meters have them",
    .makers = makers,
    .public_client = {wattmesh::public_client, Authentication::none, false, false},
    .reading_client = {wattmesh::reading_client, Authentication::low, false, false},
    .management_client = {wattmesh::management_client, Authentication::high_gmac, true, false},
    .pdu_size_max = 0xFFFF,
    .objects = generic_objects,
    .profiles = profiles,
    .quirks = {},
    .reading_keys = ReadingKeys::separate};

}  // namespace wattmesh::cosem::models
