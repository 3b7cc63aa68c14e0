#pragma once
#include <utility>

#include "protocol/base/bytes.h"
#include "security/ciphers.h"

namespace wattmesh::security {

/// Key material of any length (a private key as PEM, wrapped-key plain text). Has no stream or format
/// operator; wiped when it goes.
class SecretBuffer {
public:
    SecretBuffer() = default;
    explicit SecretBuffer(Buffer octets) : octets_(std::move(octets)) {}
    explicit SecretBuffer(Bytes octets) : octets_(octets.begin(), octets.end()) {}
    SecretBuffer(const SecretBuffer&) = default;
    SecretBuffer(SecretBuffer&& other) noexcept : octets_(std::exchange(other.octets_, {})) {}
    SecretBuffer& operator=(SecretBuffer other) noexcept {
        octets_.swap(other.octets_);
        return *this;
    }
    ~SecretBuffer() { wipe(octets_); }

    Bytes reveal() const { return octets_; }
    bool empty() const { return octets_.empty(); }

private:
    Buffer octets_;
};

}  // namespace wattmesh::security
