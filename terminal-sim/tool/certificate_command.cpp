#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "protocol/cosem/security_setup.h"
#include "security/private_file.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/data_text.h"
#include "terminal-sim/tool/running.h"
#include "terminal-sim/tool/security_options.h"
#include "terminal-sim/tool/session_options.h"

namespace wattmesh::sim {
namespace {

using namespace cosem::security_setup;
using platform::SettingsError;
using security::CertificateUse;
using Path = std::filesystem::path;

constexpr std::size_t file_size_max = 65'536;

/// Certificates are no secrets: anybody may read their files.
std::string text_of(const Path& file) {
    std::ifstream in{file, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (!in || text.empty()) throw std::runtime_error(file.string() + ": cannot be read");
    if (text.size() > file_size_max) throw std::runtime_error(file.string() + ": is too large");
    return text;
}

std::string text_of(const Buffer& octets) { return {octets.begin(), octets.end()}; }

CertificateUse use_of(const platform::Settings& settings) {
    const auto word = settings.required<std::string>("use");
    if (word == "signature") return CertificateUse::signature;
    if (word == "agreement") return CertificateUse::agreement;
    throw SettingsError("--use " + word + ": is neither signature nor agreement");
}

CertificateType type_of(CertificateUse use) {
    return use == CertificateUse::signature ? CertificateType::digital_signature
                                            : CertificateType::key_agreement;
}

Path only_file(const Call& call) {
    if (call.words.size() != 2)
        throw SettingsError("say one file behind `certificate " + call.words[0] + "`");
    return call.words[1];
}

security::CertificateFolder folder_of(const platform::Settings& settings) {
    const auto suite = settings.required_in<int>("suite", 1, 2);
    const auto clock = clock_of(settings);
    return {settings.required<Path>("pki"), tool_title, dlms::curve_of(static_cast<dlms::Suite>(suite)),
            [clock] { return clock->now(); }};
}

int own(const Call& call) {
    auto folder = folder_of(call.settings);
    const auto use = use_of(call.settings);
    folder.generate(use);
    std::fputs(folder.request(use)->request_pem.c_str(), stdout);
    return 0;
}

int keep(const Call& call) {
    auto folder = folder_of(call.settings);
    const Path file = only_file(call);
    const auto why = folder.import(as_bytes(text_of(file)));
    if (!why.empty()) throw std::runtime_error(file.string() + ": is refused: " + why);
    return 0;
}

int trust(const Call& call) {
    const Path folder = call.settings.required<Path>("pki"), roots = folder / "trust.pem";
    std::filesystem::create_directories(folder);
    const auto known = std::filesystem::exists(roots) ? text_of(roots) : std::string{};
    const auto text = known + text_of(only_file(call));
    static_cast<void>(security::TrustAnchors{text});  // says what is wrong with it
    security::write_private_file(roots, as_bytes(text));
    return 0;
}

/// An association of the management client and what the model calls its Security setup.
class Talk {
public:
    explicit Talk(const platform::Settings& settings)
        : model_(model_of(settings)),
          bench_(settings.required<platform::HostPort>("tcp"), link_of(settings),
                 Sap{settings.optional<std::uint16_t>("server", management_logical_device.value)},
                 std::chrono::seconds{settings.optional_in<int>("timeout", 10, 1, 600)},
                 line_of(settings, link_of(settings))),
          session_(bench_, who_of(settings, model_, "management")) {}

    ObisCode setup() const {
        const auto* object = model_.find(cosem::Quantity::security_setup);
        return object != nullptr ? object->name : ObisCode{{0, 0, 43, 0, 0, 255}};
    }
    dlms::Data call(const cosem::MethodCall& method, const char* what) {
        auto outcome = session_.act(method.id, method.argument);
        if (outcome.result != dlms::AccessResult::success)
            throw std::runtime_error(
                fmt::format("the meter does not {}: {}", what, to_string(outcome.result)));
        return std::move(outcome.value).value_or(dlms::Data{});
    }
    MeterSession& session() { return session_; }

private:
    const cosem::MeterModel& model_;
    BenchCall bench_;
    MeterSession session_;
};

int request(const Call& call) {
    const auto type = type_of(use_of(call.settings));
    Talk talk{call.settings};
    talk.call(generate_key_pair(talk.setup(), type), "make a key");
    const auto der = talk.call(generate_certificate_request(talk.setup(), type), "give a request");
    talk.session().release();
    std::fputs(security::request_pem(der.octets()).c_str(), stdout);
    return 0;
}

int import_certificate_file(const Call& call) {
    const Path file = only_file(call);
    const auto text = text_of(file);
    const auto facts = security::read_certificate(text);
    if (!facts) throw std::runtime_error(file.string() + ": is no certificate (PEM)");
    Talk talk{call.settings};
    talk.call(import_certificate(talk.setup(), facts->der),
              "take the certificate (whom it trusts, its key, its time and its use count)");
    talk.session().release();
    return 0;
}

int list(const Call& call) {
    Talk talk{call.settings};
    const auto outcome = talk.session().get(certificates.of(talk.setup()));
    talk.session().release();
    const auto* data = std::get_if<dlms::Data>(&outcome);
    if (data == nullptr) throw std::runtime_error("the meter does not show its certificates");
    const auto held = certificates.read(*data);
    if (!held) throw std::runtime_error("the meter's certificates: " + to_string(held.error()));
    for (const auto& one : *held)
        std::printf(R"({"of":"%s","use":"%s","serial":"%s","issuer":"%s","subject":"%s"})"
                    "\n",
                    one.certificate_entity == CertificateEntity::server ? "meter" : "client",
                    one.certificate_type == CertificateType::digital_signature ? "signature" : "agreement",
                    to_hex(one.serial_number).c_str(), json_escaped(text_of(one.issuer)).c_str(),
                    json_escaped(text_of(one.subject)).c_str());
    return 0;
}

}  // namespace

int run_certificate(const Call& call) {
    struct Act {
        const char* word;
        int (*run)(const Call&);
    };
    constexpr Act acts[]{{"own", own},
                         {"keep", keep},
                         {"trust", trust},
                         {"request", request},
                         {"import", import_certificate_file},
                         {"list", list}};
    for (const auto& act : acts)
        if (!call.words.empty() && call.words.front() == act.word) return act.run(call);
    throw SettingsError("say one of `certificate own`, `keep`, `trust`, `request`, `import`, `list`");
}

}  // namespace wattmesh::sim
