#pragma once
#include <string>
#include <variant>
#include <vector>

#include "protocol/sts/content.h"
#include "protocol/sts/keys.h"

namespace wattmesh::sim {

/// Named facts in order, as a JSON object or as lines for people.
class StsReport {
public:
    using Value = std::variant<std::string, std::int64_t, bool>;
    StsReport& add(std::string name, Value value) {
        facts_.emplace_back(std::move(name), std::move(value));
        return *this;
    }
    /// What a token says; of a key change not the key.
    StsReport& add_content(const sts::Content& content, sts::BaseDate base);
    /// One line.
    std::string json() const;
    /// `headline`, then an indented line per fact.
    std::string text(const std::string& headline) const;

private:
    std::vector<std::pair<std::string, Value>> facts_;
};

}  // namespace wattmesh::sim
