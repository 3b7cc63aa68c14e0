#include "tests/headend/exchange/xsd.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace wattmesh::test {

std::string schema_faults(const std::string& document, const std::string& schema) {
    const auto path =
        std::filesystem::temp_directory_path() / ("wattmesh-xsd-" + std::to_string(getpid()) + ".xml");
    std::ofstream{path, std::ios::binary} << document;
    const auto command =
        "xmllint --nonet --noout --schema schema/exchange/" + schema + " " + path.string() + " 2>&1";
    auto* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("xmllint cannot be started");
    std::string said;
    char part[4'096];
    while (std::fgets(part, sizeof part, pipe) != nullptr) said += part;
    const int status = pclose(pipe);
    std::filesystem::remove(path);
    return status == 0 ? std::string{} : said.empty() ? "xmllint failed" : said;
}

}  // namespace wattmesh::test
