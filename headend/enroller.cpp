#include "headend/enroller.h"

#include <algorithm>

#include "headend/database/concentrators.h"
#include "headend/database/enrolments.h"
#include "headend/monitor/sealed_keys.h"
#include "security/one_time_code.h"

namespace wattmesh::headend {
namespace {

using database::Redeemed;
using security::CertificateAuthority;

constexpr double renewal_share = 0.67;

frontend::EnrolmentRefusal refusal_of(Redeemed redeemed, DeviceNumber number) {
    const std::string again = "; get a new code with `headend enrol " + to_string(number) + "`";
    switch (redeemed) {
        case Redeemed::expired:
            return {"the code has expired" + again};
        case Redeemed::used:
            return {"the code was used before" + again};
        default:
            return {"the code is not this concentrator's" + again};
    }
}

std::optional<database::CodeHash> hash_of(const std::string& code, DeviceNumber number) {
    const auto parsed = security::parse_one_time_code(code);
    const auto octets = parsed ? from_hex(security::one_time_code_hash(*parsed, number)) : std::nullopt;
    database::CodeHash hash{};
    if (!octets || octets->size() != hash.size()) return std::nullopt;
    std::copy(octets->begin(), octets->end(), hash.begin());
    return hash;
}

database::Certificate record_of(const security::CertificateFacts& facts) {
    return {.serial = facts.serial, .issued = facts.not_before, .expires = facts.not_after, .revoked = false};
}

struct Enrolment {
    const CertificateAuthority& authority;
    const security::MasterKey& master;
    Random& random;
    const frontend::EnrolmentRequest& request;
    Instant now;

    frontend::EnrolmentAnswer run(database::Connection& connection) const {
        const auto hash = hash_of(request.code, request.number);
        if (!hash)
            return frontend::EnrolmentRefusal{
                "the code is mistyped: it looks like WM1-XXXXXXXXXXXXXXXX-XXXXXXXXXXXXXXXX"};
        database::Concentrators concentrators{connection};
        database::Transaction transaction{connection};
        const auto concentrator = concentrators.find(request.number);
        if (!concentrator) return refusal_of(Redeemed::unknown, request.number);
        if (concentrator->state == database::ConcentratorState::revoked) {
            return frontend::EnrolmentRefusal{"this concentrator is revoked"};
        }
        const auto redeemed = database::Enrolments{connection}.redeem(request.number, *hash, now);
        if (redeemed != Redeemed::accepted) return refusal_of(redeemed, request.number);
        const auto certificate = authority.sign(as_bytes(request.request_pem), request.number, now);
        if (const auto* refused = std::get_if<CertificateAuthority::Refusal>(&certificate)) {
            return frontend::EnrolmentRefusal{"the certificate request is not acceptable: " +
                                              refused->reason};
        }
        const auto& facts = std::get<security::CertificateFacts>(certificate);
        const Key128 kek = security::random_secret<16>(random);
        database::Keys{connection}.put_kek(
            concentrator->id, master.wrap(monitor::kek_purpose(request.number), kek.reveal()), now);
        concentrators.certify(concentrator->id, record_of(facts));
        transaction.commit();
        const auto life =
            std::chrono::duration_cast<std::chrono::seconds>(facts.not_after - facts.not_before);
        return frontend::EnrolmentGrant{
            security::certificate_pem(facts.der), authority.pem(), to_buffer(kek.reveal()),
            static_cast<std::int64_t>(static_cast<double>(life.count()) * renewal_share)};
    }
};

}  // namespace

ConcentratorCertificates::ConcentratorCertificates(database::QueryQueue& queue,
                                                   std::shared_ptr<const CertificateAuthority> authority,
                                                   const security::MasterKey& master, Random& random,
                                                   std::function<void(DeviceNumber)> enrolled)
    : queue_(queue),
      authority_(std::move(authority)),
      master_(master),
      random_(random),
      enrolled_(std::move(enrolled)) {}

void ConcentratorCertificates::enrol(frontend::EnrolmentRequest request, Instant now,
                                     std::function<void(frontend::EnrolmentAnswer)> done) {
    const DeviceNumber number = request.number;
    queue_.run(
        [authority = authority_, &master = master_, &random = random_, request = std::move(request),
         now](database::Connection& connection) {
            return Enrolment{*authority, master, random, request, now}.run(connection);
        },
        [enrolled = enrolled_, number,
         done = std::move(done)](std::optional<frontend::EnrolmentAnswer> answer) {
            if (!answer)
                return done(
                    frontend::EnrolmentRefusal{"the head-end cannot enrol now; try again in a minute"});
            const bool granted = std::holds_alternative<frontend::EnrolmentGrant>(*answer);
            done(*std::move(answer));
            if (granted) enrolled(number);
        });
}

void ConcentratorCertificates::renew(DeviceNumber number, Buffer request, Instant now,
                                     std::function<void(std::optional<Buffer>)> done) {
    queue_.run(
        [authority = authority_, number, request = std::move(request),
         now](database::Connection& connection) {
            std::optional<Buffer> der;
            const auto certificate = authority->sign(request, number, now);
            const auto* facts = std::get_if<security::CertificateFacts>(&certificate);
            database::Concentrators concentrators{connection};
            const auto concentrator = concentrators.find(number);
            if (facts == nullptr || !concentrator ||
                concentrator->state == database::ConcentratorState::revoked)
                return der;
            database::Transaction transaction{connection};
            concentrators.certify(concentrator->id, record_of(*facts));
            transaction.commit();
            der = facts->der;
            return der;
        },
        [done = std::move(done)](std::optional<std::optional<Buffer>> der) {
            done(der ? *std::move(der) : std::nullopt);
        });
}

}  // namespace wattmesh::headend
