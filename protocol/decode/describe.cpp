#include "protocol/decode/describe.h"

#include <algorithm>
#include <utility>

#include "protocol/decode/apdu_lines.h"
#include "protocol/decode/data_lines.h"
#include "protocol/decode/link_lines.h"
#include "protocol/decode/transfer.h"
#include "protocol/decode/words.h"

namespace wattmesh::decode {
namespace {

constexpr std::pair<std::string_view, Form> forms[]{
    {"wrapper", Form::wrapper}, {"hdlc", Form::hdlc}, {"mbus", Form::mbus}, {"llc", Form::llc},
    {"hello", Form::hello},     {"apdu", Form::apdu}, {"data", Form::data}, {"iec104", Form::iec104},
};

/// APDUs that are one block of something may stand one behind another.
bool is_block(Bytes octets) {
    if (octets.empty()) return false;
    if (octets[0] == 0xE0) return true;
    if (octets.size() < 2) return false;
    const std::uint8_t choice = octets[1];
    switch (octets[0]) {
        case 0xC1:
            return choice == 2 || choice == 3 || choice == 5;
        case 0xC3:
            return choice >= 4 && choice <= 6;
        case 0xC4:
        case 0xC7:
            return choice == 2;
        default:
            return false;
    }
}

void apdus(Walk& walk) {
    bool block = true;
    while (walk.in.ok() && block) {
        block = is_block(walk.ahead());
        apdu_lines(walk);
        block = block && is_block(walk.ahead());
    }
}

Report described_as(Form form, const Passage& passage, const DescribeOptions& options,
                    const Keyring& keyring) {
    Report report;
    Session session{report, keyring, options.all};
    const auto walked = [&](const char* name, auto body) {
        Walk walk{session, passage, 0, passage.size(), 0, name};
        body(walk);
        walk.finish();
    };
    switch (form) {
        case Form::wrapper:
            wrapper_lines(session, passage);
            break;
        case Form::hdlc:
            hdlc_lines(session, passage);
            break;
        case Form::mbus:
            mbus_lines(session, passage);
            break;
        case Form::iec104:
            iec104_lines(session, passage);
            break;
        case Form::llc:
            walked("llc", llc_lines);
            break;
        case Form::hello:
            walked("hello", hello_lines);
            break;
        case Form::apdu:
            walked("the APDU", apdus);
            break;
        case Form::data:
            walked("the value", [](Walk& walk) { data_lines(walk, ""); });
            break;
    }
    finish_transfers(session);
    return report;
}

/// What the first octets allow, the likeliest first.
std::vector<Form> forms_of(Bytes octets) {
    if (octets.size() >= 2 && octets[0] == 0x00 && octets[1] == 0x01) return {Form::wrapper};
    if (octets[0] == 0x7E || is_frame_without_flags(octets)) return {Form::hdlc};
    if (octets[0] == 0x68) {
        // M-Bus writes its length twice and the start again; that is no control field of IEC 104 in use.
        const bool mbus = octets.size() > 3 && octets[1] == octets[2] && octets[3] == 0x68;
        return mbus ? std::vector{Form::mbus} : std::vector{Form::iec104, Form::mbus};
    }
    if (is_llc(octets)) return {Form::llc};
    std::vector<Form> possible;
    const bool gateway = octets[0] == 0xE6 || octets[0] == 0xE7;
    if (gateway || !apdu_name(octets[0]).empty()) possible.push_back(Form::apdu);
    if (is_whole_hello(octets)) possible.push_back(Form::hello);
    if (!type_name(octets[0]).empty()) possible.push_back(Form::data);
    return possible;
}

/// How far a decoding got.
std::size_t reached(const Report& report) {
    return report.whole() ? SIZE_MAX : report.findings().front().offset;
}

}  // namespace

std::optional<Form> form_named(std::string_view name) {
    for (const auto& [word, form] : forms)
        if (word == name) return form;
    return std::nullopt;
}

Report describe(Bytes octets, const DescribeOptions& options, const Keyring& keyring) {
    const Passage passage{octets};
    Report best;
    if (octets.empty()) {
        best.fault(passage, 0, 0, Fault::truncated, "the input", "there are no octets");
        return best;
    }
    if (options.form) return described_as(*options.form, passage, options, keyring);
    const auto possible = forms_of(octets);
    if (possible.empty()) {
        best.fault(passage, 0, 0, Fault::bad_tag, "the input",
                   fmt::format("{:02X} begins neither a frame nor an APDU nor a value", octets[0]));
        return best;
    }
    best = described_as(possible.front(), passage, options, keyring);
    for (std::size_t i = 1; i < possible.size() && !best.whole(); ++i) {
        Report other = described_as(possible[i], passage, options, keyring);
        if (reached(other) > reached(best)) best = std::move(other);
    }
    return best;
}

}  // namespace wattmesh::decode
