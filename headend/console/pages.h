#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "headend/console/http.h"

namespace wattmesh::headend::console {

/// The built pages, read once at start: nothing outside the folder can be asked for. Unknown paths without a
/// dot are addresses of the page's own router and get the start page.
class Pages {
public:
    /// Throws when a folder is named and does not hold the start page.
    explicit Pages(const std::string& folder, std::string start = "/index.html");
    /// Nothing: no such file.
    std::optional<Answer> find(std::string_view path) const;
    bool empty() const { return files_.empty(); }

private:
    struct File {
        std::string content, type;
        bool lasting = false;  ///< its name holds a hash of its content
    };
    const std::string start_;
    std::map<std::string, File, std::less<>> files_;
};

}  // namespace wattmesh::headend::console
