#pragma once
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

namespace wattmesh::headend::console {

/// Before an answer that refuses is sent: says that the connection ends with it when the body of the request
/// was not read, for what is left of it would be taken for the next request. True if so.
bool ends_connection(const Poco::Net::HTTPServerRequest& http, Poco::Net::HTTPServerResponse& response);

/// After such an answer was sent whole: takes in what the client still sends until it has seen the end, two
/// seconds and some MiB at most. A connection that is closed over unread octets is reset, and the reset
/// overtakes the answer (RFC 9112, 9.6). Never throws.
void close_lingering(Poco::Net::HTTPServerRequest& http) noexcept;

}  // namespace wattmesh::headend::console
