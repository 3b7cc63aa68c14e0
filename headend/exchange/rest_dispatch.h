#pragma once
#include <Poco/Net/HTTPServerRequest.h>

#include "headend/exchange/rest_access.h"
#include "headend/exchange/rest_desk.h"

namespace wattmesh::headend::exchange {

struct RestSite {
    RestDesk& desk;
    RestAccess& access;
    const std::string& openapi;
    const std::vector<RestRoute>& routes;
};

/// Finds what a partner asks for and answers it; never throws. What went wrong inside goes to the log.
RestAnswer dispatch(const RestSite& site, Poco::Net::HTTPServerRequest& http);

}  // namespace wattmesh::headend::exchange
