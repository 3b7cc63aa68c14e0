// partner client, partner revoke: programs of partners that ask over REST.
#include <algorithm>
#include <iostream>

#include "headend/command_partner.h"
#include "headend/console/json.h"
#include "headend/database/partner_clients.h"
#include "headend/exchange/rest_access.h"
#include "security/password.h"

namespace wattmesh::headend {
namespace {

using namespace database;
constexpr std::ptrdiff_t clients_max = 5;  ///< of a contract, in force

std::string make_client_name(const std::string& partner, Random& random) {
    std::array<std::uint8_t, 4> octets{};
    random.fill(octets);
    auto text = to_hex(octets);
    for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return partner + "-" + text;
}

}  // namespace

int add_client(Desk& desk, const std::string& partner) {
    const auto contract = known_contract(desk, partner);
    PartnerClients clients{desk.connection};
    const auto known = clients.all();
    const auto in_force = std::count_if(known.begin(), known.end(), [&](const PartnerClient& client) {
        return client.contract == contract.id && !client.revoked;
    });
    if (in_force >= clients_max)
        throw std::runtime_error(
            "partner '" + partner +
            "' has 5 clients in force; `headend partner revoke` ends one that is not used");
    security::SystemRandom random;
    const auto secret = exchange::make_client_secret(random);
    PartnerClient client;
    client.contract = contract.id;
    client.name = make_client_name(partner, random);
    client.secret_hash = security::hash_password(secret, random);
    client.created = desk.clock->now();
    client.created_by = actor();
    Transaction transaction{desk.connection};
    clients.add(client);
    AuditLog{desk.connection}.append(partner_record(desk, "partner client", client.name, contract.tenant));
    transaction.commit();
    console::Json json;
    json.open_object().field("client_id", client.name).field("client_secret", secret).close_object();
    std::cout << json.text() << "\n";
    std::cerr << "The program gets a token with these at POST /partner/oauth/token. The secret is not shown "
                 "again.\n";
    return 0;
}

int revoke_client(Desk& desk, const std::string& name) {
    PartnerClients clients{desk.connection};
    const auto client = clients.find(name);
    if (!client)
        throw std::runtime_error("there is no client '" + name + "'; `headend partner list` names them");
    const auto contract = Contracts{desk.connection}.find(client->contract);
    Transaction transaction{desk.connection};
    if (!clients.revoke(client->id, desk.clock->now()))
        throw std::runtime_error("client " + name + " was revoked before");
    AuditLog{desk.connection}.append(
        partner_record(desk, "partner client revoke", name, contract.value().tenant));
    transaction.commit();
    std::cerr << "Client " << name << " and its tokens are refused from now on.\n";
    return 0;
}

int list_clients(Desk& desk) {
    for (const auto& client : PartnerClients{desk.connection}.all()) {
        const auto contract = Contracts{desk.connection}.find(client.contract);
        std::cout << contract.value().name << " client " << client.name << " "
                  << (client.revoked     ? "revoked"
                      : client.last_used ? "last token " + console::iso(*client.last_used)
                                         : "never used")
                  << "\n";
    }
    return 0;
}

}  // namespace wattmesh::headend
