#include "platform/http_client.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/URI.h>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace wattmesh::platform {
namespace {

using namespace Poco::Net;
constexpr std::size_t body_size_max = 4'096, piece_size = 64 * 1'024;
constexpr Duration retry_after_max = std::chrono::hours{24};

/// Ends an exchange that takes too long: a peer that sends an octet now and then keeps every single wait
/// short. It holds a descriptor of its own, so that it never shuts a connection that it was not told of.
class Watch {
public:
    ~Watch() {
        {
            const std::lock_guard lock{mutex_};
            over_ = true;
            put(-1);
        }
        changed_.notify_all();
        if (thread_.joinable()) thread_.join();
    }
    void hold(int socket) {
        const std::lock_guard lock{mutex_};
        put(dup(socket));
        if (late_) shutdown(held_, SHUT_RDWR);
    }
    void release() {
        const std::lock_guard lock{mutex_};
        put(-1);
    }
    void begin(Duration longest) {
        const std::lock_guard lock{mutex_};
        until_ = std::chrono::steady_clock::now() + longest;
        late_ = false;
        if (!thread_.joinable()) thread_ = std::thread{[this] { run(); }};
    }
    bool late() {
        const std::lock_guard lock{mutex_};
        return late_;
    }
    /// Whether it took too long.
    bool end() {
        const std::lock_guard lock{mutex_};
        until_.reset();
        return late_;
    }

private:
    void put(int descriptor) {
        if (held_ >= 0) close(held_);
        held_ = descriptor;
    }
    void run() {
        // Looks instead of being woken: an exchange in time costs no more than two locks.
        constexpr std::chrono::milliseconds look_every{500};
        std::unique_lock lock{mutex_};
        while (!changed_.wait_for(lock, look_every, [&] { return over_; })) {
            if (!until_ || std::chrono::steady_clock::now() < *until_) continue;
            until_.reset();
            late_ = true;
            if (held_ >= 0) shutdown(held_, SHUT_RDWR);
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::chrono::steady_clock::time_point> until_;
    int held_ = -1;
    bool late_ = false, over_ = false;
    std::thread thread_;
};

template <class Session>
class WatchedSession : public Session {
public:
    template <class... Arguments>
    explicit WatchedSession(Watch& watch, Arguments&&... arguments)
        : Session(std::forward<Arguments>(arguments)...), watch_(watch) {}

protected:
    void connect(const SocketAddress& address) override {
        watch_.release();
        Session::connect(address);
        watch_.hold(this->socket().impl()->sockfd());
    }

private:
    Watch& watch_;
};

Poco::Timespan timespan(Duration duration) {
    return Poco::Timespan{std::chrono::duration_cast<std::chrono::microseconds>(duration).count()};
}

std::unique_ptr<HTTPClientSession> open(const HttpUrl& url, const HttpClientSettings& settings,
                                        Watch& watch) {
    std::unique_ptr<HTTPClientSession> session;
    if (url.secure) {
        Context::Params parameters;
        parameters.caLocation = settings.ca_file;
        parameters.loadDefaultCAs = settings.ca_file.empty();
        parameters.verificationMode = Context::VERIFY_STRICT;
        Context::Ptr context = new Context{Context::TLS_CLIENT_USE, parameters};
        context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
        context->enableExtendedCertificateVerification(true);
        session = std::make_unique<WatchedSession<HTTPSClientSession>>(watch, url.place.host, url.place.port,
                                                                       context);
        // With the first octets that are sent, when the connection is watched.
        SecureStreamSocket{session->socket()}.setLazyHandshake(true);
    } else {
        session = std::make_unique<WatchedSession<HTTPClientSession>>(watch, url.place.host, url.place.port);
    }
    session->setKeepAlive(true);
    session->setTimeout(timespan(settings.connect_max), timespan(settings.answer_max),
                        timespan(settings.answer_max));
    return session;
}

std::optional<Duration> retry_after_of(const HTTPResponse& response) {
    if (!response.has("Retry-After")) return std::nullopt;
    const auto& text = response.get("Retry-After");
    if (text.empty() || text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos)
        return std::nullopt;
    return std::min<Duration>(std::chrono::seconds{std::stol(text)}, retry_after_max);
}

}  // namespace

std::optional<HttpUrl> HttpUrl::parse(std::string_view text) {
    try {
        const Poco::URI uri{std::string{text}};
        HttpUrl url;
        if (uri.getScheme() != "http" && uri.getScheme() != "https") return std::nullopt;
        if (uri.getHost().empty() || uri.getPort() == 0 || !uri.getUserInfo().empty()) return std::nullopt;
        url.secure = uri.getScheme() == "https";
        url.place = {uri.getHost(), uri.getPort()};
        url.path = uri.getPathAndQuery();
        if (url.path.empty() || url.path.front() != '/') url.path.insert(0, "/");
        return url;
    } catch (const Poco::Exception&) {
        return std::nullopt;
    }
}

struct HttpClient::State {
    State(HttpUrl to, HttpClientSettings given) : url(std::move(to)), settings(std::move(given)) {}

