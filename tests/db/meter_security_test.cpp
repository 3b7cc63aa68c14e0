#include "headend/monitor/meter_security.h"

#include <map>

#include "headend/database/meter_certificates.h"
#include "headend/database/shipment_import.h"
#include "headend/monitor/on_demand.h"
#include "protocol/dlms/server.h"
#include "tests/db/key_process.h"

using namespace wattmesh;
using namespace wattmesh::test;
using dlms::Framing;
using dlms::Mechanism;
using security::CertificateUse;

namespace {

using Uses = std::map<CertificateUse, std::shared_ptr<PrivateKey>>;

/// A utility's sub-CA of one suite, the head-end's keys and those of one meter.
struct Pki {
    explicit Pki(int of_suite) : suite(of_suite) {
        for (const auto use : {CertificateUse::signature, CertificateUse::agreement}) {
            ours[use] = certify(own_title, use).first;
            std::tie(meters[use], certificates[use]) = certify(system_title(customer(0)), use);
        }
    }
    std::pair<std::shared_ptr<PrivateKey>, security::DlmsCertificate> certify(const SystemTitle& title,
                                                                              CertificateUse use) const {
        const auto made = security::make_title_request(title, curve);
        auto certificate =
            std::get<security::DlmsCertificate>(authority.sign(made.request_der, title, use, midnight));
        return {security::private_key_from_pem(made.key_pem), std::move(certificate)};
    }
    MeterSecurity::OwnKey own_keys() {
        return [this](int of_suite, CertificateUse use) {
            return of_suite == suite ? ours.at(use) : std::shared_ptr<PrivateKey>{};
        };
    }

    int suite;
    Curve curve = suite == 1 ? Curve::p256 : Curve::p384;
    security::AuthorityFiles root = security::MeterAuthority::create_root("Utility", curve, midnight);
    security::MeterAuthority authority = security::MeterAuthority::open(root.certificate_pem, root.key_pem);
    Uses ours, meters;
    std::map<CertificateUse, security::DlmsCertificate> certificates;
};

/// One register, behind the server of a meter that takes nothing but what its shipment says.
struct ForeignMeter final : dlms::ObjectModel {
    struct Counter final : CounterStore {
        std::optional<std::uint32_t> next() override { return ++sent; }
        bool accept(std::uint32_t received) override {
            return received >= accepted && (accepted = received + 1, true);
        }
        void raise(std::uint32_t) override {}
        std::uint32_t sent = 0, accepted = 0;
    };
    ForeignMeter(const Pki& pki, const dlms::AssociationForm& form, Ciphers& ciphers, Random& random) {
        const std::size_t size = pki.suite == 2 ? 32 : 16;
        dlms::ClientAccess access;
        access.client = management_client;
        access.mechanism = form.mechanism;
        access.ciphered = true;
        access.keys = dlms::ClientKeys{SymmetricKey::from(Buffer(size, 0xA1)).value(),
                                       SymmetricKey::from(Buffer(size, 0xB2)).value(),
                                       {},
                                       SymmetricKey::from(Buffer(size, 0xC3)).value()};
        access.password = to_buffer(as_bytes("not a key"));
        form.apply(access.security);
        access.security.suite = static_cast<dlms::Suite>(pki.suite);
        access.security.mirror = false;
        access.security.random = &random;
        access.security.signing_key = pki.meters.at(CertificateUse::signature);
        access.security.agreement_key = pki.meters.at(CertificateUse::agreement);
        access.security.peer_signing_key = pki.ours.at(CertificateUse::signature)->public_key();
        access.security.peer_agreement_key = pki.ours.at(CertificateUse::agreement)->public_key();
        access.send = &send;
        access.receive = &receive;
        server.emplace(system_title(customer(0)), std::vector{access}, *this, ciphers, random);
    }
    void get(const dlms::AttributeId& id, const dlms::Selection&, Sap, Instant,
             std::function<void(dlms::ReadOutcome)> done) override {
        done(id.attribute == 3 ? dlms::structure({std::int8_t{0}, dlms::Enum{30}})
                               : dlms::Data{std::uint32_t{5009}});
    }
    void set(const dlms::AttributeId&, const dlms::Data&, Sap, Instant,
             std::function<void(dlms::AccessResult)> done) override {
        done(dlms::AccessResult::read_write_denied);
    }
    void act(const dlms::MethodId&, const std::optional<dlms::Data>&, Sap, Instant,
             std::function<void(dlms::ActionOutcome)> done) override {
        done({dlms::AccessResult::read_write_denied, {}});
    }

