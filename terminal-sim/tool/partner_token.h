#pragma once
#include <string>

#include "platform/http_client.h"

namespace wattmesh::sim {

/// A program of a partner, as `headend partner client` printed it.
struct PartnerClient {
    std::string id, secret;
};
/// Of the JSON. Throws std::runtime_error when the text is not that.
PartnerClient parse_client(const std::string& text);

/// Gets tokens from a head-end (OAuth 2 client credentials). One thread.
class PartnerToken {
public:
    /// `base`: the head-end's address; its path does not matter.
    PartnerToken(const platform::HttpUrl& base, PartnerClient client,
                 const platform::HttpClientSettings& settings);

    /// The header for a request. Throws std::runtime_error when none is given.
    std::pair<std::string, std::string> header();
    /// It was refused: the next header has another one.
    void forget() { token_.clear(); }

private:
    const PartnerClient client_;
    platform::HttpClient http_;
    std::string token_;
};

}  // namespace wattmesh::sim
