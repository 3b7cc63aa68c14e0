#pragma once
#include <memory>
#include <stdexcept>

#include "protocol/cosem/models/models.h"
#include "protocol/dlms/association_form.h"
#include "protocol/dlms/client.h"
#include "security/certificate_folder.h"
#include "terminal-sim/tool/bench_call.h"

namespace wattmesh::sim {

/// One DLMS association with a meter on TCP, call by call. Throws std::runtime_error with the reason in
/// words.
class MeterSession {
public:
    struct Who {
        Sap client = public_client;
        Buffer password;                       ///< LLS
        std::optional<dlms::ClientKeys> keys;  ///< HLS-GMAC
        bool general_blocks = false;           ///< proposes general block transfer
        std::uint16_t pdu_size_max = 0xFFFF;   ///< largest APDU we take; longer answers come in blocks
        /// Which clients the meter knows, and what its invocation counter is called.
        const cosem::MeterModel* model = &cosem::models::generic;
        dlms::Quirks quirks{};  ///< that are borne with
        /// Of the management client, beside its keys.
        dlms::Suite suite = dlms::Suite::zero;
        dlms::AssociationForm form{};
        Buffer hls_secret{};
        /// Our static keys and the meter's certificates; needed where the form needs them.
        std::shared_ptr<const security::CertificateFolder> certificates{};

        /// The model's where it knows the client; for others whatever the keys and passwords are for.
        cosem::Authentication authentication() const;
        /// Sets how the management client proves and protects. Throws when certificates are missing.
        void secure(dlms::ClientConfig& config, Random& random) const;
    };
    /// The meter answered, and does not let this client in.
    struct Refused : std::runtime_error {
        using std::runtime_error::runtime_error;
    };
    /// Associates; Refused says why not. With HLS-GMAC the counter to go on with is asked as the model's
    /// public client first.
    MeterSession(BenchCall& call, const Who& who);
    ~MeterSession();

    dlms::ReadOutcome get(const dlms::AttributeId& id, const dlms::Selection& selection = {});
    /// The value's octets as they came, not decoded; or why there are none.
    std::variant<Buffer, dlms::AccessResult> get_octets(const dlms::AttributeId& id,
                                                        const dlms::Selection& selection);
    const dlms::Quirks& quirks() const { return quirks_; }
    dlms::AccessResult set(const dlms::AttributeId& id, const dlms::Data& value);
    dlms::ActionOutcome act(const dlms::MethodId& id, const std::optional<dlms::Data>& argument);
    void release();

private:
    class Counter;
    void recover_counter(const Who& who);
    void associate();
    void pump();
    void hear(Buffer answer);
    std::string with_quirk(std::string reason) const;
    template <class Completed>
    Completed outcome();

    BenchCall& call_;
    security::OpensslCiphers ciphers_;
    security::SystemRandom random_;
    std::unique_ptr<Counter> send_, receive_;
    std::unique_ptr<dlms::Client> client_;
    dlms::Quirks quirks_;
    Buffer last_answer_;  ///< for why it was refused
};

}  // namespace wattmesh::sim
