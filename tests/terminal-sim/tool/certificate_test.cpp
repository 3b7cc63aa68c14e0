#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>

#include "protocol/dlms/key_exchange.h"
#include "security/meter_pki.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/meter_session.h"
#include "terminal-sim/tool/security_options.h"
#include "tests/terminal-sim/field/scratch.h"
#include "tests/terminal-sim/tool/meter_thread.h"

using namespace wattmesh;
using namespace wattmesh::sim;
using security::CertificateUse;

namespace {

/// A utility with a CA for meters.
struct Utility {
    explicit Utility(Curve on)
        : curve(on),
          root(security::MeterAuthority::create_root("Utility", curve, clock)),
          authority(security::MeterAuthority::open(root.certificate_pem, root.key_pem)) {}
    std::string sign(const std::string& request, const SystemTitle& title, CertificateUse use) const {
        const auto made =
            std::get<security::DlmsCertificate>(authority.sign(as_bytes(request), title, use, clock));
        return security::certificate_pem(made.der);
    }
    Instant clock = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    Curve curve;
    security::AuthorityFiles root;
    security::MeterAuthority authority;
};

/// The commands as a field engineer types them, with what they print.
struct Bench : Scratch {
    std::string run(std::vector<std::string> words, int expected = 0) {
        words.insert(words.begin(), "terminal-sim");
        std::vector<const char*> argv;
        for (const auto& word : words) argv.push_back(word.c_str());
        const auto printed = path / "printed";
        std::fflush(stdout);
        const int kept = ::dup(1), to = ::open(printed.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
        ::dup2(to, 1);
        ::close(to);
        int status = -1;
        std::string trouble;
        try {
            status = run_tool(static_cast<int>(argv.size()), argv.data(), "/dev/null/none");
        } catch (const std::exception& thrown) {
            status = 1;
            trouble = thrown.what();
        }
        std::fflush(stdout);
        ::dup2(kept, 1);
        ::close(kept);
        INFO(trouble);
        CHECK(status == expected);
        return trouble.empty() ? content_of(printed) : trouble;
    }
    std::string file(const std::string& name, const std::string& text) {
        std::ofstream{path / name} << text;
        return (path / name).string();
    }
    std::string folder(const char* name) { return (path / name).string(); }
};

struct Wanted {
    dlms::Suite suite;
    dlms::AssociationForm form;
};

}  // namespace

TEST_CASE("certificates: keys made in the meter, signed by the utility, brought back, and used", "[sim]") {
    using dlms::Framing, dlms::Mechanism, dlms::Suite;
    const auto [suite, form] =
        GENERATE(Wanted{Suite::one, {Mechanism::high_ecdsa, Framing::service, true}},
                 Wanted{Suite::two, {Mechanism::high_ecdsa, Framing::one_pass_dh, false}},
                 Wanted{Suite::two, {Mechanism::high_gmac, Framing::static_dh, true}});
    const std::string number{suite == Suite::one ? "1" : "2"};
    CAPTURE(number, to_string(form.mechanism), to_string(form.framing));
    Bench bench;
    const Utility utility{dlms::curve_of(suite)};
    SpecialMeter special;
    special.suite = suite;
    special.form = form;
    special.pki = bench.path / "meter";
    const auto roots = bench.file("roots.pem", utility.root.certificate_pem);
    for (const char* end : {"meter", "tool"})
        bench.run({"certificate", "trust", "--pki", bench.folder(end), roots});
    const MeterThread meter{LinkKind::wrapper, {}, special};
    const auto place = "127.0.0.1:" + std::to_string(meter.address().port);
    const std::size_t digits = dlms::key_size(suite) * 2;
    const auto with_meter = [&](std::vector<std::string> words, std::vector<std::string> more = {}) {
        std::vector<std::string> keys{"--tcp", place, "--suite", number, "--ek", "", "--ak", ""};
        for (std::size_t i = 0; i < digits / 2; ++i) keys[5] += "01", keys[7] += "02";
        words.insert(words.begin() + (words[0] == "certificate" ? 2 : 1), keys.begin(), keys.end());
        words.insert(words.end(), more.begin(), more.end());
        return words;
    };
    const bool agrees = form.framing >= Framing::one_pass_dh;
    for (const auto use : {CertificateUse::agreement, CertificateUse::signature}) {
        if (use == CertificateUse::agreement && !agrees) continue;
        const std::string word{to_string(use)};
        const auto asked = bench.run(with_meter({"certificate", "request", "--use", word}));
        const auto meters = utility.sign(asked, system_title(MeterThread::number), use);
        const auto own = bench.run(
            {"certificate", "own", "--pki", bench.folder("tool"), "--suite", number, "--use", word});
        const auto tools = utility.sign(own, tool_title, use);
        for (const auto& pem : {meters, tools}) {
            const auto file = bench.file("one.pem", pem);
            bench.run(with_meter({"certificate", "import", file}));
            bench.run({"certificate", "keep", "--pki", bench.folder("tool"), "--suite", number, file});
        }
    }
    // Now the meter wants what it was set up for.
    const std::vector<std::string> formed{"--authentication",
                                          std::string{to_string(form.mechanism)},
                                          "--framing",
                                          std::string{to_string(form.framing)},
                                          "--signing",
                                          form.signing ? "true" : "false",
                                          "--pki",
                                          bench.folder("tool")};
    auto read = with_meter({"read", "--client", "management", "0-0:96.3.10"}, formed);
    CHECK(bench.run(read).find("true") != std::string::npos);
    const auto list = bench.run(with_meter({"certificate", "list"}, formed));
    CHECK(std::count(list.begin(), list.end(), '\n') == (agrees ? 4 : 2));
    CHECK(list.find(to_hex(system_title(MeterThread::number).octets)) != std::string::npos);
    if (form.mechanism == dlms::Mechanism::high_ecdsa)
        bench.run(with_meter({"read", "--client", "management", "0-0:96.3.10"}),
                  1);  // gmac is no longer enough
    // Who took the tool's keys away cannot come in either.
    std::filesystem::remove(bench.path / "tool/signature.key");
    CHECK_THAT(bench.run(read, 1), Catch::Contains("--pki"));
}

TEST_CASE("certificates: a meter takes none of a stranger, of the other curve, or of another key", "[sim]") {
    Bench bench;
    const Utility utility{Curve::p256}, stranger{Curve::p256}, other_curve{Curve::p384};
    const auto now = [&] { return utility.clock; };
    const auto title = system_title(MeterThread::number);
    security::CertificateFolder meter{bench.path / "meter", title, Curve::p256, now};
    const auto signed_by = [&](const Utility& who, const SystemTitle& subject) {
        const auto made = security::make_title_request(subject, who.curve);
        return who.sign(made.request_pem, subject, CertificateUse::signature);
    };
    const auto import = [&](const std::string& pem) { return meter.import(as_bytes(pem)); };
    CHECK_THAT(import(signed_by(utility, tool_title)), Catch::Contains("trust.pem"));
    bench.run({"certificate", "trust", "--pki", bench.folder("meter"),
               bench.file("roots.pem", utility.root.certificate_pem + other_curve.root.certificate_pem)});
    CHECK(import(signed_by(utility, tool_title)).empty());
    const auto kept = meter.peer_key(CertificateUse::signature);
    CHECK_FALSE(kept.empty());
    CHECK_FALSE(import(signed_by(stranger, tool_title)).empty());
    CHECK_THAT(import(signed_by(other_curve, tool_title)), Catch::Contains("curve"));
    CHECK_THAT(import(signed_by(utility, title)), Catch::Contains("no key"));
    meter.generate(CertificateUse::signature);
    CHECK_THAT(import(signed_by(utility, title)), Catch::Contains("another key"));
    CHECK(meter.own_key(CertificateUse::signature) == nullptr);  // a key without a certificate
    const auto asked = meter.request(CertificateUse::signature).value();
    CHECK(import(utility.sign(asked.request_pem, title, CertificateUse::signature)).empty());
    const auto first = meter.own_key(CertificateUse::signature)->public_key();
    // A new key takes the place of the old one with its certificate, not before.
    meter.generate(CertificateUse::signature);
    CHECK(meter.own_key(CertificateUse::signature)->public_key() == first);
    CHECK(meter.peer_key(CertificateUse::signature) == kept);
    CHECK(meter.remove(true, CertificateUse::signature));
    CHECK(meter.peer_key(CertificateUse::signature).empty());
    CHECK_FALSE(meter.remove(true, CertificateUse::signature));
}
