#include "protocol/sts/derivation.h"

#include <cassert>

namespace wattmesh::sts {
namespace {

std::uint64_t number(Bytes octets) {
    std::uint64_t value = 0;
    for (const std::uint8_t octet : octets) value = value << 8 | octet;
    return value;
}

/// The decimal digits of `value`, `count` of them.
template <class Put>
void put_digits(std::uint32_t value, std::uint32_t highest, Put put) {
    for (; highest > 0; highest /= 10) put(value / highest % 10);
}

bool valid(const KeyAttributes& attributes) {
    return attributes.supply_group <= supply_group_last && attributes.revision >= 1 &&
           attributes.revision <= 9 && attributes.tariff_index <= 99;
}

/// The 49 octets of the message: four fields of label, three of context, each with its length.
class Message {
public:
    Message& raw(std::uint8_t octet) {
        octets_[size_++] = octet;
        return *this;
    }
    Message& text(std::string_view text) {
        raw(static_cast<std::uint8_t>(text.size()));
        for (const char letter : text) raw(static_cast<std::uint8_t>(letter));
        return *this;
    }
    Message& digits(std::uint32_t value, std::uint32_t highest) {
        const std::size_t length_at = size_++;
        put_digits(value, highest, [&](std::uint32_t digit) { raw(static_cast<std::uint8_t>('0' + digit)); });
        octets_[length_at] = static_cast<std::uint8_t>(size_ - length_at - 1);
        return *this;
    }
    Bytes view() const {
        assert(size_ == octets_.size());
        return octets_;
    }

private:
    std::array<std::uint8_t, 49> octets_{};
    std::size_t size_ = 0;
};

}  // namespace

std::string_view explain(DerivationFault fault) {
    switch (fault) {
        case DerivationFault::obsolete:
            return "key derivation 01 and 03 are obsolete: the meter needs a key of derivation 02 or 04 "
                   "first";
        case DerivationFault::key_size:
            return "derivation 02 takes a vending key of 8 octets, derivation 04 one of 20";
        case DerivationFault::algorithm:
            return "derivation 02 makes keys for encryption algorithm 07 only";
        case DerivationFault::common_key:
            return "common keys are for magnetic cards, not for meters with a keypad";
    }
    return "?";
}

KeyDerivation::KeyDerivation(Derivation derivation, const VendingKey& key, DerivationCiphers& ciphers)
    : derivation_(derivation), key_(key), ciphers_(&ciphers) {
    if (derivation_ == Derivation::dkga04) hash_ = ciphers.hmac_sha256(key.reveal());
}

KeyDerivation::KeyDerivation(std::unique_ptr<KeyedHash> hash)
    : derivation_(Derivation::dkga04), hash_(std::move(hash)) {}

std::variant<DecoderKey, DerivationFault> KeyDerivation::derive(const KeyAttributes& attributes,
                                                                Algorithm algorithm, const MeterPan& meter) {
    assert(valid(attributes));
    if (derivation_ == Derivation::dkga01 || derivation_ == Derivation::dkga03)
        return DerivationFault::obsolete;
    if (key_ && key_->size() != (derivation_ == Derivation::dkga02 ? 8u : 20u))
        return DerivationFault::key_size;
    if (attributes.type == KeyType::common) return DerivationFault::common_key;
    if (derivation_ == Derivation::dkga04) return by_hash(attributes, algorithm, meter);
    if (algorithm != Algorithm::ea07) return DerivationFault::algorithm;
    return by_des(attributes, meter);
}

DecoderKey KeyDerivation::by_des(const KeyAttributes& attributes, const MeterPan& meter) {
    std::uint64_t meter_block = 0, control_block = 0;
    for (const char digit : meter.digits().substr(1, 16))  // without the first digit and the check digit
        meter_block = meter_block << 4 | static_cast<std::uint64_t>(digit - '0');
    const auto append = [&](std::uint64_t digit) { control_block = control_block << 4 | digit; };
    append(static_cast<std::uint64_t>(attributes.type));
    put_digits(attributes.supply_group.value, 100'000, append);
    put_digits(attributes.tariff_index, 10, append);
    append(attributes.revision);
    control_block = control_block << 24 | 0xFFFFFF;
    const std::uint64_t block = meter_block ^ control_block;
    const std::uint64_t key =
        ciphers_->des_encrypt(*Secret<8>::from(key_->reveal()), block) ^ block ^ number(key_->reveal());
    std::array<std::uint8_t, 8> octets{};
    for (unsigned i = 0; i < 8; ++i) octets[i] = static_cast<std::uint8_t>(key >> (56 - 8 * i));
    const Secret<8> wiped{octets};
    octets = {};
    return *DecoderKey::from(wiped.reveal());
}

DecoderKey KeyDerivation::by_hash(const KeyAttributes& attributes, Algorithm algorithm,
                                  const MeterPan& meter) {
    const std::uint8_t size = algorithm == Algorithm::ea07 ? 8 : 16;
    Message message;
    message.raw(4).text("04").text(code_of(attributes.base));
    message.digits(static_cast<std::uint32_t>(algorithm), 10).digits(attributes.tariff_index, 10);
    message.raw(0).raw(4);  // end of the label; the context has its own count
    message.digits(attributes.supply_group.value, 100'000);
    message.digits(static_cast<std::uint32_t>(attributes.type), 1).digits(attributes.revision, 1);
    message.text(meter.digits());
    message.raw(0).raw(0).raw(0).raw(static_cast<std::uint8_t>(size * 8));
    const Secret<32> hash{hash_->compute(message.view())};
    return *DecoderKey::from(hash.reveal().first(size));
}

}  // namespace wattmesh::sts
