#pragma once
#include <string>
#include <vector>

#include "headend/database/billing_files.h"

namespace wattmesh::headend::exchange {

/// A file of intervals: CSV (RFC 4180 without quoted fields), UTF-8, lines end in LF.
///
///     H,wattmesh-intervals,1,<name>,<revision>,<created>,<day>,<from>,<to>,<zone>,<kWh|Wh>
///     D,<usage point>,<meter>,<register>,<unit>,<minutes>,<n>,<v1>,...,<vn>,<q1>,...,<qn>
///     T,<lines D>,<sum of all values>,<SHA-256 of everything before this line>
///
/// A value is the energy of one interval; v1 is the day's first. A day has 92, 96 or 100 quarters. No value:
/// empty, quality N.
struct IntervalFile {
    std::string text, total;
    Buffer sha256;
    std::vector<database::LineToSend> lines;
};

IntervalFile make_interval_file(const database::FileChannel& channel, const database::FileDay& day,
                                const std::string& name, int revision, Instant created,
                                const std::vector<database::DayLine>& lines);
/// The line's text, from the usage point on; equal text is equal content.
std::string interval_line(const database::DayLine& line, int decimals);
/// First eight octets of its SHA-256.
std::int64_t line_digest(const std::string& text);

/// "AMI_WATTMESH_mis_INTERVAL_20260310_000001_v0.csv".
std::string interval_file_name(const database::FileChannel& channel, std::chrono::sys_days day, int part,
                               int revision);

}  // namespace wattmesh::headend::exchange
