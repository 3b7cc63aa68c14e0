#pragma once
#include "security/call_index.h"
#include "security/vending_keys.h"
#include "security/vending_log.h"

namespace wattmesh::security {

struct SoftwareModuleSettings {
    std::filesystem::path folder;  ///< made if missing: vending.keys, calls.log, log.key
    /// The program runs in production: then vending keys belong into a certified module, and this one does
    /// not start unless `allowed_in_production` says that somebody decided otherwise.
    bool production = false, allowed_in_production = false;
};

/// The vending module in software, for laboratories, demos and small networks of their own: vending keys rest
/// wrapped under a master key (which may be in a PKCS#11 token) and are in memory while it runs. What it made
/// rests in a log that is durable before a token leaves; tokens themselves do not: the same request makes the
/// same digits again.
class SoftwareModule final : public VendingModule {
public:
    /// `master` must outlive it. Throws FileError, and std::runtime_error in production.
    SoftwareModule(const SoftwareModuleSettings& settings, const MasterKey& master, Random& random);

    /// See VendingKeyFile::load. Counters go on.
    void load_key(const VendingKeyTerms& terms, const sts::VendingKey& key, const CheckValue& expected);
    /// See VendingKeyFile::load_from_token.
    void load_token_key(const VendingKeyTerms& terms, const std::string& place, const CheckValue& expected);

    ModuleAnswer issue(const TokenRequest& request, Instant now) override;
    ModuleAnswer change_key(const KeyChangeRequest& request, Instant now) override;
    std::optional<Issued> resolve(const std::string& id) override;
    std::variant<sts::Opening, ModuleRefusal> inspect(const sts::Token& token,
                                                      const MeterKeyName& key) override;
    std::vector<VendingKeyState> keys() override;
    std::vector<ModuleCall> calls_after(std::uint64_t sequence, std::size_t count) override;

    /// A request as a line of the log says it.
    struct Request {
        std::string id;
        MeterKeyName key;
        std::variant<sts::Content, MeterKeyName> wanted;  ///< a token's content, or the new key
    };

private:
    struct Counters {
        std::uint64_t tokens = 0, units = 0, currency = 0;
        std::optional<sts::Tid> highest_tid;
    };
    ModuleAnswer answer(const Request& request, Instant now);
    /// What the key's terms say against it.
    std::optional<ModuleRefusal> objection(const Request& request, Instant now) const;
    std::optional<ModuleRefusal> objection_to_token(const VendingKeyTerms& terms, const sts::Content& content,
                                                    Instant now) const;
    std::optional<ModuleRefusal> objection_to_change(const VendingKeyTerms& terms, const Request& request,
                                                     Instant now) const;
    std::variant<sts::HeldKey, ModuleRefusal> held_key(const MeterKeyName& name);
    std::variant<sts::DecoderKey, ModuleRefusal> decoder_key(const MeterKeyName& name);
    std::variant<std::vector<sts::Token>, ModuleRefusal> tokens_of(const Request& request);
    void count(const Request& request);
    std::uint64_t remember(const std::string& id, std::uint64_t sequence, std::uint64_t place);
    /// The call of this name. `lock` is of the mutex, and held again where there is none: then nobody has
    /// made one meanwhile.
    std::optional<VendingLog::Line> made_before(const std::string& id, std::unique_lock<std::mutex>& lock);
    /// Of a call that is durable.
    Issued issued(const VendingLog::Line& line);

    std::mutex mutex_;
    VendingKeyFile keys_;
    std::map<VendingKeyName, Counters> counters_;
    CallIndex calls_;
    std::vector<std::uint64_t> places_;  ///< of call i + 1
    std::unique_ptr<VendingLog> log_;
};

}  // namespace wattmesh::security
