// enrol, concentrator revoke, user add: small acts of an administrator, each in the audit log.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>

#include "headend/command_line.h"
#include "headend/database/audit_log.h"
#include "headend/database/concentrators.h"
#include "headend/database/enrolments.h"
#include "headend/database/users.h"
#include "security/one_time_code.h"
#include "security/password.h"
#include "security/pki.h"

namespace wattmesh::headend {
namespace {

constexpr std::size_t password_size_min = 10;

database::CodeHash code_hash(const security::OneTimeCode& code, DeviceNumber number) {
    const auto octets = from_hex(security::one_time_code_hash(code, number));
    database::CodeHash hash{};
    if (!octets || octets->size() != hash.size()) throw std::logic_error("the code's hash is not 32 octets");
    std::copy(octets->begin(), octets->end(), hash.begin());
    return hash;
}

std::string password_from_input() {
    std::string password;
    std::getline(std::cin, password);
    if (password.size() < password_size_min) {
        throw std::runtime_error("the password on standard input is shorter than " +
                                 std::to_string(password_size_min) + " characters");
    }
    return password;
}

}  // namespace

int run_enrol(const Words& words) {
    const auto arguments = parse_words(words, {});
    const auto number = number_from(only_word(arguments, "the concentrator's number"));
    Desk desk{arguments};
    std::ifstream in{desk.settings.ca_certificate};
    std::ostringstream pem;
    pem << in.rdbuf();
    const auto authority = security::read_certificate(pem.str());
    if (!authority) throw std::runtime_error(desk.settings.ca_certificate.string() + " is not a certificate");
    security::SystemRandom random;
    const auto code = security::make_one_time_code(random, authority->der);
    const auto now = desk.clock->now();
    database::Transaction transaction{desk.connection};
    database::Concentrators concentrators{desk.connection};
    const auto known = concentrators.find(number);
    if (known && known->state == database::ConcentratorState::revoked) {
        throw std::runtime_error("concentrator " + to_string(number) +
                                 " is revoked and cannot be enrolled again");
    }
    if (known && known->road != database::Road::concentrator) {
        throw std::runtime_error("meter " + to_string(number) +
                                 " calls in by itself and needs no certificate");
    }
    const auto id = known ? known->id : concentrators.add(number, "Concentrator " + to_string(number), now);
    database::Enrolments{desk.connection}.issue(id, code_hash(code, number), now);
    database::AuditLog{desk.connection}.append(now, actor(), "enrol", to_string(number),
                                               "one-time code issued");
    transaction.commit();
    std::cout << code.text() << "\n";
    std::cerr << "Good for one use within 24 hours: concentrator --number " << to_string(number)
              << " --headend HOST:PORT --enrol CODE\n";
    return 0;
}

int run_concentrator(const Words& words) {
    const auto arguments = parse_words(words, {});
    if (arguments.words().size() != 2 || arguments.words()[0] != "revoke") {
        throw platform::UsageError("say: headend concentrator revoke NUMBER");
    }
    const auto number = number_from(arguments.words()[1]);
    Desk desk{arguments};
    const auto now = desk.clock->now();
    database::Transaction transaction{desk.connection};
    if (!database::Concentrators{desk.connection}.revoke(number, now)) {
        throw std::runtime_error("concentrator " + to_string(number) + " is not registered here");
    }
    database::AuditLog{desk.connection}.append(now, actor(), "revoke", to_string(number),
                                               "concentrator and its certificates");
    transaction.commit();
    std::cerr << "Revoked concentrator " << to_string(number)
              << ": its session ends within seconds, it cannot come back.\n";
    return 0;
}

int run_user(const Words& words) {
    const auto arguments = parse_words(words, {"role", "name"}, {"password-stdin"});
    if (arguments.words().size() != 2 || arguments.words()[0] != "add")
        throw platform::UsageError("say: headend user add LOGIN --role ROLE");
    const std::string login = arguments.words()[1];
    Desk desk{arguments};
    auto role = desk.raw.optional<std::string>("role", "operator");
    if (role == "admin") role = "administrator";
    if (role != "operator" && role != "engineer" && role != "administrator") {
        throw platform::UsageError("--role '" + role + "' is unknown: operator, engineer or administrator");
    }
    if (!arguments.has("password-stdin"))
        std::cerr << "Password for " << login << " (it is shown as you type): ";
    security::SystemRandom random;
    const auto hash = security::hash_password(password_from_input(), random);
    const auto now = desk.clock->now();
    database::Transaction transaction{desk.connection};
    database::Users{desk.connection}.put(login, desk.raw.optional<std::string>("name", login), role, hash,
                                         now);
    database::AuditLog{desk.connection}.append(now, actor(), "user add", login, "role " + role);
    transaction.commit();
    std::cerr << "User " << login << " may log in as " << role << ".\n";
    return 0;
}

}  // namespace wattmesh::headend
