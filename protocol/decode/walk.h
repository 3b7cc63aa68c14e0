#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/base/reader.h"
#include "protocol/decode/report.h"
#include "protocol/decode/session.h"
#include "protocol/dlms/data.h"

namespace wattmesh::decode {

/// Reads one layer or message and says what it reads, line by line. Positions are those in the passage. After
/// its first fault it says nothing more: the tree goes as far as the octets make sense.
class Walk {
public:
    Walk(Session& known, const Passage& text, std::size_t begin, std::size_t end, int level, std::string name)
        : in(text.octets().subspan(begin, end - begin), begin),
          session(known),
          passage(text),
          depth(level),
          where(std::move(name)),
          begin_(begin),
          end_(end) {}

    Reader in;
    Session& session;
    const Passage& passage;
    int depth;
    std::string where;        ///< what an error is in
    std::uint8_t invoke = 0;  ///< invoke id of a service

    std::size_t here() const { return in.offset(); }
    std::size_t end() const { return end_; }
    /// What is left to read.
    Bytes ahead() const { return passage.octets().subspan(here(), in.remaining()); }
    /// What was read so far, from `at` on.
    Bytes since(std::size_t at) const { return passage.octets().subspan(at, here() - at); }

    template <class... Args>
    void line(std::size_t at, fmt::format_string<Args...> format, Args&&... args) {
        if (in.ok())
            session.report.line(passage, at, depth, fmt::format(format, std::forward<Args>(args)...));
    }
    /// A line under which the following ones stand.
    template <class... Args>
    void title(std::size_t at, fmt::format_string<Args...> format, Args&&... args) {
        line(at, format, std::forward<Args>(args)...);
        ++depth;
    }
    void fail(Fault fault, std::size_t at, std::string detail) {
        if (!in.ok()) return;
        in.fail_at(fault, at - begin_);
        detail_ = std::move(detail);
    }

    /// More words for the fault that is there.
    void explain(std::string_view words) {
        if (!detail_.empty()) detail_ += ", ";
        detail_ += words;
    }

    /// The next `size` octets as a message of its own, one level deeper. Its faults leave this one alone;
    /// where octets are missing, the innermost message that misses them says so.
    template <class Body>
    void inner(std::size_t size, std::string name, Body body) {
        if (!in.ok()) return;
        const std::size_t there = std::min(size, in.remaining());
        Walk nested{session, passage, here(), here() + there, depth, std::move(name)};
        body(nested);
        nested.finish();
        in.skip(there);
        if (size == there) return;
        fail(Fault::truncated, here(), fmt::format("{} octets are announced, {} are there", size, there));
        told_ = nested.truncated_;
    }
    /// A-XDR or BER length, and that many octets as in `inner`.
    template <class Body>
    void sized(std::string name, Body body) {
        const std::size_t size = length();
        inner(size, std::move(name), body);
    }
    /// An A-XDR or BER length.
    std::size_t length() {
        const auto first = in.peek();
        const std::size_t size = dlms::decode_length(in);
        if (in.error() && in.error()->fault == Fault::too_long && detail_.empty() && first)
            detail_ = fmt::format("{:02X} begins no length", *first);
        return in.ok() ? size : 0;
    }
    /// The next `size` octets; where fewer are there, the error says so.
    Bytes take(std::size_t size) {
        const std::size_t there = in.remaining();
        if (in.ok() && size > there)
            fail(Fault::truncated, end_, fmt::format("{} octets are announced, {} are there", size, there));
        return in.bytes(size);
    }

    /// The same for a secret: how many octets it has is said, and no more.
    Bytes take_secret(std::size_t size) {
        session.report.hide(passage, here(), std::min(size, in.remaining()));
        return take(size);
    }

    /// Nothing may be left; reports the first fault. Once, when all is read.
    void finish() {
        if (in.remaining() > 0)
            fail(Fault::trailing, here(), fmt::format("{} octets behind the end", in.remaining()));
        if (in.ok() || told_) {
            truncated_ = told_;
            return;
        }
        truncated_ = in.error()->fault == Fault::truncated;
        session.report.fault(passage, in.error()->offset, depth, in.error()->fault, where, detail_);
    }

private:
    std::size_t begin_, end_;
    std::string detail_;
    bool told_ = false;       ///< an inner message reported the fault
    bool truncated_ = false;  ///< it missed octets
};

}  // namespace wattmesh::decode
