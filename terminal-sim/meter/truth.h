#pragma once
#include <filesystem>
#include <fstream>
#include <map>

#include "protocol/base/id.h"
#include "terminal-sim/meter/load.h"

namespace wattmesh::sim {

/// What the meters really measured, written before anything is encoded: lines
/// "meter,at_epoch_s,channel,value", channels from 1. A file that is already there is continued: what it
/// holds is not written twice.
class Truth {
public:
    using Rows = std::map<std::pair<DeviceNumber, std::int64_t>,
                          Energies>;  ///< key: meter and epoch second of the row's stamp

    /// Keeps the rows in memory only.
    Truth() = default;
    /// Appends to the file, each row flushed. Throws std::runtime_error naming the file.
    explicit Truth(const std::filesystem::path& file, bool keep_rows = false);

    void record(const DeviceNumber& meter, Instant stamp, const Energies& energies);
    /// Empty unless rows are kept.
    const Rows& rows() const { return rows_; }

private:
    bool keep_rows_ = true;
    std::ofstream out_;
    std::map<DeviceNumber, std::int64_t> last_;
    Rows rows_;
};

}  // namespace wattmesh::sim
