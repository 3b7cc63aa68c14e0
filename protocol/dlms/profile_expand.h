#pragma once
#include "protocol/base/time.h"
#include "protocol/dlms/data.h"

namespace wattmesh::dlms {

/// The rows of a profile (Array or CompactArray) with every cell told: null-data becomes the value of the row
/// before, a clock the clock before plus `capture_period`, a delta the value before plus the delta (of its
/// type, or int64 where that is too small). What has nothing before it stays as it came. Nothing when `rows`
/// are not rows. For people and for tests; ProfileColumns does the same without a tree. Source: Blue Book ed.
/// 14, 4.3.6 (Profile generic, buffer: null-data and delta values).
std::optional<Data> expand_rows(const Data& rows, Duration capture_period);

}  // namespace wattmesh::dlms