    Counter send, receive;
    std::optional<dlms::Server> server;
};

/// As a shipment names it.
std::string delivery(int suite, const dlms::AssociationForm& form) {
    const std::size_t size = suite == 2 ? 32 : 16;
    const auto key = [&](std::uint8_t fill) { return to_hex(Buffer(size, fill)); };
    return "number,system_title,model,suite,authentication,framing,signing,ek_management,ak_management,"
           "master_key,ek_reading,ak_reading,join,hls_secret,concentrator\n" +
           to_string(customer(0)) + "," + to_hex(system_title(customer(0)).octets) + ",WM-SIM-3," +
           std::to_string(suite) + "," + std::string{to_string(form.mechanism)} + "," +
           std::string{to_string(form.framing)} + "," + (form.signing ? "yes" : "no") + "," + key(0xA1) +
           "," + key(0xB2) + "," + key(0xC3) + "," + key(1) + "," + key(2) + "," + to_hex(Buffer(16, 3)) +
           ",not a key," + to_string(unit) + "\n";
}

ShipmentReport imported(Town& town, const std::string& text) {
    ShipmentOptions options;
    options.keys.plain = true;
    options.now = options.installed = midnight;
    options.actor = "ada";
    return ShipmentImport{town.admin, master}.run(text, options);
}

/// As in a process: answers come later.
struct Later final : KeyService {
    explicit Later(KeyService& service) : inner(service) {}
    void access(KeyRequest request, std::function<void(KeyAnswer)> done) override {
        jobs.push_back(
            [this, request = std::move(request), done = std::move(done)] { inner.access(request, done); });
    }
    void raise(DeviceNumber meter, const dlms::CounterRaised& counter, const std::string& actor) override {
        inner.raise(meter, counter, actor);
    }
    Carry carry_to(ForeignMeter& meter) {
        return [&](DeviceNumber, DeviceNumber, Sap client, Buffer request, auto done) {
            jobs.push_back([&meter, client, request = std::move(request), done = std::move(done)] {
                headend::frontend::RelayOutcome outcome;
                meter.server->handle(client, request, midnight, [&](Buffer answer) {
                    outcome = {headend::frontend::RelayStatus::answered, std::move(answer)};
                });
                done(outcome);
            });
        };
    }
    void run() {
        for (; !jobs.empty(); jobs.pop_front()) jobs.front()();
    }
    KeyService& inner;
    std::deque<std::function<void()>> jobs;
};

struct Case {
    int suite;
    dlms::AssociationForm form;
};

}  // namespace

TEST_CASE("meter security: every form of association, from the shipment to a value read", "[db]") {
    const auto [suite, form] = GENERATE(Case{0, {Mechanism::high_sha256, Framing::service, false}},
                                        Case{0, {Mechanism::high_gmac, Framing::wrapped_key, false}},
                                        Case{1, {Mechanism::high_gmac, Framing::general, false}},
                                        Case{1, {Mechanism::high_ecdsa, Framing::service, false}},
                                        Case{1, {Mechanism::high_ecdsa, Framing::service, true}},
                                        Case{1, {Mechanism::high_ecdsa, Framing::one_pass_dh, false}},
                                        Case{2, {Mechanism::high_ecdsa, Framing::service, true}},
                                        Case{2, {Mechanism::high_ecdsa, Framing::static_dh, true}});
    CAPTURE(suite, to_string(form.mechanism), to_string(form.framing), form.signing);
    Town town;
    Pki pki{suite == 0 ? 1 : suite};
    pki.suite = suite;
    const auto report = imported(town, delivery(suite, form));
    REQUIRE(report.lines.at(0).why == "changed");
    for (const auto& [use, certificate] : pki.certificates)
        MeterCertificates{town.admin}.put(Meters{town.admin}.find(customer(0)).value().id, certificate,
                                          midnight);
    Process process{town, 3, pki.own_keys()};
    ForeignMeter meter{pki, form, process.ciphers, process.random};
    Later later{process.service};
    OnDemand on_demand{
        {}, later, later.carry_to(meter), [] { return midnight; }, process.ciphers, process.random};
    std::optional<OnDemandResult> got;
    on_demand.read(customer(0), {3, obis::active_import_total, 2},
                   [&](const OnDemandResult& result) { got = result; });
    later.run();
    REQUIRE(got);
    CHECK(got->fault.empty());
    CHECK(got->value.integer() == 5009);
    CHECK(meter.server->counters().not_authentic == 0);
}

