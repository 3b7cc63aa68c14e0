#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/settings.h"
#include "protocol/base/time.h"

namespace wattmesh::platform {

/// An address of http or https, taken apart.
struct HttpUrl {
    bool secure = false;
    HostPort place;
    std::string path;  ///< with the query; "/" at least
    /// Nothing for other schemes, user names in it, or an unreadable text.
    static std::optional<HttpUrl> parse(std::string_view text);
    friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};

struct HttpClientSettings {
    Duration connect_max = std::chrono::seconds{5}, answer_max = std::chrono::seconds{15};
    /// From the connection to the end of the answer, or to the begin of a body that the caller takes piece by
    /// piece: who drips his answer is left. Never less than answer_max, which is of one silence.
    Duration whole_max = std::chrono::seconds{30};
    std::string ca_file;  ///< PEM; empty: the system's authorities
};

struct HttpAnswer {
    int status = 0;
    std::optional<Duration> retry_after;  ///< given in seconds; a date is passed over
    std::string body;                     ///< its first 4 KiB
};

/// One connection to one server, kept open between requests; blocks. A server of https must show a
/// certificate of a trusted authority for its name, over TLS 1.2 or later. Redirections are not followed. One
/// thread.
class HttpClient {
public:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    HttpClient(HttpUrl url, HttpClientSettings settings);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    /// Throws std::runtime_error, naming the reason, when no answer came.
    HttpAnswer post(const Headers& headers, const std::string& type, std::string_view body);
    /// The same; `take` gets the body of a 200 piece by piece, as in get.
    HttpAnswer post(const Headers& headers, const std::string& type, std::string_view body,
                    const std::function<void(std::string_view)>& take);
    /// Another path of the same server. `take` gets the body of a 200 piece by piece, which is then not in
    /// the answer. Throws likewise, also when the body breaks off; what `take` throws passes through.
    HttpAnswer get(const std::string& path, const Headers& headers,
                   const std::function<void(std::string_view)>& take);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace wattmesh::platform
