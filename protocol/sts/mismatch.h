#pragma once
#include "protocol/sts/derivation.h"
#include "protocol/sts/opening.h"

namespace wattmesh::sts {

/// Why a checksum failed: the token opens when one thing of the key is another than the record says.
struct Mismatch {
    enum class What : std::uint8_t { tariff_index, revision, key_type, base_date };
    What what{};
    KeyAttributes attributes;  ///< with which it opens
};
/// "tariff index" and so on.
std::string_view to_string(Mismatch::What what);

/// Tries every tariff index, revision, type of key and base date in turn, some 110 keys: one wrong token in
/// 600 finds something by chance, so it is a hint and no proof. `derivation` is the vending key's.
std::optional<Mismatch> find_mismatch(const Token& token, const KeyAttributes& attributes,
                                      Algorithm algorithm, const MeterPan& meter, KeyDerivation& derivation);

}  // namespace wattmesh::sts
