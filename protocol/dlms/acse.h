#pragma once
#include <cstdint>
#include <optional>

#include "protocol/base/bytes.h"
#include "protocol/base/id.h"
#include "protocol/base/result.h"
#include "protocol/dlms/hls.h"

/// ACSE APDUs: AARQ 60, AARE 61, RLRQ 62, RLRE 63, in BER. Fields come in a fixed order; context tags that we
/// do not know are skipped. Source: Green Book (DLMS UA 1000-2) ed. 10, 9.4.2 and 9.5.
namespace wattmesh::dlms {

/// Last arc of the application context name 2.16.756.5.8.1.n; other numbers travel too.
enum class ContextName : std::uint8_t {
    logical = 1,
    short_name = 2,
    logical_ciphered = 3,
    short_name_ciphered = 4
};

struct Aarq {
    ContextName context = ContextName::logical;
    std::optional<SystemTitle> calling_title{};
    std::optional<Mechanism> mechanism{};    ///< any octet of 2.16.756.5.8.2.n
    std::optional<Buffer> authentication{};  ///< password or challenge CtoS
    Buffer user_information{};               ///< InitiateRequest, plain or glo-ciphered
    friend bool operator==(const Aarq&, const Aarq&) = default;
};
Buffer encode(const Aarq& aarq);
Result<Aarq> decode_aarq(Bytes bytes);

namespace association_result {
inline constexpr std::uint8_t accepted = 0, rejected_permanent = 1, rejected_transient = 2;
}
/// acse-service-user diagnostics.
namespace diagnostic {
inline constexpr std::uint8_t none = 0, no_reason_given = 1, context_not_supported = 2,
                              mechanism_not_recognised = 11, mechanism_required = 12,
                              authentication_failure = 13, authentication_required = 14;
}

struct Aare {
    ContextName context = ContextName::logical;
    std::uint8_t result = association_result::accepted;
    std::uint8_t diagnostic = diagnostic::none;
    bool diagnostic_of_provider = false;  ///< acse-service-provider (A2) instead of -user (A1)
    std::optional<SystemTitle> responding_title{};
    std::optional<Mechanism> mechanism{};
    std::optional<Buffer> authentication{};  ///< challenge StoC
    Buffer user_information{};  ///< InitiateResponse or confirmedServiceError; may be empty on refusal
    friend bool operator==(const Aare&, const Aare&) = default;
};
Buffer encode(const Aare& aare);
Result<Aare> decode_aare(Bytes bytes);

/// RLRQ and RLRE: reason 0 = normal. Their user-information is skipped. `tolerant` (quirk
/// wrong_release_length) takes one whose length does not fit its content.
struct Release {
    bool response = false;
    std::optional<std::uint8_t> reason{};
    friend bool operator==(const Release&, const Release&) = default;
};
Buffer encode(const Release& release);
Result<Release> decode_release(Bytes bytes, bool tolerant = false);

}  // namespace wattmesh::dlms
