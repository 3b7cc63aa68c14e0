#pragma once
#include <Poco/Net/HTTPServerRequest.h>

#include <functional>

#include "headend/console/server.h"

namespace wattmesh::headend::console {

/// Finds what a request asks for and answers it; never throws. What went wrong inside goes to the log, not to
/// the client.
Answer dispatch(const Site& site, Poco::Net::HTTPServerRequest& http);

/// The token of the session that a browser sends along; empty when it has none here.
std::string session_of(const Site& site, const Poco::Net::HTTPServerRequest& http);
/// What a request asks for; its body stays unread, and so does a session. Throws a Problem.
Request parse_request(Poco::Net::HTTPServerRequest& http);
/// Throws a Problem 413 when it has more than `size_max` octets, 408 when it ends before its announced
/// length.
std::string read_body(Poco::Net::HTTPServerRequest& http, std::size_t size_max);
/// Runs the work; what it throws, as an answer. What went wrong inside goes to the log.
std::optional<Answer> problem_of(const std::function<void()>& work,
                                 const std::function<void(const char* what)>& log);

/// The caller of a WebSocket handshake: session and origin checked. Throws a Problem.
Caller admit_socket(const Site& site, Poco::Net::HTTPServerRequest& http);

/// Headers that every answer carries.
std::vector<std::pair<std::string, std::string>> guard_headers(bool https);

}  // namespace wattmesh::headend::console
