#include "protocol/sts/keys.h"

namespace wattmesh::sts {
namespace {

std::variant<Ea07, Ea11> cipher_of(const DecoderKey& key) {
    if (algorithm_of(key) == Algorithm::ea07) return Ea07{*Secret<8>::from(key.reveal())};
    return Ea11{*Key128::from(key.reveal())};
}

}  // namespace

std::string_view to_string(KeyType type) {
    switch (type) {
        case KeyType::initialisation:
            return "initialisation";
        case KeyType::normal:
            return "default";
        case KeyType::unique:
            return "unique";
        case KeyType::common:
            return "common";
    }
    return "?";
}

BlockCipher::BlockCipher(const DecoderKey& key) : cipher_(cipher_of(key)) {}

}  // namespace wattmesh::sts
