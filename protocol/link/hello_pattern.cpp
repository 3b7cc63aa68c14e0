#include "protocol/link/hello_pattern.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "protocol/link/fcs.h"

namespace wattmesh::link {
namespace {

using Verdict = HelloMatch::Verdict;

std::size_t size_of(HelloSum sum) { return sum == HelloSum::sum8 || sum == HelloSum::xor8 ? 1 : 2; }

/// CRC-16, polynomial A001 (reflected), start FFFF; "123456789" gives 4B37.
std::uint16_t crc16_modbus(Bytes octets) {
    unsigned crc = 0xFFFF;
    for (const std::uint8_t octet : octets) {
        crc ^= octet;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1U ^ 0xA001U : crc >> 1U;
    }
    return static_cast<std::uint16_t>(crc);
}

Buffer checksum(HelloSum sum, Bytes over) {
    const auto two = [](unsigned first, unsigned second) {
        return Buffer{static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(second)};
    };
    switch (sum) {
        case HelloSum::x25:
            return two(fcs16(over), fcs16(over) >> 8U);
        case HelloSum::x25be:
            return two(fcs16(over) >> 8U, fcs16(over));
        case HelloSum::modbus:
            return two(crc16_modbus(over), crc16_modbus(over) >> 8U);
        case HelloSum::sum8:
            return {static_cast<std::uint8_t>(std::accumulate(over.begin(), over.end(), 0U))};
        case HelloSum::xor8:
            return {std::accumulate(over.begin(), over.end(), std::uint8_t{0},
                                    [](unsigned a, unsigned b) { return static_cast<std::uint8_t>(a ^ b); })};
    }
    return {};
}

bool printable(Bytes octets) {
    return std::all_of(octets.begin(), octets.end(), [](std::uint8_t c) { return c >= 0x20 && c < 0x7F; });
}

int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Words of a row; what stands in quotes is one, with its first quote.
std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (true) {
        const auto begin = text.find_first_not_of(" \t");
        if (begin == std::string_view::npos) return words;
        text.remove_prefix(begin);
        const auto end = text.front() == '"' ? text.find('"', 1) : text.find_first_of(" \t");
        words.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return words;
        text.remove_prefix(text.front() == '"' ? end + 1 : end);
    }
}

}  // namespace

/// Where a match stands.
struct HelloPattern::Walk {
    Bytes stream;
    std::size_t at = 0, identity_size = 0, covered_from = 0, covered_to = 0;
    std::optional<std::size_t> announced_end;
    HelloMatch found;

    bool has(std::size_t count) const { return stream.size() - at >= count; }
    Bytes take(std::size_t count) { return stream.subspan(std::exchange(at, at + count), count); }
};

std::optional<HelloPattern::Element> HelloPattern::element_of(std::string_view word) {
    using Kind = Element::Kind;
    struct Name {
        std::string_view word;
        Element element;
    };
    static const std::array<Name, 13> names{{
        {"??", {Kind::any}},
        {"rest", {Kind::rest}},
        {"size8", {Kind::size8}},
        {"size16", {Kind::size16}},
        {"idsize", {Kind::identity_size}},
        {"id", {Kind::identity}},
        {"(", {Kind::begin}},
        {")", {Kind::end}},
        {"x25", {.kind = Kind::checksum, .sum = HelloSum::x25}},
        {"x25be", {.kind = Kind::checksum, .sum = HelloSum::x25be}},
        {"modbus", {.kind = Kind::checksum, .sum = HelloSum::modbus}},
        {"sum8", {.kind = Kind::checksum, .sum = HelloSum::sum8}},
        {"xor8", {.kind = Kind::checksum, .sum = HelloSum::xor8}},
    }};
    for (const auto& name : names)
        if (name.word == word) return name.element;
    if (word.size() != 2) return std::nullopt;
    const int high = nibble(word[0]), low = nibble(word[1]);
    if (word[0] == '?' && low >= 1 && static_cast<std::size_t>(low) <= captures_max)
        return Element{.kind = Kind::copy, .value = static_cast<std::uint8_t>(low)};
    if ((high < 0 && word[0] != '*') || (low < 0 && word[1] != '*') || (high < 0 && low < 0))
        return std::nullopt;
    const unsigned value =
        static_cast<unsigned>(std::max(high, 0)) << 4U | static_cast<unsigned>(std::max(low, 0));
    const unsigned mask = (high < 0 ? 0U : 0xF0U) | (low < 0 ? 0U : 0x0FU);
    return Element{.kind = Kind::literal,
                   .value = static_cast<std::uint8_t>(value),
                   .mask = static_cast<std::uint8_t>(mask)};
}

