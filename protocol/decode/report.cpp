#include "protocol/decode/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/decode/printable.h"

namespace wattmesh::decode {
namespace {

constexpr std::size_t octets_around = 8;
constexpr std::size_t findings_shown_max = 20;

std::string place(const Finding& finding) {
    std::string text = fmt::format("{} at octet {} (0x{:X}) in {}", fault_words(finding.fault),
                                   finding.offset, finding.offset, finding.where);
    if (finding.deciphered) text += ", in the deciphered text";
    if (!finding.detail.empty()) text += ": " + finding.detail;
    return text;
}

}  // namespace

std::string_view fault_words(Fault fault) {
    switch (fault) {
        case Fault::truncated:
            return "truncated";
        case Fault::bad_tag:
            return "wrong tag";
        case Fault::bad_version:
            return "wrong version";
        case Fault::bad_value:
            return "wrong value";
        case Fault::bad_checksum:
            return "wrong checksum";
        case Fault::too_long:
            return "too long";
        case Fault::too_deep:
            return "nested too deep";
        case Fault::trailing:
            return "octets left over";
        case Fault::not_authentic:
            return "tag does not verify";
        case Fault::unexpected:
            return "unexpected octets";
        default:
            return to_string(fault);
    }
}

void Report::line(const Passage& passage, std::size_t at, int depth, std::string text) {
    lines_.push_back({passage.origin(at), depth, std::move(text)});
}

void Report::fault(const Passage& passage, std::size_t at, int depth, Fault fault, std::string_view where,
                   std::string detail) {
    Finding finding{.fault = fault,
                    .offset = passage.origin(at),
                    .where = std::string{where},
                    .detail = std::move(detail),
                    .deciphered = passage.deciphered(),
                    .octets = {}};
    const std::size_t from = at - std::min(at, octets_around);
    const std::size_t to = std::min(at + octets_around, passage.size());
    finding.octets_offset = passage.origin(from);
    for (std::size_t i = from; i < to; ++i) {
        const bool secret = std::find(hidden_.begin(), hidden_.end(), passage.origin(i)) != hidden_.end();
        finding.octets +=
            (i == from ? "" : " ") + (secret ? "**" : fmt::format("{:02X}", passage.octets()[i]));
    }
    finding.caret = 3 * (at - from);
    lines_.push_back({finding.offset, depth, fmt::format("!! {}", fault_words(fault))});
    findings_.push_back(std::move(finding));
}

void Report::hide(const Passage& passage, std::size_t begin, std::size_t size) {
    for (std::size_t i = begin; i < std::min(begin + size, passage.size()); ++i)
        hidden_.push_back(passage.origin(i));
}

void Report::merge(Report trial, bool unfinished) {
    const auto goes_on = [&](const Finding& finding) {
        return unfinished && finding.fault == Fault::truncated;
    };
    for (Line& line : trial.lines_) {
        if (unfinished && line.text == fmt::format("!! {}", fault_words(Fault::truncated)))
            line.text = "... the rest is not here";
        lines_.push_back(std::move(line));
    }
    for (Finding& finding : trial.findings_)
        if (!goes_on(finding)) findings_.push_back(std::move(finding));
}

std::string Report::text() const {
    std::string out;
    for (const Line& line : lines_)
        out += fmt::format("{:04X}  {:{}}{}\n", line.offset, "", line.depth * 2, line.text);
    for (std::size_t i = 0; i < std::min(findings_.size(), findings_shown_max); ++i) {
        const Finding& finding = findings_[i];
        out += fmt::format("\n{:04X}  {}\n      {:{}}^^\nerror: {}\n", finding.octets_offset, finding.octets,
                           "", finding.caret, place(finding));
    }
    if (findings_.size() > findings_shown_max)
        out += fmt::format("error: and {} more\n", findings_.size() - findings_shown_max);
    return out;
}

std::string Report::json() const {
    std::string out;
    for (const Line& line : lines_)
        out += fmt::format(R"({{"offset":{},"depth":{},"text":"{}"}})"
                           "\n",
                           line.offset, line.depth, json_text(line.text));
    for (const Finding& finding : findings_)
        out += fmt::format(R"({{"error":"{}","offset":{},"in":"{}","deciphered":{},"detail":"{}"}})"
                           "\n",
                           to_string(finding.fault), finding.offset, json_text(finding.where),
                           finding.deciphered, json_text(finding.detail));
    return out;
}

}  // namespace wattmesh::decode
