#include <algorithm>

#include "protocol/decode/apdu_lines.h"
#include "protocol/decode/link_lines.h"
#include "protocol/decode/parts.h"
#include "protocol/decode/printable.h"
#include "protocol/decode/transfer.h"
#include "protocol/link/fcs.h"
#include "protocol/link/hdlc.h"

namespace wattmesh::decode {
namespace {

namespace control = link::hdlc_control;

constexpr std::uint8_t flag = 0x7E;
constexpr std::size_t frame_length_min = 7, check_size = 2;

std::size_t length_of(Bytes frame) { return (std::size_t{frame[0]} << 8U | frame[1]) & 0x07FFU; }

std::string read_address(Walk& walk) {
    const std::size_t at = walk.here();
    std::vector<unsigned> parts;
    bool last = false;
    while (!last && parts.size() < 4 && walk.in.ok()) {
        const std::uint8_t octet = walk.in.u8();
        parts.push_back(octet >> 1U);
        last = (octet & 1U) != 0;
    }
    if (!walk.in.ok()) return {};
    if (parts.size() == 1)
        return parts[0] == 0x7F ? "all stations" : sap_words(static_cast<std::uint16_t>(parts[0]));
    if (parts.size() == 2) return fmt::format("{}/{}", parts[0], parts[1]);
    if (!last || parts.size() != 4)
        walk.fail(Fault::bad_value, at, "an address has 1, 2 or 4 octets, and bit 0 set in the last one");
    if (!walk.in.ok()) return {};
    return fmt::format("{}/{}", parts[0] << 7U | parts[1], parts[2] << 7U | parts[3]);
}

std::string control_words(std::uint8_t octet) {
    const auto numbered = [&](std::string_view name) {
        return fmt::format("{} N(R)={}", name, control::receive_number(octet));
    };
    std::string words;
    if (control::is_information(octet))
        words = fmt::format("I N(S)={} N(R)={}", control::send_number(octet), control::receive_number(octet));
    else if (control::is_receive_ready(octet))
        words = numbered("RR");
    else if (control::is_receive_not_ready(octet))
        words = numbered("RNR");
    else if (control::is_reject(octet))
        words = numbered("REJ");
    else if (control::is_kind(octet, control::snrm))
        words = "SNRM (set up the link)";
    else if (control::is_kind(octet, control::ua))
        words = "UA (accepted)";
    else if (control::is_kind(octet, control::disc))
        words = "DISC (release the link)";
    else if (control::is_kind(octet, control::dm))
        words = "DM (no link)";
    else if (control::is_kind(octet, control::frmr))
        words = "FRMR (frame rejected)";
    else if (control::is_kind(octet, control::ui))
        words = "UI (no link needed)";
    else
        words = fmt::format("control {:02X}", octet);
    return words + (control::is_polled(octet) ? " P/F" : "");
}

/// Parameters of SNRM and UA (IEC 62056-46, 6.4.4.4.3).
void parameter_lines(Walk& walk) {
    const std::size_t at = walk.here();
    const std::uint8_t format = walk.in.u8(), group = walk.in.u8();
    if (format != 0x81 || group != 0x80)
        walk.fail(Fault::bad_tag, at,
                  fmt::format("parameters begin with 8180, here is {:02X}{:02X}", format, group));
    walk.inner(walk.in.u8(), "hdlc parameters", [](Walk& list) {
        while (list.in.ok() && list.in.remaining() > 0) {
            const std::size_t place = list.here();
            const std::uint8_t id = list.in.u8(), size = list.in.u8();
            std::uint64_t value = 0;
            for (const std::uint8_t octet : list.take(size)) value = value << 8U | octet;
            constexpr std::string_view names[]{"longest information sent", "longest information received",
                                               "window sent", "window received"};
            if (id >= 5 && id <= 8)
                list.line(place, "{} {}", names[id - 5], value);
            else
                list.line(place, "parameter {:02X}: {}", id, value);
        }
    });
}

class Frames {
public:
    Frames(Session& session, const Passage& passage) : session_(session), passage_(passage) {}

    void all() {
        const Bytes octets = passage_.octets();
        std::size_t at = 0;
        while (at < octets.size()) {
            if (octets[at] == flag)
                ++at;
            else if ((octets[at] & 0xF0U) == 0xA0)
                at = closed(frame(at));
            else
                at = lost(at, Fault::unexpected, "between flags stand frames, which begin with A");
        }
        if (!any_) fault(at, Fault::truncated, "there is no frame");
    }
    /// A frame that begins at `at`; its end, or where to go on.
    std::size_t frame(std::size_t at);

private:
    void fault(std::size_t at, Fault fault, std::string detail) {
        any_ = true;
        session_.report.fault(passage_, at, 0, fault, "hdlc", std::move(detail));
    }
    /// Goes on at the next flag.
    std::size_t lost(std::size_t at, Fault wrong, std::string detail) {
        fault(at, wrong, std::move(detail));
        const Bytes octets = passage_.octets();
        const auto next = std::find(octets.begin() + static_cast<std::ptrdiff_t>(at), octets.end(), flag);
        return static_cast<std::size_t>(next - octets.begin());
    }
    /// `end` of a frame: the closing flag, which may open the next frame.
    std::size_t closed(std::size_t end) {
        if (cut_ || (end < passage_.size() && passage_.octets()[end] == flag)) return end;
        if (end == passage_.size()) {
            fault(end, Fault::truncated, "the closing flag 7E is missing");
            return end;
        }
        return lost(end, Fault::bad_tag, "here the length field lets the frame end, but there is no flag 7E");
    }
    void body(Walk& walk, std::size_t length, bool segmented);
    void information(Walk& walk, std::size_t size, bool segmented);
    void check(std::size_t begin, std::size_t at, std::string_view name);

