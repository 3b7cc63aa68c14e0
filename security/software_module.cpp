#include "security/software_module.h"

#include <sys/stat.h>

#include <cassert>
#include <cerrno>
#include <system_error>

#include "security/vending_request.h"

namespace wattmesh::security {
namespace {

using namespace sts;

constexpr std::string_view log_key_purpose = "sts module log";

std::filesystem::path prepared(const SoftwareModuleSettings& settings) {
    if (settings.production && !settings.allowed_in_production) {
        throw std::runtime_error(
            "the software vending module does not start in production: vending keys belong into a certified "
            "security module; whoever accepts that they are in this computer's memory says so in the "
            "settings");
    }
    if (::mkdir(settings.folder.c_str(), 0700) != 0 && errno != EEXIST)
        throw FileError("cannot create " + settings.folder.string() + ": " +
                        std::generic_category().message(errno));
    return settings.folder;
}

SecretBuffer log_key(const std::filesystem::path& folder, const MasterKey& master, Random& random) {
    const auto file = folder / "log.key";
    if (!std::filesystem::exists(file)) {
        if (std::filesystem::exists(folder / "calls.log"))
            throw FileError(file.string() + " is missing, but there is a log: restore both together");
        const auto fresh = random_secret<32>(random);
        create_private_file(file, master.wrap(log_key_purpose, fresh.reveal()));
    }
    auto key = master.unwrap(log_key_purpose, read_private_file(file, 256).reveal());
    if (!key) throw FileError(file.string() + " belongs to another master key");
    return *std::move(key);
}

}  // namespace

SoftwareModule::SoftwareModule(const SoftwareModuleSettings& settings, const MasterKey& master,
                               Random& random)
    : keys_(prepared(settings) / "vending.keys", master) {
    const SecretBuffer key = log_key(settings.folder, master, random);
    const auto file = settings.folder / "calls.log";
    log_ = std::make_unique<VendingLog>(
        file, key.reveal(), [&](const VendingLog::Line& line, std::uint64_t place) {
            const auto request = parse_request(line.text);
            if (!request)
                throw FileError(file.string() + ": call " + std::to_string(line.sequence) + " is none");
            count(*request);
            remember(request->id, line.sequence, place);
        });
}

void SoftwareModule::load_key(const VendingKeyTerms& terms, const VendingKey& key,
                              const CheckValue& expected) {
    const std::lock_guard lock{mutex_};
    keys_.load(terms, key, expected);
}

void SoftwareModule::load_token_key(const VendingKeyTerms& terms, const std::string& place,
                                    const CheckValue& expected) {
    const std::lock_guard lock{mutex_};
    keys_.load_from_token(terms, place, expected);
}

std::uint64_t SoftwareModule::remember(const std::string& id, std::uint64_t sequence, std::uint64_t place) {
    assert(places_.size() + 1 == sequence);
    places_.push_back(place);
    calls_.add(CallIndex::hash_of(id), sequence);
    return sequence;
}

std::optional<VendingLog::Line> SoftwareModule::made_before(const std::string& id,
                                                            std::unique_lock<std::mutex>& lock) {
    const auto hash = CallIndex::hash_of(id);
    for (auto sequence = calls_.next(hash, 0); sequence; sequence = calls_.next(hash, *sequence)) {
        const auto place = places_[*sequence - 1];
        lock.unlock();
        log_->wait_durable(*sequence);
        auto line = log_->read(place);
        const auto request = parse_request(line.text);
        assert(request);
        if (request->id == id) return line;
        lock.lock();
    }
    return std::nullopt;
}

void SoftwareModule::count(const Request& request) {
    Counters& counters = counters_[request.key.vending_key];
    ++counters.tokens;
    const auto* content = std::get_if<Content>(&request.wanted);
    if (content == nullptr) return;
    const auto value = value_of(*content);
    assert(value);
    counters.units += value->units;
    counters.currency += value->currency;
    const auto tid = tid_of(*content);
    if (tid && (!counters.highest_tid || *tid > *counters.highest_tid)) counters.highest_tid = tid;
}

std::variant<DecoderKey, ModuleRefusal> SoftwareModule::decoder_key(const MeterKeyName& name) {
    const auto* entry = keys_.find(name.vending_key);
    if (entry == nullptr) return ModuleRefusal::unknown_key;
    const KeyAttributes attributes{
        name.vending_key.supply_group, name.vending_key.revision, entry->terms.type, name.tariff_index,
        entry->terms.expiry,           entry->terms.base};
    auto derived = entry->derivation->derive(attributes, name.algorithm, name.meter);
    if (!std::holds_alternative<DecoderKey>(derived)) return ModuleRefusal::not_derivable;
    return std::get<DecoderKey>(derived);
}

std::variant<HeldKey, ModuleRefusal> SoftwareModule::held_key(const MeterKeyName& name) {
    const auto key = decoder_key(name);
    if (const auto* refusal = std::get_if<ModuleRefusal>(&key)) return *refusal;
    const VendingKeyTerms& terms = keys_.find(name.vending_key)->terms;
    return HeldKey{{name.vending_key.supply_group, name.vending_key.revision, terms.type, name.tariff_index,
                    terms.expiry, terms.base},
                   BlockCipher{std::get<DecoderKey>(key)}};
}

std::variant<std::vector<Token>, ModuleRefusal> SoftwareModule::tokens_of(const Request& request) {
    const auto held = held_key(request.key);
    if (const auto* refusal = std::get_if<ModuleRefusal>(&held)) return *refusal;
    const BlockCipher& cipher = std::get<HeldKey>(held).cipher;
    if (const auto* content = std::get_if<Content>(&request.wanted))
        return std::vector<Token>{seal(*content, cipher)};
    const auto& to = std::get<MeterKeyName>(request.wanted);
    const auto key = decoder_key(to);
    const auto described = held_key(to);
    if (const auto* refusal = std::get_if<ModuleRefusal>(&key)) return *refusal;
    const KeyAttributes& attributes = std::get<HeldKey>(described).attributes;
    const bool rollover = attributes.base != std::get<HeldKey>(held).attributes.base;
    std::vector<Token> tokens;
    for (const KeySection& section : sts::key_change(attributes, std::get<DecoderKey>(key), rollover))
        tokens.push_back(seal(section, cipher));
    return tokens;
}

std::optional<ModuleRefusal> SoftwareModule::objection_to_token(const VendingKeyTerms& terms,
                                                                const Content& content, Instant now) const {
    if (now < terms.active_from) return ModuleRefusal::not_active;
    if (now >= terms.issued_until) return ModuleRefusal::issuing_ended;
    const bool credit = class_of(content) == TokenClass::credit;
    if (credit ? !terms.credit : !terms.management) return ModuleRefusal::function;
    if (credit && terms.type == KeyType::normal) return ModuleRefusal::key_type;
    const auto tid = tid_of(content);
    if (!tid || !serves(terms.expiry, *tid)) return ModuleRefusal::key_expired;
    const auto value = value_of(content);
    const auto found = counters_.find(terms.name);
    const Counters used = found == counters_.end() ? Counters{} : found->second;
    const auto exceeds = [](std::uint64_t spent, std::uint64_t more, std::uint64_t limit) {
        return more > 0 && (spent > limit || more > limit - spent);
    };
    if (!value || exceeds(used.units, value->units, terms.units_limit) ||
        exceeds(used.currency, value->currency, terms.currency_limit))
        return ModuleRefusal::limit_reached;
    return std::nullopt;
}

/// The old key may be expired, or no longer be issued: so a meter gets away from it.
std::optional<ModuleRefusal> SoftwareModule::objection_to_change(const VendingKeyTerms& terms,
                                                                 const Request& request, Instant now) const {
    const auto& to = std::get<MeterKeyName>(request.wanted);
    if (to.meter != request.key.meter || to.algorithm != request.key.algorithm)
        return ModuleRefusal::bad_request;
    const auto* entry = keys_.find(to.vending_key);
    if (entry == nullptr) return ModuleRefusal::unknown_key;
    if (!terms.key_change || !entry->terms.key_change) return ModuleRefusal::function;
    if (now < entry->terms.active_from) return ModuleRefusal::not_active;
    if (now >= entry->terms.issued_until) return ModuleRefusal::issuing_ended;
    if (!may_change(terms.type, entry->terms.type)) return ModuleRefusal::key_type;
    const auto present = tid_at(entry->terms.base, now);
    if (!present || !serves(entry->terms.expiry, *present)) return ModuleRefusal::key_expired;
    return std::nullopt;
}

std::optional<ModuleRefusal> SoftwareModule::objection(const Request& request, Instant now) const {
    const auto* entry = keys_.find(request.key.vending_key);
    if (entry == nullptr) return ModuleRefusal::unknown_key;
    if (const auto* content = std::get_if<Content>(&request.wanted))
        return objection_to_token(entry->terms, *content, now);
    return objection_to_change(entry->terms, request, now);
}

ModuleAnswer SoftwareModule::answer(const Request& request, Instant now) {
    const std::string text = text_of(request);
    std::unique_lock lock{mutex_};
    if (const auto before = made_before(request.id, lock)) {
        if (before->text != text) return ModuleRefusal::conflict;
        return issued(*before);
    }
    if (const auto against = objection(request, now)) return *against;
    auto tokens = tokens_of(request);
    if (const auto* refusal = std::get_if<ModuleRefusal>(&tokens)) return *refusal;
    Issued made{0, now, std::get<std::vector<Token>>(std::move(tokens)),
                keys_.find(request.key.vending_key)->check_value};
    const auto appended = log_->append(now, text);
    count(request);
    made.sequence = remember(request.id, appended.sequence, appended.place);
    lock.unlock();
    log_->wait_durable(made.sequence);
    return made;
}

ModuleAnswer SoftwareModule::issue(const TokenRequest& request, Instant now) {
    if (!is_request_id(request.id) || !is_issuable(request.content) || request.key.tariff_index > 99)
        return ModuleRefusal::bad_request;
    return answer({request.id, request.key, request.content}, now);
}

ModuleAnswer SoftwareModule::change_key(const KeyChangeRequest& request, Instant now) {
    if (!is_request_id(request.id) || request.from.tariff_index > 99 || request.to.tariff_index > 99)
        return ModuleRefusal::bad_request;
    return answer({request.id, request.from, request.to}, now);
}

Issued SoftwareModule::issued(const VendingLog::Line& line) {
    const auto request = parse_request(line.text);
    assert(request);
    const std::lock_guard lock{mutex_};
    auto tokens = tokens_of(*request);
    if (!std::holds_alternative<std::vector<Token>>(tokens))
        throw VendingKeyError("call " + std::to_string(line.sequence) + " was made with vending key " +
                              to_string(request->key.vending_key) + ", which is no longer in the module");
    return {line.sequence, line.at, std::get<std::vector<Token>>(std::move(tokens)),
            keys_.find(request->key.vending_key)->check_value};
}

std::optional<Issued> SoftwareModule::resolve(const std::string& id) {
    std::unique_lock lock{mutex_};
    const auto before = made_before(id, lock);
    if (!before) return std::nullopt;
    return issued(*before);
}

std::variant<Opening, ModuleRefusal> SoftwareModule::inspect(const Token& token, const MeterKeyName& key) {
    const std::lock_guard lock{mutex_};
    const auto held = held_key(key);
    if (const auto* refusal = std::get_if<ModuleRefusal>(&held)) return *refusal;
    return open(token, &std::get<HeldKey>(held));
}

std::vector<VendingKeyState> SoftwareModule::keys() {
    const std::lock_guard lock{mutex_};
    std::vector<VendingKeyState> states;
    for (const auto& [name, entry] : keys_.entries()) {
        const auto found = counters_.find(name);
        const Counters used = found == counters_.end() ? Counters{} : found->second;
        states.push_back(
            {entry.terms, entry.check_value, used.tokens, used.units, used.currency, used.highest_tid});
    }
    return states;
}

std::vector<ModuleCall> SoftwareModule::calls_after(std::uint64_t sequence, std::size_t count) {
    std::unique_lock lock{mutex_};
    const std::uint64_t last = places_.size();
    if (sequence >= last) return {};
    const auto first = places_.begin() + static_cast<std::ptrdiff_t>(sequence);
    const std::vector<std::uint64_t> places(
        first, first + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(count, last - sequence)));
    lock.unlock();
    log_->wait_durable(sequence + places.size());
    std::vector<ModuleCall> calls;
    for (const std::uint64_t place : places) {
        const auto line = log_->read(place);
        const auto request = parse_request(line.text);
        assert(request);
        ModuleCall call{line.sequence, line.at, request->id, request->key, std::nullopt};
        if (const auto* content = std::get_if<Content>(&request->wanted)) {
            const Value value = value_of(*content).value();
            call.tid = tid_of(*content);
            call.units = value.units;
            call.currency = value.currency;
        }
        calls.push_back(std::move(call));
    }
    return calls;
}

}  // namespace wattmesh::security
