#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/decode/passage.h"

namespace wattmesh::decode {

/// The place where something stops making sense.
struct Finding {
    Fault fault{};
    std::size_t offset = 0;  ///< in the input
    std::string where;       ///< layer or message: "get-response-normal"
    std::string detail;      ///< more words, or none
    bool deciphered = false;
    std::string octets;  ///< the octets around, in hexadecimal
    std::size_t octets_offset = 0;
    std::size_t caret = 0;  ///< column of the wrong octet in `octets`
};

/// What a decoding says: lines of a tree in order, and what is wrong.
class Report {
public:
    struct Line {
        std::size_t offset = 0;
        int depth = 0;
        std::string text;
    };

    void line(const Passage& passage, std::size_t at, int depth, std::string text);
    /// Also leaves a mark in the tree.
    void fault(const Passage& passage, std::size_t at, int depth, Fault fault, std::string_view where,
               std::string detail);
    /// These octets are a secret: they are not shown around a fault.
    void hide(const Passage& passage, std::size_t begin, std::size_t size);
    /// Lines of a trial, and its findings; truncated ones only as a remark when `unfinished`, because the
    /// rest of the message is not in the input.
    void merge(Report trial, bool unfinished);

    const std::vector<Line>& lines() const { return lines_; }
    const std::vector<Finding>& findings() const { return findings_; }
    bool whole() const { return findings_.empty(); }

    /// For people.
    std::string text() const;
    /// One JSON object per line: {"offset", "depth", "text"}, then {"error", "offset", "in", "detail"}.
    std::string json() const;

private:
    std::vector<Line> lines_;
    std::vector<Finding> findings_;
    std::vector<std::size_t> hidden_;  ///< places in the input
};

/// "wrong checksum"
std::string_view fault_words(Fault fault);

}  // namespace wattmesh::decode
