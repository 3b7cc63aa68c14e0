#include "headend/console/pages.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace wattmesh::headend::console {
namespace {

std::string type_of(const std::string& extension) {
    static const std::map<std::string, std::string> types{{".html", "text/html; charset=utf-8"},
                                                          {".js", "text/javascript; charset=utf-8"},
                                                          {".css", "text/css; charset=utf-8"},
                                                          {".svg", "image/svg+xml"},
                                                          {".woff2", "font/woff2"},
                                                          {".png", "image/png"},
                                                          {".json", "application/json"}};
    const auto found = types.find(extension);
    return found == types.end() ? "application/octet-stream" : found->second;
}

}  // namespace

Pages::Pages(const std::string& folder, std::string start) : start_(std::move(start)) {
    namespace fs = std::filesystem;
    if (folder.empty()) return;
    if (!fs::exists(fs::path{folder + start_}))
        throw std::runtime_error("console: the folder of the pages, '" + folder + "', holds no " +
                                 start_.substr(1) +
                                 "; build them with 'ops/build' or 'npm ci && npm run build'");
    for (const auto& entry : fs::recursive_directory_iterator{folder}) {
        if (!entry.is_regular_file() || entry.path().filename().string().starts_with('.')) continue;
        std::ifstream in{entry.path(), std::ios::binary};
        std::ostringstream content;
        content << in.rdbuf();
        const auto name = "/" + fs::relative(entry.path(), folder).generic_string();
        files_[name] = {content.str(), type_of(entry.path().extension().string()),
                        name.starts_with("/assets/")};
    }
}

std::optional<Answer> Pages::find(std::string_view path) const {
    const bool address = path.find('.') == std::string_view::npos;
    const auto found = files_.find(address ? std::string_view{start_} : path);
    if (found == files_.end()) return std::nullopt;
    const auto& file = found->second;
    return Answer{
        .body = file.content,
        .type = file.type,
        .headers = {{"Cache-Control", file.lasting ? "public, max-age=31536000, immutable" : "no-cache"}}};
}

}  // namespace wattmesh::headend::console
