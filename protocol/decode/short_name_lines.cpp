#include "protocol/decode/apdu_lines.h"
#include "protocol/decode/data_lines.h"
#include "protocol/decode/parts.h"
#include "protocol/decode/printable.h"

// Short-name referencing: what the services look like. Which object a variable belongs to only the meter's
// list of base names tells. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.5; IEC 61334-4-41.
namespace wattmesh::decode {
namespace {

constexpr std::uint8_t tag_read = 0x05, tag_read_response = 0x0C, tag_report = 0x18;

void block_number(Walk& walk, std::size_t at, std::string_view prefix) {
    const bool last = walk.in.u8() != 0;
    const std::uint16_t number = walk.in.u16();
    const std::size_t size = walk.length();
    const Bytes raw = walk.take(size);
    walk.line(at, "{}block {}{}: {}", prefix, number, last ? ", the last" : "", hex_words(raw, 32));
}

/// Variable-Access-Specification.
void variable_line(Walk& walk, std::size_t number) {
    const std::size_t at = walk.here();
    const std::uint8_t choice = walk.in.u8();
    const std::string prefix = fmt::format("{}: ", number);
    switch (choice) {
        case 2: {
            const std::uint16_t name = walk.in.u16();
            return walk.line(at, "{}variable {:04X}", prefix, name);
        }
        case 4: {
            const std::uint16_t name = walk.in.u16();
            const std::uint8_t selector = walk.in.u8();
            walk.title(at, "{}variable {:04X}, selector {}", prefix, name, selector);
            selector_lines(walk, selector);
            --walk.depth;
            return;
        }
        case 5: {
            const std::uint16_t block = walk.in.u16();
            return walk.line(at, "{}block {} has arrived, the next one is asked for", prefix, block);
        }
        case 6:
            return block_number(walk, at, prefix);
        case 7: {
            const bool last = walk.in.u8() != 0;
            const std::uint16_t block = walk.in.u16();
            return walk.line(at, "{}block {}{} is written", prefix, block, last ? ", the last" : "");
        }
        default:
            walk.fail(Fault::bad_tag, at, fmt::format("{:02X} is no variable access specification", choice));
    }
}

void read_answer(Walk& walk, std::size_t number) {
    const std::size_t at = walk.here();
    const std::uint8_t choice = walk.in.u8();
    const std::string prefix = fmt::format("{}: ", number);
    if (choice == 0) {
        data_lines(walk, prefix);
    } else if (choice == 1) {
        const std::uint8_t result = walk.in.u8();
        walk.line(at, "{}result {}", prefix, result_words(result));
    } else if (choice == 2) {
        block_number(walk, at, prefix);
    } else if (choice == 3) {
        const std::uint16_t block = walk.in.u16();
        walk.line(at, "{}block {} has arrived", prefix, block);
    } else {
        walk.fail(Fault::bad_tag, at, fmt::format("{:02X} is no answer to a read (00 to 03)", choice));
    }
}

void write_answer(Walk& walk, std::size_t number) {
    const std::size_t at = walk.here();
    const std::uint8_t choice = walk.in.u8();
    if (choice == 0) {
        walk.line(at, "{}: success", number);
    } else if (choice == 1) {
        const std::uint8_t result = walk.in.u8();
        walk.line(at, "{}: result {}", number, result_words(result));
    } else if (choice == 2) {
        const std::uint16_t block = walk.in.u16();
        walk.line(at, "{}: block {} has arrived", number, block);
    } else {
        walk.fail(Fault::bad_tag, at, fmt::format("{:02X} is no answer to a write (00 to 02)", choice));
    }
}

}  // namespace

void short_name_request_lines(Walk& walk) {
    const std::size_t at = walk.here();
    const std::uint8_t tag = walk.in.u8();
    walk.where = apdu_name(tag);
    walk.title(at, "{} (short names)", walk.where);
    if (tag == tag_report && read_presence(walk, "time")) {
        const std::size_t time_at = walk.here();
        const Bytes time = walk.take(walk.length());
        walk.line(time_at, "time \"{}\"", printable(time));
    }
    sequence_lines(walk, "variables", [&](std::size_t i) { variable_line(walk, i); });
    if (tag != tag_read) data_sequence_lines(walk, "values");
}

void short_name_response_lines(Walk& walk) {
    const std::size_t at = walk.here();
    const std::uint8_t tag = walk.in.u8();
    walk.where = apdu_name(tag);
    walk.title(at, "{} (short names)", walk.where);
    sequence_lines(walk, "answers", [&](std::size_t i) {
        if (tag == tag_read_response)
            read_answer(walk, i);
        else
            write_answer(walk, i);
    });
}

}  // namespace wattmesh::decode
