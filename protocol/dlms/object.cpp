#include "protocol/dlms/object.h"

namespace wattmesh::dlms {

std::string_view to_string(AccessResult result) {
    switch (result) {
        case AccessResult::success:
            return "success";
        case AccessResult::hardware_fault:
            return "hardware_fault";
        case AccessResult::temporary_failure:
            return "temporary_failure";
        case AccessResult::read_write_denied:
            return "read_write_denied";
        case AccessResult::object_undefined:
            return "object_undefined";
        case AccessResult::class_inconsistent:
            return "class_inconsistent";
        case AccessResult::object_unavailable:
            return "object_unavailable";
        case AccessResult::type_unmatched:
            return "type_unmatched";
        case AccessResult::scope_of_access_violated:
            return "scope_of_access_violated";
        case AccessResult::data_block_unavailable:
            return "data_block_unavailable";
        case AccessResult::long_get_aborted:
            return "long_get_aborted";
        case AccessResult::no_long_get:
            return "no_long_get";
        case AccessResult::long_set_aborted:
            return "long_set_aborted";
        case AccessResult::no_long_set:
            return "no_long_set";
        case AccessResult::block_number_invalid:
            return "block_number_invalid";
        case AccessResult::other_reason:
            return "other_reason";
    }
    return "unknown_result";
}

Data to_data(const CaptureObject& column) {
    return structure({column.class_id, octet_string(column.object), column.attribute, column.data_index});
}

}  // namespace wattmesh::dlms
