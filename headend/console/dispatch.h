#pragma once
#include <Poco/Net/HTTPServerRequest.h>

#include "headend/console/server.h"

namespace wattmesh::headend::console {

/// Finds what a request asks for and answers it; never throws. What went wrong inside goes to the log, not to
/// the client.
Answer dispatch(const Site& site, Poco::Net::HTTPServerRequest& http);

/// The caller of a WebSocket handshake: session and origin checked. Throws a Problem.
Caller admit_socket(const Site& site, Poco::Net::HTTPServerRequest& http);

/// Headers that every answer carries.
std::vector<std::pair<std::string, std::string>> guard_headers(bool https);

}  // namespace wattmesh::headend::console
