#pragma once
#include <variant>

#include "protocol/sts/ea07.h"
#include "protocol/sts/ea11.h"
#include "protocol/sts/token_time.h"

/// Keys of vending and of meters, and what is said of them in public. Source: IEC 62055-41, 6.1 and 6.5.
namespace wattmesh::sts {

/// A key of one of two lengths, as wary as Secret: no stream or format operator, wiped when it goes. The
/// default is zeros of the short length, which is nobody's key.
template <std::size_t Short, std::size_t Long>
class KeyOctets {
public:
    KeyOctets() = default;
    KeyOctets(const KeyOctets&) = default;
    KeyOctets& operator=(const KeyOctets&) = default;
    ~KeyOctets() {
        volatile std::uint8_t* octet = octets_.data();
        for (std::size_t i = 0; i < Long; ++i) octet[i] = 0;
    }
    /// Nothing unless there are Short or Long octets.
    static std::optional<KeyOctets> from(Bytes bytes) {
        if (bytes.size() != Short && bytes.size() != Long) return std::nullopt;
        KeyOctets key;
        std::copy(bytes.begin(), bytes.end(), key.octets_.begin());
        key.size_ = bytes.size();
        return key;
    }
    Bytes reveal() const { return Bytes{octets_}.first(size_); }
    std::size_t size() const { return size_; }

private:
    std::array<std::uint8_t, Long> octets_{};
    std::size_t size_ = Short;
};
/// Of one meter: 64 bits for EA07, 128 bits for EA11.
using DecoderKey = KeyOctets<8, 16>;
/// Of one supply group and revision: 64 bits for DKGA02, 160 bits for DKGA04.
using VendingKey = KeyOctets<8, 20>;

enum class Algorithm : std::uint8_t { ea07 = 7, ea11 = 11 };
inline Algorithm algorithm_of(const DecoderKey& key) {
    return key.size() == 8 ? Algorithm::ea07 : Algorithm::ea11;
}
/// How decoder keys come from vending keys. 01 and 03 are obsolete: known, and refused.
enum class Derivation : std::uint8_t { dkga01 = 1, dkga02 = 2, dkga03 = 3, dkga04 = 4 };
/// Initialisation (factory), default (takes no credit), unique, common (magnetic cards only).
enum class KeyType : std::uint8_t { initialisation = 0, normal = 1, unique = 2, common = 3 };
/// "initialisation", "default", "unique", "common".
std::string_view to_string(KeyType type);
/// Supply group code: six digits.
using SupplyGroup = Id<struct SupplyGroupTag, std::uint32_t>;
inline constexpr SupplyGroup supply_group_last{999'999};

/// What is said in public of the key that a meter holds, or is to hold.
struct KeyAttributes {
    SupplyGroup supply_group{};
    std::uint8_t revision = 1;  ///< KRN, 1 to 9
    KeyType type = KeyType::unique;
    std::uint8_t tariff_index = 1;  ///< 0 to 99
    KeyExpiry expiry = 255;
    BaseDate base = BaseDate::y1993;
    friend bool operator==(const KeyAttributes&, const KeyAttributes&) = default;
};

/// Enciphers blocks under one meter's key. Making one costs as much as a token; it may be kept. Thread safe.
class BlockCipher {
public:
    explicit BlockCipher(const DecoderKey& key);
    std::uint64_t encrypt(std::uint64_t block) const {
        if (const auto* ea11 = std::get_if<Ea11>(&cipher_)) return ea11->encrypt(block);
        return std::get<Ea07>(cipher_).encrypt(block);
    }
    std::uint64_t decrypt(std::uint64_t block) const {
        if (const auto* ea11 = std::get_if<Ea11>(&cipher_)) return ea11->decrypt(block);
        return std::get<Ea07>(cipher_).decrypt(block);
    }

private:
    std::variant<Ea07, Ea11> cipher_;
};

/// A key in use: its attributes and its cipher.
struct HeldKey {
    KeyAttributes attributes;
    BlockCipher cipher;
};

}  // namespace wattmesh::sts