std::optional<HelloPattern> HelloPattern::parse(std::string_view text, Encoding encoding,
                                                std::size_t identity_size, std::string& fault) {
    HelloPattern pattern;
    pattern.encoding_ = encoding;
    pattern.identity_size_ = identity_size;
    for (const auto word : words_of(text)) {
        if (word.front() == '"') {
            for (const char c : word.substr(1))
                pattern.elements_.push_back(
                    {.kind = Element::Kind::literal, .value = static_cast<std::uint8_t>(c)});
            continue;
        }
        const auto element = element_of(word);
        if (!element) {
            fault = "\"" + std::string{word} + "\" is no element of a message";
            return std::nullopt;
        }
        pattern.elements_.push_back(*element);
    }
    fault = pattern.fault();
    if (!fault.empty()) return std::nullopt;
    return pattern;
}

/// Why the elements make no message; empty when they do.
std::string HelloPattern::fault() const {
    using Kind = Element::Kind;
    const auto count = [&](Kind kind) { return std::ranges::count(elements_, kind, &Element::kind); };
    if (elements_.empty()) return "the message is empty";
    if (elements_.size() > message_size_max) return "the message is too long";
    for (const auto kind :
         {Kind::rest, Kind::identity_size, Kind::identity, Kind::begin, Kind::end, Kind::checksum})
        if (count(kind) > 1) return "an element stands twice that may stand once";
    if (count(Kind::size8) + count(Kind::size16) > 1) return "two elements say the size";
    if (static_cast<std::size_t>(count(Kind::any) + count(Kind::rest)) > captures_max)
        return "too many octets are captured";
    const auto place = [&](Kind kind) {
        return std::ranges::find(elements_, kind, &Element::kind) - elements_.begin();
    };
    if (count(Kind::begin) != count(Kind::end) || place(Kind::begin) > place(Kind::end))
        return "( and ) do not belong together";
    if (count(Kind::checksum) == 1 && (count(Kind::begin) == 0 || place(Kind::end) > place(Kind::checksum)))
        return "the checksum does not stand behind what it covers";
    if (count(Kind::identity_size) == 1 && place(Kind::identity_size) > place(Kind::identity))
        return "idsize does not stand before id";
    if (count(Kind::identity) == 1 && count(Kind::identity_size) == 0 &&
        (identity_size_ == 0 || identity_size_ > identity_size_max))
        return "nothing says the size of id";
    if (count(Kind::rest) == 1 && std::min(place(Kind::size8), place(Kind::size16)) > place(Kind::rest))
        return "rest needs a size before it";
    const auto behind_rest = [&](Kind kind) { return count(kind) == 1 && place(kind) > place(Kind::rest); };
    if (behind_rest(Kind::identity) || behind_rest(Kind::identity_size))
        return "the identity stands behind rest";
    return {};
}

bool HelloPattern::has_identity() const {
    return std::ranges::find(elements_, Element::Kind::identity, &Element::kind) != elements_.end();
}

std::size_t HelloPattern::fixed_size_behind(std::size_t index) const {
    using Kind = Element::Kind;
    std::size_t size = 0;
    for (std::size_t i = index + 1; i < elements_.size(); ++i) {
        const auto kind = elements_[i].kind;
        if (kind == Kind::literal || kind == Kind::any) ++size;
        if (kind == Kind::checksum) size += size_of(elements_[i].sum);
    }
    return size;
}

HelloMatch::Verdict HelloPattern::step(std::size_t index, Walk& walk) const {
    using Kind = Element::Kind;
    const Element& element = elements_[index];
    const auto need = [&](std::size_t count) { return walk.has(count) ? Verdict::yes : Verdict::more; };
    switch (element.kind) {
        case Kind::begin:
            walk.covered_from = walk.at;
            return Verdict::yes;
        case Kind::end:
            walk.covered_to = walk.at;
            return Verdict::yes;
        case Kind::literal:
            if (!walk.has(1)) return Verdict::more;
            return (walk.take(1)[0] & element.mask) == element.value ? Verdict::yes : Verdict::no;
        case Kind::any:
            if (walk.has(1))
                walk.found.captured.push_back(to_buffer(walk.take(1)));
            else
                return Verdict::more;
            return Verdict::yes;
        case Kind::size8:
        case Kind::size16: {
            const std::size_t width = element.kind == Kind::size8 ? 1 : 2;
            if (!walk.has(width)) return Verdict::more;
            std::size_t size = 0;
            for (const auto octet : walk.take(width)) size = size << 8U | octet;
            walk.announced_end = walk.at + size;
            return *walk.announced_end <= message_size_max ? Verdict::yes : Verdict::no;
        }
        case Kind::rest: {
            const std::size_t behind = fixed_size_behind(index);
            if (*walk.announced_end < walk.at + behind) return Verdict::no;
            const std::size_t size = *walk.announced_end - walk.at - behind;
            if (!walk.has(size)) return Verdict::more;
            walk.found.captured.push_back(to_buffer(walk.take(size)));
            return Verdict::yes;
        }
        case Kind::identity_size:
            if (!walk.has(1)) return Verdict::more;
            walk.identity_size = walk.take(1)[0];
            return walk.identity_size > 0 && walk.identity_size <= identity_size_max ? Verdict::yes
                                                                                     : Verdict::no;
        case Kind::identity: {
            if (need(walk.identity_size) == Verdict::more) return Verdict::more;
            const Bytes octets = walk.take(walk.identity_size);
            walk.found.identity =
                encoding_ == Encoding::bcd ? to_hex(octets) : std::string(octets.begin(), octets.end());
            const auto last = walk.found.identity.find_last_not_of(std::string_view{" \0", 2});
            walk.found.identity.resize(last == std::string::npos ? 0 : last + 1);
            return printable(as_bytes(walk.found.identity)) ? Verdict::yes : Verdict::no;
        }
        case Kind::checksum: {
            const std::size_t size = size_of(element.sum);
            if (!walk.has(size)) return Verdict::more;
            const Bytes covered = walk.stream.subspan(walk.covered_from, walk.covered_to - walk.covered_from);
            walk.found.checksum_ok = std::ranges::equal(walk.take(size), checksum(element.sum, covered));
            return Verdict::yes;
        }
        case Kind::copy:
            return Verdict::no;  // stands in answers only
    }
    return Verdict::no;
}

