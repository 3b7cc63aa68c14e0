#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "headend/database/partner_readings.h"

namespace wattmesh::headend::exchange {

/// Writes readings as partners get them over REST: a JSON object for each meter and instant, with the values
/// of its channels exactly as they are stored.
class ReadingLines {
public:
    /// `registers`: only these; empty: all.
    ReadingLines(const database::ReadingBank& bank, const std::vector<database::ReadingChannel>& channels,
                 const std::vector<ObisCode>& registers);

    /// Appends the row of the meter; false, and nothing, when it has no value that is wanted. `codes`: what
    /// rules say of it (IEC 61968-9 quality).
    bool write(std::string& out, const database::ReadingMeter& meter, const database::ReadingRow& row,
               const std::vector<std::string_view>& codes) const;

private:
    struct Channel {
        int channel = 0;
        Instant valid_from{}, valid_to{};
        std::string head;  ///< of the value's object, up to the value itself
    };
    std::map<std::string, std::vector<Channel>, std::less<>> channels_;  ///< by model
};

}  // namespace wattmesh::headend::exchange