    const HttpUrl url;
    const HttpClientSettings settings;
    Watch watch;
    std::unique_ptr<HTTPClientSession> session;

    void leave() {
        session.reset();
        watch.release();
    }

    std::istream& exchange(HTTPRequest& request, const Headers& headers, std::string_view body,
                           HTTPResponse& response) {
        watch.begin(std::max(settings.whole_max, settings.answer_max));
        if (!session) session = open(url, settings, watch);
        for (const auto& [name, value] : headers) request.set(name, value);
        session->sendRequest(request).write(body.data(), static_cast<std::streamsize>(body.size()));
        auto& in = session->receiveResponse(response);
        if (watch.late()) throw Poco::TimeoutException();  // a head that breaks off is taken for whole
        return in;
    }
    HttpAnswer answer_of(const HTTPResponse& response, std::istream& in) {
        HttpAnswer answer{response.getStatus(), retry_after_of(response), std::string(body_size_max, '\0')};
        in.read(answer.body.data(), static_cast<std::streamsize>(body_size_max));
        answer.body.resize(static_cast<std::size_t>(in.gcount()));
        // What is longer is not worth reading on: the next request gets a connection of its own.
        if (!in.eof() && in.peek() != std::istream::traits_type::eof()) leave();
        if (watch.end()) leave();
        return answer;
    }
    HttpAnswer take_answer(const HTTPResponse& response, std::istream& in,
                           const std::function<void(std::string_view)>& take) {
        if (!take || response.getStatus() != HTTPResponse::HTTP_OK) return answer_of(response, in);
        if (watch.end()) throw Poco::TimeoutException();
        std::array<char, piece_size> piece{};
        while (in.read(piece.data(), piece.size()) || in.gcount() > 0)
            take({piece.data(), static_cast<std::size_t>(in.gcount())});
        if (in.bad()) throw Poco::IOException("the answer broke off");
        return {.status = response.getStatus(), .retry_after = {}, .body = {}};
    }
    std::string longest() const {
        return std::to_string(std::max(settings.whole_max, settings.answer_max) / std::chrono::seconds{1});
    }
    template <class Work>
    HttpAnswer guarded(Work&& work) {
        try {
            return work();
        } catch (const Poco::Exception& error) {
            leave();
            if (watch.end()) throw std::runtime_error("no whole answer within " + longest() + " s");
            throw std::runtime_error(error.displayText());
        } catch (...) {
            leave();  // in the middle of an answer
            watch.end();
            throw;
        }
    }
};

HttpClient::HttpClient(HttpUrl url, HttpClientSettings settings)
    : state_(std::make_unique<State>(std::move(url), std::move(settings))) {}
HttpClient::~HttpClient() = default;

HttpAnswer HttpClient::post(const Headers& headers, const std::string& type, std::string_view body) {
    return post(headers, type, body, {});
}

HttpAnswer HttpClient::post(const Headers& headers, const std::string& type, std::string_view body,
                            const std::function<void(std::string_view)>& take) {
    return state_->guarded([&] {
        HTTPRequest request{HTTPRequest::HTTP_POST, state_->url.path, HTTPRequest::HTTP_1_1};
        request.setContentType(type);
        request.setContentLength(static_cast<std::streamsize>(body.size()));
        HTTPResponse response;
        auto& in = state_->exchange(request, headers, body, response);
        return state_->take_answer(response, in, take);
    });
}

HttpAnswer HttpClient::get(const std::string& path, const Headers& headers,
                           const std::function<void(std::string_view)>& take) {
    return state_->guarded([&] {
        HTTPRequest request{HTTPRequest::HTTP_GET, path, HTTPRequest::HTTP_1_1};
        HTTPResponse response;
        auto& in = state_->exchange(request, headers, {}, response);
        return state_->take_answer(response, in, take);
    });
}

}  // namespace wattmesh::platform
