#include "security/transport_key.h"

#include <cassert>
#include <string>

#include "security/openssl_handle.h"
#include "security/private_file.h"

namespace wattmesh::security {
namespace {

enum class Form : std::uint8_t { plain, padded };

EVP_CIPHER* cipher_for(std::size_t key_size, Form form) {
    const std::string name =
        "AES-" + std::to_string(key_size * 8) + (form == Form::padded ? "-WRAP-PAD" : "-WRAP");
    return check(EVP_CIPHER_fetch(nullptr, name.c_str(), nullptr), name.c_str());
}

/// One operation; nothing when unwrapping finds that the octets are not what was wrapped.
std::optional<Buffer> run(Bytes kek, Form form, Bytes in, bool wrapping) {
    const Handle<EVP_CIPHER, EVP_CIPHER_free> cipher{cipher_for(kek.size(), form)};
    const CipherContext context{check(EVP_CIPHER_CTX_new(), "key wrap")};
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    check(EVP_CipherInit_ex(context.get(), cipher.get(), nullptr, kek.data(), nullptr, wrapping ? 1 : 0),
          "key wrap key");
    Buffer out(in.size() + 16);
    int done = 0;
    if (EVP_CipherUpdate(context.get(), out.data(), &done, in.data(), static_cast<int>(in.size())) <= 0) {
        wipe(out);
        openssl_errors();
        return std::nullopt;
    }
    out.resize(static_cast<std::size_t>(done));
    return out;
}

bool is_key_size(std::size_t size) { return size == 16 || size == 32; }

}  // namespace

TransportKey::TransportKey(Bytes key) : key_(key) {
    assert(key.size() == 16 || key.size() == 24 || key.size() == 32);
}

TransportKey TransportKey::open(const std::filesystem::path& file) {
    const SecretBuffer content = read_private_file(file);
    std::string_view text{reinterpret_cast<const char*>(content.reveal().data()), content.reveal().size()};
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    auto octets = text.size() == 32 || text.size() == 48 || text.size() == 64 ? from_hex(text) : std::nullopt;
    const SecretBuffer key{octets ? *std::move(octets) : Buffer{}};
    if (key.reveal().size() * 2 != text.size() || key.empty())
        throw FileError(file.string() +
                        " is not a transport key: it must hold 32, 48 or 64 hexadecimal digits");
    return TransportKey{key.reveal()};
}

Buffer TransportKey::wrap_key(Bytes key) const {
    assert(is_key_size(key.size()));
    return run(key_.reveal(), Form::plain, key, true).value();
}

std::optional<SecretBuffer> TransportKey::unwrap_key(Bytes wrapped) const {
    if (wrapped.size() < 8 || !is_key_size(wrapped.size() - 8)) return std::nullopt;
    auto key = run(key_.reveal(), Form::plain, wrapped, false);
    if (!key) return std::nullopt;
    return SecretBuffer{*std::move(key)};
}

Buffer TransportKey::wrap_secret(Bytes secret) const {
    assert(!secret.empty() && secret.size() <= secret_size_max);
    return run(key_.reveal(), Form::padded, secret, true).value();
}

std::optional<SecretBuffer> TransportKey::unwrap_secret(Bytes wrapped) const {
    if (wrapped.size() < 16 || wrapped.size() > secret_size_max + 8 || wrapped.size() % 8 != 0)
        return std::nullopt;
    auto secret = run(key_.reveal(), Form::padded, wrapped, false);
    if (!secret) return std::nullopt;
    return SecretBuffer{*std::move(secret)};
}

}  // namespace wattmesh::security
