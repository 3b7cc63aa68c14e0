#pragma once
#include <string>
#include <variant>
#include <vector>

#include "headend/database/billing_files.h"

namespace wattmesh::headend::exchange {

/// What a partner says of a file: the first line "ack,NAME,accepted|partly|refused", then "line,code,text"
/// for each line that is refused.
struct FileAnswer {
    std::string name;
    std::vector<database::RefusedLine> refused;
};
/// A text in words for the log when it is not that.
std::variant<FileAnswer, std::string> parse_answer(const std::string& text);

}  // namespace wattmesh::headend::exchange