    Session& session_;
    const Passage& passage_;
    bool any_ = false;
    bool cut_ = false;  ///< the input ends in a frame, or the frame is none
};

void Frames::check(std::size_t begin, std::size_t at, std::string_view name) {
    const Bytes octets = passage_.octets();
    const auto found = static_cast<std::uint16_t>(octets[at] | octets[at + 1] << 8U);
    const std::uint16_t computed = link::fcs16(octets.subspan(begin, at - begin));
    if (found != computed)
        fault(at, Fault::bad_checksum,
              fmt::format("the {} is {:04X}, the octets before it give {:04X}", name, found, computed));
}

std::size_t Frames::frame(std::size_t at) {
    any_ = true;
    cut_ = false;
    const std::size_t there = passage_.size() - at;
    if (there < 2) {
        cut_ = true;
        return lost(at + there, Fault::truncated, "in the frame format");
    }
    const Bytes octets = passage_.octets();
    const std::size_t length = length_of(octets.subspan(at));
    const bool segmented = (octets[at] & 0x08U) != 0;
    if (length < frame_length_min) {
        cut_ = true;
        return lost(at, Fault::bad_value,
                    fmt::format("the length field says {} octets, a frame has 7", length));
    }
    if (there >= length) {
        const std::size_t check_at = at + length - check_size;
        Walk walk{session_, passage_, at, check_at, 0, "hdlc"};
        body(walk, length, segmented);
        walk.finish();
        check(at, check_at, "frame check sequence");
        return at + length;
    }
    Report trial;
    Session apart{session_, trial};
    Frames rest{apart, passage_};
    Walk walk{apart, passage_, at, passage_.size(), 0, "hdlc"};
    rest.body(walk, length, segmented);
    walk.finish();
    session_.report.merge(std::move(trial), true);
    cut_ = true;
    return lost(passage_.size(), Fault::truncated,
                fmt::format("the length field says {} octets, {} are there", length, there));
}

void Frames::body(Walk& walk, std::size_t length, bool segmented) {
    const std::size_t at = walk.here();
    walk.in.skip(2);
    const std::string destination = read_address(walk), source = read_address(walk);
    const std::uint8_t octet = walk.in.u8();
    const std::size_t head = walk.here() - at + 2 * check_size;
    const std::size_t size = length > head ? length - head : 0;
    walk.title(at, "hdlc {}, from {} to {}, {}{}", control_words(octet), source, destination,
               size == 0 ? "no information" : fmt::format("{} octets", size), segmented ? ", segmented" : "");
    if (walk.in.remaining() == 0) return;
    const std::size_t check_at = walk.here();
    walk.in.skip(check_size);
    if (walk.in.ok()) check(at, check_at, "header check sequence");
    const bool user = control::is_information(octet) || control::is_kind(octet, control::ui);
    session_.direction =
        fmt::format("{}>{}{}", source, destination, control::is_information(octet) ? "" : " UI");
    if (user) {
        information(walk, size, segmented);
    } else if (control::is_kind(octet, control::snrm) || control::is_kind(octet, control::ua)) {
        parameter_lines(walk);
    } else {
        const std::size_t rest_at = walk.here();
        const Bytes rest = walk.in.rest();
        walk.line(rest_at, "information {}", hex_words(rest, 32));
    }
}

void Frames::information(Walk& walk, std::size_t size, bool segmented) {
    const std::size_t begin = walk.here();
    const Bytes octets = walk.ahead();
    const bool begins = is_llc(octets) || (!octets.empty() && octets[0] == 0xE6);
    if (octets.empty()) return;
    if (begins && !segmented) return walk.inner(size, "hdlc", llc_lines);
    if (begins || is_begun(session_, Content::llc)) {
        walk.in.rest();
        walk.line(begin, "segment of an APDU, {} octets{}", octets.size(), segmented ? ", more follow" : "");
        return add_part(walk, Content::llc, begins ? std::optional{1U} : std::nullopt, !segmented, begin,
                        octets.size());
    }
    // Some meters leave the LLC header out of all blocks of a push but the first.
    if (octets[0] == 0xE0 && !segmented) return walk.inner(size, "hdlc", apdu_lines);
    walk.in.rest();
    walk.line(begin, "no LLC header: goes on from a frame that is not here: {}", hex_words(octets, 32));
}

}  // namespace

bool is_frame_without_flags(Bytes octets) {
    if (octets.size() < frame_length_min || (octets[0] & 0xF0U) != 0xA0) return false;
    const std::size_t size = octets.size();
    return length_of(octets) == size &&
           link::fcs16(octets.first(size - check_size)) == (octets[size - 2] | octets[size - 1] << 8U);
}

void hdlc_lines(Session& session, const Passage& passage) {
    Frames frames{session, passage};
    if (is_frame_without_flags(passage.octets()))
        frames.frame(0);
    else
        frames.all();
}

}  // namespace wattmesh::decode
