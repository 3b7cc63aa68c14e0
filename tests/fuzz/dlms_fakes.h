#pragma once
#include <algorithm>
#include <optional>

#include "protocol/base/cipher.h"
#include "protocol/dlms/object.h"

/// Ports for the fuzz targets of protocol/dlms: every tag is right, so that the fuzzer gets behind the
/// ciphering.
namespace wattmesh::fuzz {

class OpenAead : public Aead {
public:
    void seal(Bytes, Bytes, std::span<std::uint8_t>, std::span<std::uint8_t> tag) override {
        std::ranges::fill(tag, std::uint8_t{0});
    }
    bool open(Bytes, Bytes, std::span<std::uint8_t>, Bytes) override { return true; }
};
class OpenWrap : public KeyWrap {
public:
    Buffer wrap(Bytes key) override {
        Buffer wrapped(key.size() + 8);
        std::ranges::copy(key, wrapped.begin());
        return wrapped;
    }
    std::optional<Buffer> unwrap(Bytes wrapped) override {
        if (wrapped.size() < 24 || wrapped.size() % 8 != 0) return std::nullopt;
        return to_buffer(wrapped.first(wrapped.size() - 8));
    }
};
class OpenPrivateKey : public PrivateKey {
public:
    explicit OpenPrivateKey(Curve curve) : curve_(curve) {}
    Curve curve() const override { return curve_; }
    Buffer public_key() const override { return Buffer(2 * coordinate_size(curve_)); }
    Buffer sign(Bytes) override { return Buffer(2 * coordinate_size(curve_)); }
    std::optional<Buffer> agree(Bytes peer) override {
        if (peer.size() != 2 * coordinate_size(curve_)) return std::nullopt;
        return Buffer(coordinate_size(curve_));
    }

private:
    Curve curve_;
};
class OpenCiphers : public Ciphers {
public:
    std::unique_ptr<Aead> aead(const SymmetricKey&) override { return std::make_unique<OpenAead>(); }
    std::unique_ptr<Mac> mac(const Key128&) override { return nullptr; }
    std::unique_ptr<KeyWrap> key_wrap(const SymmetricKey&) override { return std::make_unique<OpenWrap>(); }
    Buffer digest(Digest, Bytes) override { return Buffer(32); }
    Buffer encrypt_blocks(const Key128&, Bytes blocks) override { return to_buffer(blocks); }
    bool verify(Curve, Bytes, Bytes, Bytes) override { return true; }
    std::unique_ptr<PrivateKey> private_key(Curve curve, Bytes) override { return generate(curve); }
    std::unique_ptr<PrivateKey> generate(Curve curve) override {
        return std::make_unique<OpenPrivateKey>(curve);
    }
};
class Counting : public Random {
public:
    void fill(std::span<std::uint8_t> out) override {
        for (auto& octet : out) octet = ++last_;
    }

private:
    std::uint8_t last_ = 0;
};
class Counter : public CounterStore {
public:
    std::optional<std::uint32_t> next() override { return ++sent_; }
    bool accept(std::uint32_t) override { return true; }
    void raise(std::uint32_t next) override { sent_ = std::max(sent_, next); }

private:
    std::uint32_t sent_ = 0;
};

/// Takes operations off the fuzzer's octets.
class Script {
public:
    explicit Script(Bytes octets) : octets_(octets) {}
    bool more() const { return !octets_.empty(); }
    std::uint8_t octet() {
        if (octets_.empty()) return 0;
        const std::uint8_t value = octets_.front();
        octets_ = octets_.subspan(1);
        return value;
    }
    /// One octet of length and as many octets; fewer at the end.
    Bytes chunk() {
        const std::size_t size = std::min<std::size_t>(octet(), octets_.size());
        const Bytes chunk = octets_.first(size);
        octets_ = octets_.subspan(size);
        return chunk;
    }

private:
    Bytes octets_;
};

}  // namespace wattmesh::fuzz
