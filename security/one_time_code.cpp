#include "security/one_time_code.h"

namespace wattmesh::security {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t secret_octets = 10, secret_length = 16, fingerprint_octets = 8;

std::string to_base32(Bytes bytes) {
    std::string text;
    unsigned window = 0;
    int bits = 0;
    for (const auto octet : bytes) {
        window = window << 8 | octet;
        for (bits += 8; bits >= 5; bits -= 5) text += alphabet[window >> (bits - 5) & 31];
    }
    return text;
}

char canonical(char c) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == '0') return 'O';
    if (c == '1') return 'I';
    if (c == '8') return 'B';
    return c;
}

}  // namespace

std::string OneTimeCode::text() const { return "WM1-" + secret + "-" + to_hex(ca_fingerprint); }

OneTimeCode make_one_time_code(Random& random, Bytes ca_certificate_der) {
    std::array<std::uint8_t, secret_octets> octets{};
    random.fill(octets);
    const auto print = fingerprint(ca_certificate_der);
    OneTimeCode code{.secret = to_base32(octets),
                     .ca_fingerprint = {print.begin(), print.begin() + fingerprint_octets}};
    wipe(octets);
    return code;
}

std::optional<OneTimeCode> parse_one_time_code(std::string_view text) {
    while (!text.empty() && std::string_view{" \t\r\n"}.find(text.front()) != std::string_view::npos)
        text.remove_prefix(1);
    while (!text.empty() && std::string_view{" \t\r\n"}.find(text.back()) != std::string_view::npos)
        text.remove_suffix(1);
    constexpr std::size_t size = 4 + secret_length + 1 + 2 * fingerprint_octets;
    if (text.size() != size || text[3] != '-' || text[4 + secret_length] != '-') return std::nullopt;
    if ((text[0] != 'W' && text[0] != 'w') || (text[1] != 'M' && text[1] != 'm') || text[2] != '1')
        return std::nullopt;
    OneTimeCode code;
    for (const char c : text.substr(4, secret_length)) {
        code.secret += canonical(c);
        if (alphabet.find(code.secret.back()) == std::string_view::npos) return std::nullopt;
    }
    const auto print = from_hex(text.substr(5 + secret_length));
    if (!print || print->size() != fingerprint_octets) return std::nullopt;
    code.ca_fingerprint = *print;
    return code;
}

std::string one_time_code_hash(const OneTimeCode& code, const DeviceNumber& number) {
    return to_hex(sha256(as_bytes("wattmesh enrolment 1: " + to_string(number) + " " + code.secret)));
}

bool one_time_code_matches(const OneTimeCode& code, const DeviceNumber& number,
                           std::string_view stored_hash) {
    return equal_constant_time(as_bytes(one_time_code_hash(code, number)), as_bytes(stored_hash));
}

}  // namespace wattmesh::security
