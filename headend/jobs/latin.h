#pragma once
#include <string>

namespace wattmesh::headend::jobs {

/// UTF-8 as Latin-1, all that the built-in fonts of a PDF know; other letters are shown as '?'.
std::string latin1(const std::string& text);

}  // namespace wattmesh::headend::jobs
