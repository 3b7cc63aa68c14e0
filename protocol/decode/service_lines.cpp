#include "protocol/decode/apdu_lines.h"
#include "protocol/decode/data_lines.h"
#include "protocol/decode/parts.h"
#include "protocol/decode/transfer.h"

// GET, SET and ACTION. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.3.6 to 9.3.8 and 9.5.
namespace wattmesh::decode {
namespace {

/// Selective-Access-Descriptor and its presence octet.
void selection_lines(Walk& walk) {
    const std::size_t at = walk.here();
    if (!read_presence(walk, "access selection")) return;
    const std::uint8_t selector = walk.in.u8();
    walk.title(at, "selector {}{}", selector, selector == 1 ? " by range" : selector == 2 ? " by entry" : "");
    selector_lines(walk, selector);
    --walk.depth;
}

std::string attribute_line(Walk& walk, const std::string& prefix = {}) {
    const std::size_t at = walk.here();
    const std::string words = read_attribute(walk);
    walk.line(at, "{}{}", prefix, words);
    ++walk.depth;
    selection_lines(walk);
    --walk.depth;
    return words;
}

void method_line(Walk& walk, const std::string& prefix = {}) {
    const std::size_t at = walk.here();
    const std::string words = read_method(walk);
    walk.line(at, "{}{}", prefix, words);
}

std::size_t attribute_list(Walk& walk) {
    return sequence_lines(walk, "attributes",
                          [&](std::size_t i) { attribute_line(walk, fmt::format("{}: ", i)); });
}
std::size_t method_list(Walk& walk) {
    return sequence_lines(walk, "methods", [&](std::size_t i) { method_line(walk, fmt::format("{}: ", i)); });
}

void block_number_line(Walk& walk, std::string_view words) {
    const std::size_t at = walk.here();
    const std::uint32_t number = walk.in.u32();
    walk.line(at, "block {}{}", number, words);
}

/// DataBlock-SA, or DataBlock-G with a result in place of octets.
void block_lines(Walk& walk, Content content, bool may_fail) {
    const std::size_t at = walk.here();
    const bool last = walk.in.u8() != 0;
    const std::uint32_t number = walk.in.u32();
    const std::string words = fmt::format("block {}{}", number, last ? ", the last" : ", more follow");
    if (may_fail) {
        const std::size_t choice_at = walk.here();
        const std::uint8_t choice = walk.in.u8();
        if (choice == 1) {
            const std::uint8_t result = walk.in.u8();
            return walk.line(at, "{}: result {}", words, result_words(result));
        }
        if (choice > 1) walk.fail(Fault::bad_tag, choice_at, "a block is raw data (00) or a result (01)");
    }
    const std::size_t size = walk.length();
    walk.line(at, "{}, {} octets", words, size);
    add_part_of(walk, content, number, last, size);
}

void result_line(Walk& walk, const std::string& prefix) {
    const std::size_t at = walk.here();
    const std::uint8_t result = walk.in.u8();
    walk.line(at, "{}result {}", prefix, result_words(result));
}

}  // namespace

void read_result_lines(Walk& walk, const std::string& prefix) {
    const std::size_t at = walk.here();
    const std::uint8_t choice = walk.in.u8();
    if (choice == 0)
        data_lines(walk, prefix.empty() ? "value " : prefix);
    else if (choice == 1)
        result_line(walk, prefix);
    else
        walk.fail(Fault::bad_tag, at, fmt::format("{:02X} is neither data (00) nor a result (01)", choice));
}

void action_result_lines(Walk& walk, const std::string& prefix) {
    result_line(walk, prefix);
    ++walk.depth;
    if (read_presence(walk, "return parameters")) read_result_lines(walk, "returned ");
    --walk.depth;
}

void get_request_lines(Walk& walk) {
    const auto choice = service_title(walk, "get-request", {"normal", "next", "with-list"});
    if (choice == 1) walk.session.asked[walk.invoke] = attribute_line(walk);
    if (choice == 2) block_number_line(walk, " has arrived, the next one is asked for");
    if (choice == 3) attribute_list(walk);
}

void set_request_lines(Walk& walk) {
    const auto choice = service_title(
        walk, "set-request",
        {"normal", "with-first-datablock", "with-datablock", "with-list", "with-list-and-first-datablock"});
    if (choice == 1 || choice == 2) attribute_line(walk);
    const std::size_t named = choice == 4 || choice == 5 ? attribute_list(walk) : 0;
    if (choice == 1) data_lines(walk, "value ");
    if (choice == 4) data_sequence_lines(walk, "values", named);
    if (choice == 2 || choice == 3 || choice == 5) block_lines(walk, Content::value, false);
}

void action_request_lines(Walk& walk) {
    const auto choice = service_title(walk, "action-request",
                                      {"normal", "next-pblock", "with-list", "with-first-pblock",
                                       "with-list-and-first-pblock", "with-pblock"});
    if (choice == 1) {
        method_line(walk);
        if (read_presence(walk, "method invocation parameters")) data_lines(walk, "parameters ");
    }
    if (choice == 2) block_number_line(walk, " has arrived, the next one is asked for");
    const std::size_t named = choice == 3 || choice == 5 ? method_list(walk) : 0;
    if (choice == 3) data_sequence_lines(walk, "parameters", named);
    if (choice == 4) method_line(walk);
    if (choice >= 4) block_lines(walk, Content::value, false);
}

void get_response_lines(Walk& walk) {
    const auto choice = service_title(walk, "get-response", {"normal", "with-datablock", "with-list"});
    const auto asked = walk.session.asked.find(walk.invoke);
    if (choice != 0 && choice != 3 && asked != walk.session.asked.end())
        walk.line(walk.here(), "of {}", asked->second);
    if (choice == 1) read_result_lines(walk, "");
    if (choice == 2) block_lines(walk, Content::value, true);
    if (choice == 3)
        sequence_lines(walk, "results",
                       [&](std::size_t i) { read_result_lines(walk, fmt::format("{}: ", i)); });
}

void set_response_lines(Walk& walk) {
    const auto choice =
        service_title(walk, "set-response",
                      {"normal", "datablock", "last-datablock", "last-datablock-with-list", "with-list"});
    const auto results = [&] {
        sequence_lines(walk, "results", [&](std::size_t i) { result_line(walk, fmt::format("{}: ", i)); });
    };
    if (choice == 1 || choice == 3) result_line(walk, "");
    if (choice == 4 || choice == 5) results();
    if (choice == 2 || choice == 3 || choice == 4) block_number_line(walk, " has arrived");
}

void action_response_lines(Walk& walk) {
    const auto choice =
        service_title(walk, "action-response", {"normal", "with-pblock", "with-list", "next-pblock"});
    if (choice == 1) action_result_lines(walk, "");
    if (choice == 2) block_lines(walk, Content::action_result, false);
    if (choice == 3)
        sequence_lines(walk, "results",
                       [&](std::size_t i) { action_result_lines(walk, fmt::format("{}: ", i)); });
    if (choice == 4) block_number_line(walk, " has arrived, the next one is asked for");
}

}  // namespace wattmesh::decode
