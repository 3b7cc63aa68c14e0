#include "security/password.h"

#include <array>
#include <charconv>

#include "security/base64.h"
#include "security/ciphers.h"
#include "security/openssl_handle.h"

namespace wattmesh::security {

namespace {

constexpr std::string_view prefix = "$scrypt$ln=";
constexpr std::uint32_t ln_now = 15, r_now = 8, p_now = 1;
constexpr std::uint64_t memory_max = 300'000'000;
using Derived = std::array<std::uint8_t, 32>;

struct Parameters {
    std::uint32_t ln = ln_now, r = r_now, p = p_now;
    Buffer salt, hash;
};

bool derive(std::string_view password, const Parameters& with, Derived& out) {
    const bool done =
        EVP_PBE_scrypt(password.data(), password.size(), with.salt.data(), with.salt.size(),
                       std::uint64_t{1} << with.ln, with.r, with.p, memory_max, out.data(), out.size()) == 1;
    if (!done) openssl_errors();
    return done;
}

/// Takes a number that ends with `end` off the front of `text`.
bool take_number(std::string_view& text, std::string_view end, std::uint32_t& value) {
    const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    if (text.substr(0, end.size()) != end) return false;
    text.remove_prefix(end.size());
    return true;
}

std::optional<Parameters> parse(std::string_view text) {
    Parameters found;
    if (text.substr(0, prefix.size()) != prefix) return std::nullopt;
    text.remove_prefix(prefix.size());
    const bool numbers = take_number(text, ",r=", found.ln) && take_number(text, ",p=", found.r) &&
                         take_number(text, "$", found.p);
    const auto dollar = text.find('$');
    if (!numbers || dollar == std::string_view::npos) return std::nullopt;
    const auto salt = from_base64(text.substr(0, dollar)), hash = from_base64(text.substr(dollar + 1));
    const bool sane =
        found.ln >= 1 && found.ln <= 18 && found.r >= 1 && found.r <= 8 && found.p >= 1 && found.p <= 4;
    if (!salt || !hash || !sane || hash->size() != Derived{}.size()) return std::nullopt;
    found.salt = *salt;
    found.hash = *hash;
    return found;
}

}  // namespace

std::string hash_password(std::string_view password, Random& random) {
    Parameters with;
    with.salt.resize(16);
    random.fill(with.salt);
    Derived hash{};
    if (!derive(password, with, hash)) throw CryptoError("scrypt");
    return std::string{prefix} + std::to_string(with.ln) + ",r=" + std::to_string(with.r) +
           ",p=" + std::to_string(with.p) + "$" + to_base64(with.salt) + "$" + to_base64(hash);
}

bool verify_password(std::string_view password, const std::optional<std::string>& stored) {
    const auto found = stored ? parse(*stored) : std::nullopt;
    Parameters nobody;
    nobody.salt.resize(16);
    Derived hash{};
    const bool derived = derive(password, found ? *found : nobody, hash);
    return derived && found && equal_constant_time(hash, found->hash);
}

bool password_is_outdated(std::string_view stored) {
    const auto found = parse(stored);
    return !found || found->ln != ln_now || found->r != r_now || found->p != p_now;
}

}  // namespace wattmesh::security
