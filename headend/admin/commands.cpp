#include "headend/admin/commands.h"

#include <pwd.h>
#include <unistd.h>

#include <stdexcept>

#include "headend/database/audit_log.h"
#include "headend/database/concentrators.h"
#include "headend/database/enrolments.h"
#include "headend/database/migrator.h"
#include "headend/database/users.h"
#include "security/one_time_code.h"
#include "security/password.h"
#include "security/private_file.h"

namespace wattmesh::headend::admin {

using database::Connection;
using database::Transaction;

namespace {

constexpr std::size_t password_size_min = 10;

Buffer ca_certificate(const HeadSettings& settings) {
    const auto pem = security::read_private_file(settings.ca_certificate);
    const auto octets = pem.reveal();
    const auto facts = security::read_certificate(
        std::string_view{reinterpret_cast<const char*>(octets.data()), octets.size()});
    if (!facts) throw std::runtime_error(settings.ca_certificate.string() + " holds no certificate");
    return facts->der;
}

database::CodeHash stored_form(const security::OneTimeCode& code, const DeviceNumber& number) {
    const auto octets = from_hex(security::one_time_code_hash(code, number));
    database::CodeHash hash{};
    std::copy(octets->begin(), octets->end(), hash.begin());
    return hash;
}

}  // namespace

std::vector<std::string> migrate(const HeadSettings& settings, const std::string& administrator,
                                 Instant now) {
    auto as = settings.owner;
    if (!administrator.empty()) as.connection = administrator;
    Connection connection{as};
    database::Migrator migrator{connection, settings.schema};
    if (!administrator.empty()) migrator.prepare(settings.role_passwords);
    return migrator.migrate(now);
}

std::string enrol(const HeadSettings& settings, const DeviceNumber& number, const std::string& actor,
                  Random& random, Instant now) {
    const auto code = security::make_one_time_code(random, ca_certificate(settings));
    Connection connection{settings.owner};
    Transaction transaction{connection};
    database::Concentrators concentrators{connection};
    const auto known = concentrators.find(number);
    if (known && known->state == database::ConcentratorState::revoked)
        throw std::runtime_error("concentrator " + to_string(number) +
                                 " is revoked; a unit that was stolen or scrapped gets no new code");
    const auto id = known ? known->id : concentrators.add(number, "Concentrator " + to_string(number), now);
    database::Enrolments{connection}.issue(id, stored_form(code, number), now);
    database::AuditLog{connection}.append(now, actor, "concentrator.enrol", to_string(number),
                                          "one-time code issued, valid for 24 hours");
    transaction.commit();
    return code.text();
}

void revoke(const HeadSettings& settings, const DeviceNumber& number, const std::string& actor, Instant now) {
    Connection connection{settings.owner};
    Transaction transaction{connection};
    if (!database::Concentrators{connection}.revoke(number, now))
        throw std::runtime_error("no concentrator " + to_string(number) + " is registered here");
    database::AuditLog{connection}.append(now, actor, "concentrator.revoke", to_string(number),
                                          "all certificates revoked");
    transaction.commit();
}

void add_user(const HeadSettings& settings, const std::string& login, const std::string& role,
              const std::string& password, const std::string& actor, Random& random, Instant now) {
    if (role != "operator" && role != "engineer" && role != "administrator")
        throw std::runtime_error("no role '" + role + "': use operator, engineer or administrator");
    if (password.size() < password_size_min)
        throw std::runtime_error("the password needs at least " + std::to_string(password_size_min) +
                                 " characters");
    Connection connection{settings.owner};
    Transaction transaction{connection};
    database::Users users{connection};
    const bool known = users.find(login).has_value();
    users.put(login, login, role, security::hash_password(password, random), now);
    database::AuditLog{connection}.append(now, actor, known ? "user.change" : "user.add", login,
                                          "role " + role);
    transaction.commit();
}

std::string terminal_user() {
    const auto* entry = getpwuid(geteuid());
    return entry == nullptr ? "uid " + std::to_string(geteuid()) : entry->pw_name;
}

}  // namespace wattmesh::headend::admin
