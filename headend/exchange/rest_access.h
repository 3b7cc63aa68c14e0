#pragma once
#include <optional>
#include <string>

#include "headend/console/access.h"
#include "headend/database/partner_clients.h"
#include "headend/exchange/rest_desk.h"

namespace wattmesh::headend::exchange {

/// Who a partner's program is: OAuth 2 client credentials for a short-lived bearer token (RFC 6749, 4.4; RFC
/// 6750). The database has a client's secret as a password and a token as its SHA-256. Thread safe.
class RestAccess {
public:
    explicit RestAccess(RestDesk& desk);

    /// What a program says of itself at the token endpoint.
    struct Claim {
        std::string grant_type, client, secret, remote;
    };
    /// RFC 6749, 5.1 and 5.2: the answer's JSON, whatever it is.
    console::Answer grant(const Claim& claim);
    /// Nothing when the token is unknown or over.
    std::optional<database::PartnerSession> identify(const std::string& token);

private:
    void refused(database::Connection& connection, const Claim& claim, const char* why);

    RestDesk& desk_;
    console::TryLimit by_sender_, by_client_;
};

/// "wps_" and 64 hexadecimal digits: what a client proves itself with.
std::string make_client_secret(Random& random);

}  // namespace wattmesh::headend::exchange
