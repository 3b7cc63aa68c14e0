#pragma once
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>

#include <string>

namespace wattmesh::headend::console {

/// A listening socket that speaks TLS 1.2 or 1.3. Throws Poco::Exception when a file cannot be read.
Poco::Net::ServerSocket secure_socket(const Poco::Net::SocketAddress& address, const std::string& certificate,
                                      const std::string& key);

}  // namespace wattmesh::headend::console
