#include "tests/protocol/iec104/vectors.h"

#include <fstream>
#include <stdexcept>

namespace wattmesh::iec104 {

const std::map<std::string, Buffer>& vectors() {
    static const auto all = [] {
        std::map<std::string, Buffer> read;
        std::ifstream in{"tests/vectors/iec104.txt"};
        for (std::string line; std::getline(in, line);) {
            if (line.empty() || line[0] == '#') continue;
            const auto middle = line.find(" = ");
            const auto octets = from_hex(line.substr(middle + 3));
            if (middle == std::string::npos || !octets) throw std::runtime_error("no vector: " + line);
            read[line.substr(0, middle)] = *octets;
        }
        if (read.empty()) throw std::runtime_error("tests/vectors/iec104.txt holds nothing");
        return read;
    }();
    return all;
}

Bytes vector(const std::string& name) { return vectors().at(name); }

}  // namespace wattmesh::iec104
