#pragma once
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <atomic>

#include "headend/console/server.h"

namespace wattmesh::headend::console {

/// One page's push link, until it closes, its session ends or `stopping` is set. The client sends
/// {"subscribe": [topic, ...]}.
void serve_socket(const Site& site, Poco::Net::HTTPServerRequest& http,
                  Poco::Net::HTTPServerResponse& response, const std::string& token,
                  const std::atomic<bool>& stopping);

}  // namespace wattmesh::headend::console