HelloMatch HelloPattern::match(Bytes stream) const {
    Walk walk;
    walk.stream = stream.first(std::min(stream.size(), message_size_max));
    walk.identity_size = identity_size_;
    for (std::size_t i = 0; i < elements_.size(); ++i) {
        auto verdict = step(i, walk);
        if (verdict == Verdict::more && stream.size() >= message_size_max) verdict = Verdict::no;
        if (verdict != Verdict::yes) return {.verdict = verdict};
    }
    if (elements_.empty() || (walk.announced_end && *walk.announced_end != walk.at)) return {};
    walk.found.verdict = Verdict::yes;
    walk.found.size = walk.at;
    return std::move(walk.found);
}

std::optional<Buffer> HelloPattern::encoded(std::string_view identity) const {
    if (!has_identity()) return Buffer{};
    const bool sized =
        std::ranges::find(elements_, Element::Kind::identity_size, &Element::kind) != elements_.end();
    auto octets =
        encoding_ == Encoding::bcd ? from_hex(identity) : std::optional{to_buffer(as_bytes(identity))};
    if (!octets || octets->empty() || octets->size() > identity_size_max) return std::nullopt;
    if (sized) return octets;
    if (octets->size() > identity_size_) return std::nullopt;
    octets->resize(identity_size_);  // padded with zeros, as it is matched
    return octets;
}

/// False when the message gets too long.
bool HelloPattern::append(const Element& element, Bytes identity, const std::vector<Buffer>& captured,
                          std::size_t& next_capture, Buffer& out) const {
    using Kind = Element::Kind;
    const auto put = [&](Bytes octets) { out.insert(out.end(), octets.begin(), octets.end()); };
    switch (element.kind) {
        case Kind::literal:
            out.push_back(element.value);
            break;
        case Kind::any:
        case Kind::rest: {
            const std::size_t number = next_capture++;
            if (number < captured.size())
                put(captured[number]);
            else if (element.kind == Kind::any)
                out.push_back(0);
            break;
        }
        case Kind::copy:
            if (element.value <= captured.size()) put(captured[element.value - 1U]);
            break;
        case Kind::size8:
        case Kind::size16:
            out.insert(out.end(), element.kind == Kind::size8 ? 1 : 2, std::uint8_t{0});
            break;
        case Kind::identity_size:
            out.push_back(static_cast<std::uint8_t>(identity.size()));
            break;
        case Kind::identity:
            put(identity);
            break;
        case Kind::checksum:
            out.insert(out.end(), size_of(element.sum), std::uint8_t{0});
            break;
        case Kind::begin:
        case Kind::end:
            break;
    }
    return out.size() <= message_size_max;
}

std::optional<Buffer> HelloPattern::build(std::string_view identity,
                                          const std::vector<Buffer>& captured) const {
    using Kind = Element::Kind;
    const auto octets = encoded(identity);
    if (!octets) return std::nullopt;
    Buffer out;
    std::size_t next_capture = 0, from = 0, to = 0, size_at = 0, size_width = 0, sum_at = 0;
    const Element* sum = nullptr;
    for (const Element& element : elements_) {
        const std::size_t at = out.size();
        if (!append(element, *octets, captured, next_capture, out)) return std::nullopt;
        if (element.kind == Kind::begin) from = at;
        if (element.kind == Kind::end) to = at;
        if (element.kind == Kind::size8 || element.kind == Kind::size16) {
            size_at = at;
            size_width = out.size() - at;
        }
        if (element.kind == Kind::checksum) {
            sum = &element;
            sum_at = at;
        }
    }
    const std::size_t follows = out.size() - size_at - size_width;
    if (size_width == 1 && follows > 0xFF) return std::nullopt;
    for (std::size_t i = 0; i < size_width; ++i)
        out[size_at + i] = static_cast<std::uint8_t>(follows >> 8 * (size_width - 1 - i));
    if (sum != nullptr)
        std::ranges::copy(checksum(sum->sum, Bytes{out}.subspan(from, to - from)),
                          out.begin() + static_cast<std::ptrdiff_t>(sum_at));
    return out;
}

}  // namespace wattmesh::link
