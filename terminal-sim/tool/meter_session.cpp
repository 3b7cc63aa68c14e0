#include "terminal-sim/tool/meter_session.h"

#include <fmt/format.h>

#include <limits>

#include "protocol/dlms/counter_recovery.h"
#include "protocol/dlms/quirk_names.h"
#include "terminal-sim/meter/access.h"
#include "terminal-sim/meter/audience.h"
#include "terminal-sim/tool/security_options.h"

namespace wattmesh::sim {

using namespace dlms;

namespace {

std::string refusal(const AssociationRefused& refused) {
    if (refused.proof_failed) return "the meter's proof of its key is wrong: check --ek and --ak";
    if (refused.short_names) return "the meter speaks short names, which the tool does not";
    switch (refused.diagnostic) {
        case 2:
            return "the meter does not know this client's way of ciphering; check --client";
        case 11:
        case 12:
            return "the meter wants another authentication; check --client and --authentication";
        case 13:
            return "the meter does not accept the password or key; check --secret, or --ek and --ak";
        default:
            return fmt::format("the meter refuses the association (result {}, diagnostic {})", refused.result,
                               refused.diagnostic);
    }
}

std::string failure(const RequestFailed& failed) {
    if (failed.exception)
        return fmt::format("the meter answers with exception {}/{}", (*failed.exception)[0],
                           (*failed.exception)[1]);
    return fmt::format("the meter's answer is {} at octet {}", to_string(failed.error.fault),
                       failed.error.offset);
}

}  // namespace

/// Lives as long as the session: the meter says where sending goes on.
class MeterSession::Counter final : public CounterStore {
public:
    explicit Counter(std::uint32_t last) : last_(last) {}
    std::optional<std::uint32_t> next() override {
        if (last_ == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
        return ++last_;
    }
    bool accept(std::uint32_t received) override {
        if (received <= last_) return false;
        last_ = received;
        return true;
    }
    void raise(std::uint32_t next) override {
        if (next > last_) last_ = next - 1;
    }

private:
    std::uint32_t last_;
};

MeterSession::MeterSession(BenchCall& call, const Who& who)
    : call_(call),
      send_(std::make_unique<Counter>(0)),
      receive_(std::make_unique<Counter>(0)),
      quirks_(who.quirks) {
    ClientConfig config;
    config.own_title = tool_title;
    config.general_blocks = who.general_blocks;
    config.pdu_size_max = who.pdu_size_max;
    config.quirks = who.quirks;
    const auto authentication = who.authentication();
    if (authentication == cosem::Authentication::high_gmac) {
        recover_counter(who);
        config.ciphered = true;
        config.keys = who.keys;
        who.secure(config, random_);
    } else if (authentication == cosem::Authentication::low) {
        config.mechanism = Mechanism::low;
        config.password = who.password;
    }
    client_ = std::make_unique<Client>(std::move(config), ciphers_, random_, *send_, *receive_);
    call_.use(who.client);
    associate();
}

MeterSession::~MeterSession() = default;

cosem::Authentication MeterSession::Who::authentication() const {
    using cosem::Authentication;
    switch (audience_of(client, *model)) {
        case for_management:
            return Authentication::high_gmac;
        case for_reading:
            return Authentication::low;
        case for_public:
            return Authentication::none;
        default:
            return keys               ? Authentication::high_gmac
                   : password.empty() ? Authentication::none
                                      : Authentication::low;
    }
}

void MeterSession::Who::secure(ClientConfig& config, Random& random) const {
    AccessKeys ends;
    ends.form = form;
    ends.certificates = certificates.get();
    if (form.needs_certificates() && !ends.certify(config.security))
        throw std::runtime_error(
            "the association needs valid certificates of both ends in --pki: see "
            "terminal-sim certificate --help");
    // Agreed keys are derived with both titles, before the meter says its own.
    if (form.needs_certificates())
        config.server_title = certificates->find(true, security::CertificateUse::signature)->title;
    config.mechanism = form.mechanism;
    config.password = hls_secret;
    config.security.suite = suite;
    config.security.random = &random;
    form.apply(config.security);
}

/// The tool remembers no counters: it asks before it is refused.
void MeterSession::recover_counter(const Who& who) {
    AttributeId counter = invocation_counter_of(who.client);
    const auto* named = who.model->find(cosem::Quantity::invocation_counter);
    if (named != nullptr && who.client == who.model->management_client.client) counter.object = named->name;
    CounterRecovery recovery{counter, *send_, ciphers_, random_, quirks_};
    call_.use(who.model->public_client.client);
    recovery.begin();
    while (const auto request = recovery.take_output()) {
        last_answer_ = call_.exchange(*request);
        recovery.receive(last_answer_);
    }
    recovery.abort();
    const auto event = recovery.take_event();
    if (const auto* failed = event ? std::get_if<CounterRecoveryFailed>(&*event) : nullptr)
        throw std::runtime_error(
            with_quirk(fmt::format("{} ({})", to_string(failed->why), to_string(counter.object))));
}

void MeterSession::pump() {
    for (;;) {
        auto request = client_->take_output();
        if (!request && !client_->busy()) return;
        if (!request) {
            hear(call_.receive());  // blocks that stream
            continue;
        }
        for (auto next = client_->take_output(); next; next = client_->take_output()) {
            call_.say(*request);
            request = std::move(next);
        }
        hear(call_.exchange(*request));
    }
}

void MeterSession::hear(Buffer answer) {
    last_answer_ = std::move(answer);
    client_->receive(last_answer_);
}

/// Says which quirk was met, when it was one, and what allows it.
std::string MeterSession::with_quirk(std::string reason) const {
    const auto quirk = quirk_shown(last_answer_, quirks_);
    if (quirk) reason += fmt::format("; the meter shows the quirk {0}, which --quirk {0} allows", *quirk);
    return reason;
}

void MeterSession::associate() {
    client_->associate();
    pump();
    while (auto event = client_->take_event()) {
        if (const auto* refused = std::get_if<AssociationRefused>(&*event))
            throw Refused(with_quirk(refusal(*refused)));
        if (const auto* failed = std::get_if<RequestFailed>(&*event))
            throw std::runtime_error(with_quirk(failure(*failed)));
    }
    if (!client_->associated()) throw std::runtime_error("the meter does not associate");
}

template <class Completed>
Completed MeterSession::outcome() {
    pump();
    while (auto event = client_->take_event()) {
        if (auto* completed = std::get_if<Completed>(&*event)) return std::move(*completed);
        if (const auto* failed = std::get_if<RequestFailed>(&*event))
            throw std::runtime_error(with_quirk(failure(*failed)));
    }
    throw std::runtime_error("the meter does not answer the request");
}

ReadOutcome MeterSession::get(const AttributeId& id, const Selection& selection) {
    client_->get(id, selection);
    return outcome<ReadCompleted>().outcome;
}

std::variant<Buffer, AccessResult> MeterSession::get_octets(const AttributeId& id,
                                                            const Selection& selection) {
    client_->get_octets(id, selection);
    pump();
    while (auto event = client_->take_event()) {
        if (auto* read = std::get_if<OctetsRead>(&*event)) return std::move(read->octets);
        if (const auto* refused = std::get_if<ReadCompleted>(&*event))
            if (const auto* result = std::get_if<AccessResult>(&refused->outcome)) return *result;
        if (const auto* failed = std::get_if<RequestFailed>(&*event))
            throw std::runtime_error(with_quirk(failure(*failed)));
    }
    throw std::runtime_error("the meter does not answer the request");
}

AccessResult MeterSession::set(const AttributeId& id, const Data& value) {
    client_->set(id, value);
    return outcome<WriteCompleted>().result;
}

ActionOutcome MeterSession::act(const MethodId& id, const std::optional<Data>& argument) {
    client_->act(id, argument);
    return outcome<ActionCompleted>().outcome;
}

void MeterSession::release() {
    client_->release();
    pump();
    // The association is over whatever the answer was; what was wrong with it is said all the same.
    if (quirk_shown(last_answer_, quirks_))
        throw std::runtime_error(with_quirk("the meter's answer to the release is malformed"));
}

}  // namespace wattmesh::sim
