#include <algorithm>

#include "protocol/decode/apdu_lines.h"
#include "protocol/decode/data_lines.h"
#include "protocol/decode/date_words.h"
#include "protocol/decode/parts.h"
#include "protocol/decode/printable.h"

// Ciphered and signed APDUs. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.2.7 and 9.5.
namespace wattmesh::decode {
namespace {

namespace sc = dlms::security_control;

constexpr int nesting_max = 16;

bool is_dedicated(std::uint8_t tag) {
    const auto plain = dlms::plain_tag(tag);
    return tag == dlms::tag_general_dedicated || (plain && dlms::dedicated_tag(*plain) == tag);
}

std::string control_words(std::uint8_t control) {
    const bool authenticated = (control & sc::authenticated) != 0, encrypted = (control & sc::encrypted) != 0;
    std::string words = fmt::format("suite {}, ", control & sc::suite_mask);
    words += authenticated && encrypted ? "authenticated and encrypted"
             : authenticated            ? "authenticated only"
             : encrypted                ? "encrypted only"
                                        : "neither authenticated nor encrypted";
    if ((control & sc::broadcast_key) != 0) words += ", broadcast key";
    if ((control & sc::compressed) != 0) words += ", compressed";
    return words;
}

/// The plain APDU under what was deciphered.
void plain_lines(Walk& walk, std::size_t begin, Bytes plain, std::optional<std::uint8_t> tag) {
    Session& session = walk.session;
    if (session.nesting >= nesting_max)
        return walk.fail(Fault::too_deep, begin, "more than 16 messages in another");
    const Passage passage = walk.passage.decipher(begin, plain);
    Walk nested{session, passage, 0, passage.size(), walk.depth + 1, walk.where};
    if (tag && !plain.empty() && plain.front() != *tag)
        nested.fail(Fault::bad_tag, 0,
                    fmt::format("{} holds {:02X}, here is {:02X}", walk.where, *tag, plain.front()));
    ++session.nesting;
    apdu_lines(nested);
    nested.finish();
    --session.nesting;
}

/// What general-ciphering says about its key, where it is none that both ends have.
struct Key {
    Bytes wrapped;
    bool agreed = false;
};

/// Security header and text, to the end of the walk.
void text_lines(Walk& walk, std::uint8_t tag, Bytes header, const Key& key) {
    std::size_t at = walk.here();
    Ciphered ciphered{
        .dedicated = is_dedicated(tag), .wrapped = key.wrapped, .header = header, .text = {}, .tag = {}};
    ciphered.control = walk.in.u8();
    walk.line(at, "security control {:02X}: {}", ciphered.control, control_words(ciphered.control));
    at = walk.here();
    ciphered.counter = walk.in.u32();
    walk.line(at, "invocation counter {} ({:08X})", ciphered.counter, ciphered.counter);
    const bool authenticated = (ciphered.control & sc::authenticated) != 0;
    const std::size_t begin = walk.here();
    if (authenticated && walk.in.ok() && walk.in.remaining() < security_tag_size + 1)
        walk.fail(Fault::truncated, walk.end(), "no room for a text and a tag of 12 octets");
    if (!walk.in.ok()) return;
    ciphered.text = walk.in.bytes(walk.in.remaining() - (authenticated ? security_tag_size : 0));
    const std::size_t tag_at = walk.here();
    ciphered.tag = walk.in.rest();
    walk.line(begin, "{} of {} octets{}",
              (ciphered.control & sc::encrypted) != 0 ? "ciphertext" : "plain text", ciphered.text.size(),
              authenticated ? ", then a tag of 12" : "");
    if (key.agreed) return walk.line(begin, "not deciphered: its key is agreed with private keys");

    const Deciphered opened =
        decipher(walk.session.keyring, walk.session.dedicated, walk.session.titles, ciphered);
    if (opened.forged) return walk.fail(Fault::not_authentic, tag_at, opened.words);
    const bool readable = (ciphered.control & sc::encrypted) == 0;
    walk.line(tag_at, "{}{}", opened.words, !opened.plain && readable ? "; the text as it stands:" : "");
    if ((ciphered.control & sc::compressed) != 0)
        return walk.line(begin, "compressed (ITU-T V.44), not unpacked here");
    if (opened.plain)
        plain_lines(walk, begin, *opened.plain, dlms::plain_tag(tag));
    else if (readable)
        plain_lines(walk, begin, ciphered.text, dlms::plain_tag(tag));
}

Bytes octets_field(Walk& walk) { return walk.take(walk.length()); }

void remember_title(Session& session, Bytes octets) {
    if (octets.size() != 8) return;
    SystemTitle title;
    std::copy(octets.begin(), octets.end(), title.octets.begin());
    session.titles.insert(session.titles.begin(), title);  // the sender of this message is tried first
}

/// The five fields in front of general-ciphering and general-signing; where they begin and end is what is
/// authenticated.
void header_lines(Walk& walk) {
    std::size_t at = walk.here();
    const Bytes transaction = octets_field(walk);
    walk.line(at, "transaction {}", to_hex(transaction));
    at = walk.here();
    const Bytes originator = octets_field(walk);
    walk.line(at, "originator {}", title_words(originator));
    if (walk.in.ok()) remember_title(walk.session, originator);
    at = walk.here();
    const Bytes recipient = octets_field(walk);
    walk.line(at, "recipient {}", title_words(recipient));
    at = walk.here();
    const Bytes time = octets_field(walk);
    if (time.empty())
        walk.line(at, "no date-time");
    else
        walk.line(at, "date-time {}", date_time_words(time).value_or(to_hex(time)));
    at = walk.here();
    const Bytes other = octets_field(walk);
    if (other.empty())
        walk.line(at, "no other information");
    else
        walk.line(at, "other information {}", hex_words(other, 32));
}

Key key_information(Walk& walk) {
    const std::size_t at = walk.here();
    if (!read_presence(walk, "key information")) return {};
    const std::uint8_t choice = walk.in.u8();
    if (choice == 0) {
        const std::uint8_t id = walk.in.u8();
        walk.line(at, "key: identified, global {} encryption key ({})", id == 0 ? "unicast" : "broadcast",
                  id);
        return {};
    }
    if (choice == 1) {
        const std::uint8_t kek = walk.in.u8();
        const Bytes wrapped = octets_field(walk);
        walk.line(at, "key: wrapped under {} ({}), {} octets", kek == 0 ? "the master key" : "key", kek,
                  wrapped.size());
        return {.wrapped = wrapped};
    }
    if (choice == 2) {
        const Bytes parameters = octets_field(walk);
        const std::size_t size = octets_field(walk).size();
        walk.line(at, "key: agreed by ECDH, parameters {}, {} octets of key data", to_hex(parameters), size);
        return {.wrapped = {}, .agreed = true};
    }
    walk.fail(Fault::bad_tag, at + 1, "key information is identified (00), wrapped (01) or agreed (02)");
    return {};
}

}  // namespace

void ciphered_lines(Walk& walk) {
    const std::size_t at = walk.here();
    const std::uint8_t tag = walk.in.u8();
    walk.where = apdu_name(tag);
    walk.title(at, "{}", walk.where);
    Bytes header;
    Key key;
    if (tag == dlms::tag_general_global || tag == dlms::tag_general_dedicated) {
        const std::size_t title_at = walk.here();
        const Bytes title = octets_field(walk);
        if (title.empty())
            walk.line(title_at, "no system title: that of AARQ or AARE is meant (quirk empty_system_title)");
        else
            walk.line(title_at, "system title {}", title_words(title));
        if (walk.in.ok() && !title.empty() && title.size() != 8)
            walk.fail(Fault::bad_value, title_at,
                      fmt::format("a system title has 8 octets, not {}", title.size()));
        if (walk.in.ok()) remember_title(walk.session, title);
    } else if (tag == dlms::tag_general_ciphering) {
        const std::size_t begin = walk.here();
        header_lines(walk);
        header = walk.since(begin);
        key = key_information(walk);
    }
    walk.sized(walk.where, [&](Walk& text) { text_lines(text, tag, header, key); });
}

void signed_lines(Walk& walk) {
    walk.where = "general-signing";
    walk.title(walk.here(), "general-signing");
    walk.in.skip(1);
    header_lines(walk);
    const std::size_t content_at = walk.here();
    if (++walk.session.nesting > nesting_max)
        walk.fail(Fault::too_deep, content_at, "more than 16 messages in another");
    walk.sized("general-signing", apdu_lines);
    --walk.session.nesting;
    const std::size_t at = walk.here();
    const Bytes signature = octets_field(walk);
    walk.line(at, "signature of {} octets ({}), not verified here: {}", signature.size(),
              signature.size() == 64   ? "ECDSA P-256"
              : signature.size() == 96 ? "ECDSA P-384"
                                       : "unknown",
              hex_words(signature, 16));
}

}  // namespace wattmesh::decode
