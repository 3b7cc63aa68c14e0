#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/http_client.h"
#include "terminal-sim/tool/partner_token.h"
#include "terminal-sim/tool/truth_comparison.h"

namespace wattmesh::sim {

/// A partner's program that asks a head-end over REST and checks what it gets against itself. One thread.
class RestPartner {
public:
    /// `base`: the head-end's address, without a path.
    RestPartner(const platform::HttpUrl& base, PartnerClient client,
                const platform::HttpClientSettings& settings);

    /// Numbers of the meters that the contract shows, over all pages. What makes no sense in any answer is a
    /// std::runtime_error that says so; so is a request that is refused.
    std::vector<DeviceNumber> meters();
    std::int64_t usage_points();
    /// Load profile values of (from, to] as lines, in the order in which they came: all (`limit` 0: one
    /// stream) or those of some meters, so many rows a page.
    std::vector<ReadingLine> readings(Instant from, Instant to, const std::vector<DeviceNumber>& meters = {},
                                      int limit = 0);

    struct Feed {
        std::int64_t messages = 0, kinds = 0;
        std::string place;  ///< behind the last
    };
    /// From behind what was confirmed before to the last; `take` gets each as it came. Places rise, ids come
    /// once.
    Feed feed(const std::function<void(const std::string&)>& take);

    /// Reads a register of a meter on demand and waits for what it brings; orders the same twice with one
    /// key, which must be one job.
    std::string read(DeviceNumber meter, const std::string& register_, const std::string& key, int polls_max,
                     const std::function<void()>& wait);

private:
    std::string get(const std::string& path, const char* accept = "application/json");
    void get(const std::string& path, const char* accept, const std::function<void(std::string_view)>& take);
    platform::HttpAnswer order(const std::string& body, const std::string& key);

    platform::HttpClient http_, command_http_;
    PartnerToken token_;
};

}  // namespace wattmesh::sim
