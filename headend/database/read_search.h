#pragma once
#include <optional>
#include <string>
#include <vector>

#include "headend/database/connection.h"
#include "protocol/base/id.h"

namespace wattmesh::headend::database {

/// Something that a person looked for by a part of its number or name.
struct Found {
    std::string kind;    ///< "meter", "concentrator", "customer" or a NodeKind's word
    std::string number;  ///< the utility's own; of a device its twelve digits
    std::string name;    ///< of a meter its customer's; empty: nobody
    std::string where;   ///< address, or the network node it hangs on
    /// The meter that is there now; of a customer or usage point.
    std::optional<DeviceNumber> meter{};
};
/// One of many numbers that were asked for together.
struct FoundMeter {
    DeviceNumber number;
    std::string customer, address;  ///< empty: nobody is supplied through it
};

/// Looks things up for a person. On a connection of the console it shows what that is limited to.
class SearchReader {
public:
    explicit SearchReader(Connection& connection) : connection_(connection) {}

    /// Up to `each_max` of every kind, the whole number first, then its end, then anywhere. `words`: UTF-8,
    /// every part between spaces has to be found, in any order; a number's leading zeros and the spaces in it
    /// do not matter. Fewer than two characters find nothing.
    std::vector<Found> find(const std::string& words, int each_max);
    /// Those of `numbers` that are meters, by number.
    std::vector<FoundMeter> meters(const std::vector<DeviceNumber>& numbers);

private:
    std::vector<Found> meters_by_digits(const std::string& digits, int count_max);
    std::vector<Found> concentrators(const std::string& words, int count_max);
    std::vector<Found> customers(const std::vector<std::string>& parts, int count_max);
    std::vector<Found> nodes(const std::vector<std::string>& parts, int count_max);

    Connection& connection_;
};

}  // namespace wattmesh::headend::database
