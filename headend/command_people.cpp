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
    database::AuditLog{desk.connection}.append(
        {now, actor(), "enrol", to_string(number), "one-time code issued"});
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
    database::AuditLog{desk.connection}.append(
        {now, actor(), "revoke", to_string(number), "concentrator and its certificates"});
    transaction.commit();
    std::cerr << "Revoked concentrator " << to_string(number)
              << ": its session ends within seconds, it cannot come back.\n";
    return 0;
}

namespace {

database::User known_user(database::Users& users, const std::string& login) {
    auto user = users.find(login);
    if (!user) throw std::runtime_error("there is no user '" + login + "'");
    return std::move(*user);
}

int set_disabled(Desk& desk, const std::string& login, bool disabled) {
    const auto now = desk.clock->now();
    database::Transaction transaction{desk.connection};
    database::Users users{desk.connection};
    const auto user = known_user(users, login);
    users.disable(user.id, disabled);
    database::AuditLog{desk.connection}.append(
        {now, actor(), disabled ? "user disable" : "user enable", login});
    transaction.commit();
    std::cerr << "User " << login
              << (disabled ? " is signed out and cannot sign in.\n" : " may sign in again.\n");
    return 0;
}

}  // namespace

int run_user(const Words& words) {
    const auto arguments = parse_words(words, {"role", "area", "name"}, {"password-stdin"});
    if (arguments.words().size() != 2)
        throw platform::UsageError("say: headend user add|disable|enable LOGIN (see --help)");
    const std::string verb = arguments.words()[0], login = arguments.words()[1];
    if (verb != "add" && verb != "disable" && verb != "enable")
        throw platform::UsageError("'" + verb + "' is not add, disable or enable");
    Desk desk{arguments};
    if (verb != "add") return set_disabled(desk, login, verb == "disable");
    auto word = desk.raw.optional<std::string>("role", "operator");
    if (word == "admin") word = "administrator";
    const auto role = database::parse_role(word);
    if (!role)
        throw platform::UsageError("--role '" + word +
                                   "' is unknown: " + std::string{database::role_words()});
    database::Grant grant{*role, {}};
    if (desk.raw.has("area") && (*role == database::Role::vendor || *role == database::Role::supervisor))
        throw platform::UsageError("--area: vending knows no areas; give the role " + word + " without one");
    if (desk.raw.has("area")) grant.area = AreaId{desk.raw.optional_in<int>("area", 0, 1, 2'147'483'647)};
    if (!arguments.has("password-stdin"))
        std::cerr << "Password for " << login << " (it is shown as you type): ";
    security::SystemRandom random;
    const auto hash = security::hash_password(password_from_input(), random);
    const auto now = desk.clock->now();
    database::Transaction transaction{desk.connection};
    database::Users users{desk.connection};
    const auto before = users.find(login);
    database::AuditRecord record{now, actor(), before ? "user change" : "user add", login};
    if (before) record.before = to_string(before->grants);
    record.after = to_string(std::vector{grant});
    users.put(before ? before->tenant : TenantId{1}, login, desk.raw.optional<std::string>("name", login),
              {grant}, hash, now);
    database::AuditLog{desk.connection}.append(record);
    transaction.commit();
    std::cerr << "User " << login << " may log in as " << to_string(std::vector{grant}) << ".\n";
    return 0;
}

}  // namespace wattmesh::headend
