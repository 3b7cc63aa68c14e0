// ca: certificates of meters of suites 1 and 2, and the sub-CA that signs them.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "headend/command_line.h"
#include "headend/console/json.h"
#include "headend/database/audit_log.h"
#include "headend/database/meter_certificates.h"
#include "headend/database/meters.h"
#include "headend/meter_ca.h"
#include "headend/monitor/key_service.h"

namespace wattmesh::headend {
namespace {

constexpr std::size_t file_size_max = 65'536;

/// One call of `headend ca`.
struct Call {
    const platform::Arguments& arguments;
    Desk& desk;
    MeterCa& authority;
    Instant now;

    int suite() const { return desk.raw.required_in<int>("suite", 1, 2); }
    std::string name() const { return desk.raw.optional<std::string>("name", "Wattmesh"); }
    security::CertificateUse use() const {
        const auto word = desk.raw.required<std::string>("use");
        if (word == "signature") return security::CertificateUse::signature;
        if (word == "agreement") return security::CertificateUse::agreement;
        throw platform::UsageError("--use '" + word + "' is neither signature nor agreement");
    }
    std::string file() const {
        if (arguments.words().size() != 2) throw platform::UsageError("say one file (see headend ca --help)");
        return arguments.words()[1];
    }
    void nothing_more() const {
        if (arguments.words().size() != 1)
            throw platform::UsageError("too many words (see headend ca --help)");
    }
    void audit(const std::string& subject, const std::string& detail) const {
        database::AuditLog{desk.connection}.append(
            {now, actor(), "ca " + arguments.words()[0], subject, detail});
    }
};

/// Certificates and requests are no secrets: anybody may read their files.
std::string read_public(const std::string& path) {
    std::error_code wrong;
    const auto size = std::filesystem::file_size(path, wrong);
    if (wrong) throw std::runtime_error(path + " cannot be read: " + wrong.message());
    if (size > file_size_max) throw std::runtime_error(path + " is longer than 65536 octets");
    std::ifstream in{path, std::ios::binary};
    std::ostringstream text;
    if (!(text << in.rdbuf())) throw std::runtime_error(path + " cannot be read");
    return text.str();
}

security::DlmsCertificate accepted(
    const std::string& file, std::variant<security::DlmsCertificate, security::CertificateRefused> outcome) {
    if (const auto* refused = std::get_if<security::CertificateRefused>(&outcome))
        throw std::runtime_error(file + " is refused: " + refused->reason);
    return std::get<security::DlmsCertificate>(std::move(outcome));
}

database::Meter meter_of(Call& call, const SystemTitle& title) {
    const auto meter = database::Meters{call.desk.connection}.find(title);
    if (!meter) {
        throw std::runtime_error("no meter has the system title " + to_hex(title.octets) +
                                 ": headend import registers meters");
    }
    return *meter;
}

std::string words_of(const security::DlmsCertificate& certificate) {
    return std::string{to_string(certificate.use)} + ", suite " + std::to_string(certificate.suite()) +
           ", serial " + certificate.serial + " of " + certificate.issuer;
}

void store(Call& call, const security::DlmsCertificate& certificate) {
    const auto meter = meter_of(call, certificate.title);
    database::Transaction transaction{call.desk.connection};
    const bool is_new =
        database::MeterCertificates{call.desk.connection}.put(meter.id, certificate, call.now);
    call.audit(to_string(meter.number), words_of(certificate) + (is_new ? "" : " (known)"));
    transaction.commit();
    std::cerr << (is_new ? "Stored" : "Known already") << ": meter " << to_string(meter.number) << ", "
              << words_of(certificate) << "\n";
}

void create(Call& call) {
    call.nothing_more();
    call.authority.create(call.suite(), call.name(), call.now);
    call.audit("suite " + std::to_string(call.suite()), "root and sub-CA made");
    std::cerr << "Made a root and a sub-CA for meters of suite " << call.suite()
              << ". Move its .root.key to a safe place: only a new sub-CA needs it.\n";
}

void request(Call& call) {
    call.nothing_more();
    std::cout << call.authority.request(call.suite(), call.name());
    call.audit("suite " + std::to_string(call.suite()), "request for a sub-CA");
    std::cerr << "Next: let the utility's CA sign it, then headend ca install FILE --root FILE\n";
}

void install(Call& call) {
    call.authority.install(call.suite(), read_public(call.file()),
                           read_public(call.desk.raw.required<std::string>("root")), call.now);
    call.audit("suite " + std::to_string(call.suite()), "sub-CA installed");
}

void trust(Call& call) {
    call.authority.trust(read_public(call.file()));
    call.audit(std::filesystem::path{call.file()}.filename().string(), "trust anchor added");
}

/// Field engineers' tools have titles WMTTOOL and one octet: nobody's serial numbers, no meters.
bool is_tool(const SystemTitle& title) {
    constexpr std::string_view letters = "WMTTOOL";
    return std::equal(letters.begin(), letters.end(), title.octets.begin());
}

void sign(Call& call) {
    const auto text = read_public(call.file());
    const auto title = security::title_of_request(as_bytes(text));
    if (!title) throw std::runtime_error(call.file() + " is no request in the name of a system title");
    const bool own = *title == monitor::own_title;
    const bool tool = is_tool(*title);
    if (!own && !tool) static_cast<void>(meter_of(call, *title));
    const auto made =
        accepted(call.file(), call.authority.sign(as_bytes(text), *title, call.use(), call.now));
    if (own) {
        call.authority.keep_own(made);
        call.audit("head-end", words_of(made));
    } else if (tool) {
        call.audit("tool " + to_hex(title->octets), words_of(made));
    } else {
        store(call, made);
    }
    std::cout << security::certificate_pem(made.der) << call.authority.chain(made.suite());
}

void import_certificate(Call& call) {
    const auto text = read_public(call.file());
    const auto certificate = accepted(call.file(), call.authority.check(as_bytes(text), call.now));
    if (certificate.title != monitor::own_title) return store(call, certificate);
    call.authority.keep_own(certificate);
    call.audit("head-end", words_of(certificate));
}

void own(Call& call) {
    call.nothing_more();
    std::cout << call.authority.own_request(call.suite(), call.use());
    call.audit("head-end", std::string{to_string(call.use())} + ", suite " + std::to_string(call.suite()));
    std::cerr
        << "Next: headend ca sign FILE, or let the utility's CA sign it and headend ca import its answer.\n";
}

void list(Call& call) {
    call.nothing_more();
    for (const auto& one : database::MeterCertificates{call.desk.connection}.all()) {
        console::Json json;
        json.open_object()
            .field("meter", one.meter)
            .field("use", to_string(one.use))
            .field("suite", one.suite);
        json.field("issuer", one.issuer).field("serial", one.serial).field("not_before", one.not_before);
        json.field("not_after", one.not_after).close_object();
        std::cout << json.take() << "\n";
    }
}

}  // namespace

int run_ca(const Words& words) {
    const std::map<std::string, void (*)(Call&)> acts{
        {"create", create}, {"request", request},           {"install", install}, {"trust", trust},
        {"sign", sign},     {"import", import_certificate}, {"own", own},         {"list", list}};
    const auto arguments = parse_words(words, {"suite", "name", "use", "root"});
    const auto act = arguments.words().empty() ? acts.end() : acts.find(arguments.words().front());
    if (act == acts.end())
        throw platform::UsageError(
            "say what to do: create, request, install, trust, sign, import, own or list (see headend ca "
            "--help)");
    Desk desk{arguments};
    MeterCa authority{desk.settings.meter_pki};
    Call call{arguments, desk, authority, desk.clock->now()};
    act->second(call);
    return 0;
}

}  // namespace wattmesh::headend