TEST_CASE("meter security: without both ends' certificates there is no association, and the fault says so",
          "[db]") {
    Town town;
    Pki pki{1};
    REQUIRE(imported(town, delivery(1, {Mechanism::high_ecdsa, Framing::one_pass_dh, false})).complete());
    const auto id = Meters{town.admin}.find(customer(0)).value().id;
    Process process{town, 3, pki.own_keys()};
    const auto fault = [&](Process& at) {
        const auto answer = at.ask(0, Role::reading);
        const auto* found = std::get_if<KeyFault>(&answer);
        return found ? std::string{to_string(*found)} : "";
    };
    CHECK(fault(process) == "no_certificate");
    MeterCertificates{town.admin}.put(id, pki.certificates.at(CertificateUse::signature), midnight);
    CHECK(fault(process) == "no_certificate");  // for signing only
    MeterCertificates{town.admin}.put(id, pki.certificates.at(CertificateUse::agreement), midnight);
    CHECK(fault(process).empty());
    Process stranger{town};
    CHECK(fault(stranger) == "no_certificate");  // the head-end has no key of its own
    process.now = pki.certificates.at(CertificateUse::agreement).not_after;
    CHECK(fault(process) == "no_certificate");
    // A key with the right to read does not make a certificate in somebody else's name good.
    town.admin.execute("delete from meter_certificate", "losing certificates");
    for (const auto use : {CertificateUse::signature, CertificateUse::agreement})
        MeterCertificates{town.admin}.put(id, pki.certify(system_title(customer(1)), use).second, midnight);
    process.now = midnight;
    CHECK(fault(process) == "no_certificate");
}

TEST_CASE("meter security: a shipment is refused when the suite or its keys do not carry the form", "[db]") {
    Town town;
    const auto refusal = [&](const std::string& text) { return imported(town, text).lines.at(0).why; };
    CHECK(refusal(delivery(0, {Mechanism::high_ecdsa, Framing::service, false})) ==
          "ecdsa needs suite 1 or 2");
    CHECK(refusal(delivery(0, {Mechanism::high_gmac, Framing::service, true})) ==
          "signing needs suite 1 or 2");
    CHECK(refusal(delivery(0, {Mechanism::high_gmac, Framing::static_dh, false})) ==
          "key agreement needs suite 1 or 2");
    const auto without = [](std::string text, const std::string& name, const std::string& value) {
        text.replace(text.find("," + name), name.size() + 1, "");
        text.replace(text.find("," + value), value.size() + 1, "");
        return text;
    };
    CHECK(refusal(without(delivery(0, {Mechanism::high_sha256, Framing::service, false}), "hls_secret",
                          "not a key")) == "its authentication needs field \"hls_secret\"");
    CHECK(refusal(without(delivery(0, {Mechanism::high_gmac, Framing::wrapped_key, false}), "master_key",
                          to_hex(Buffer(16, 0xC3)))) == "its framing needs field \"master_key\"");
    auto text = delivery(0, {});
    text.replace(text.find(",gmac,"), 6, ",telepathy,");
    CHECK_THAT(refusal(text), Catch::Contains("authentication") && Catch::Contains("ecdsa"));
    CHECK(town.value("select count(*) from meter where authentication <> 'gmac'") == 0);
}
