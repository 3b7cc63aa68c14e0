#include "platform/http_client.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/URI.h>

#include <array>

namespace wattmesh::platform {
namespace {

using namespace Poco::Net;
constexpr std::size_t body_size_max = 4'096, piece_size = 64 * 1'024;
constexpr Duration retry_after_max = std::chrono::hours{24};

Poco::Timespan timespan(Duration duration) {
    return Poco::Timespan{std::chrono::duration_cast<std::chrono::microseconds>(duration).count()};
}

std::unique_ptr<HTTPClientSession> open(const HttpUrl& url, const HttpClientSettings& settings) {
    std::unique_ptr<HTTPClientSession> session;
    if (url.secure) {
        Context::Params parameters;
        parameters.caLocation = settings.ca_file;
        parameters.loadDefaultCAs = settings.ca_file.empty();
        parameters.verificationMode = Context::VERIFY_STRICT;
        Context::Ptr context = new Context{Context::TLS_CLIENT_USE, parameters};
        context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
        context->enableExtendedCertificateVerification(true);
        session = std::make_unique<HTTPSClientSession>(url.place.host, url.place.port, context);
    } else {
        session = std::make_unique<HTTPClientSession>(url.place.host, url.place.port);
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
    HttpUrl url;
    HttpClientSettings settings;
    std::unique_ptr<HTTPClientSession> session;

    std::istream& exchange(HTTPRequest& request, const Headers& headers, std::string_view body,
                           HTTPResponse& response) {
        if (!session) session = open(url, settings);
        for (const auto& [name, value] : headers) request.set(name, value);
        session->sendRequest(request).write(body.data(), static_cast<std::streamsize>(body.size()));
        return session->receiveResponse(response);
    }
    HttpAnswer answer_of(const HTTPResponse& response, std::istream& in) {
        HttpAnswer answer{response.getStatus(), retry_after_of(response), std::string(body_size_max, '\0')};
        in.read(answer.body.data(), static_cast<std::streamsize>(body_size_max));
        answer.body.resize(static_cast<std::size_t>(in.gcount()));
        // What is longer is not worth reading on: the next request gets a connection of its own.
        if (!in.eof() && in.peek() != std::istream::traits_type::eof()) session.reset();
        return answer;
    }
    HttpAnswer take_answer(const HTTPResponse& response, std::istream& in,
                           const std::function<void(std::string_view)>& take) {
        if (!take || response.getStatus() != HTTPResponse::HTTP_OK) return answer_of(response, in);
        std::array<char, piece_size> piece{};
        while (in.read(piece.data(), piece.size()) || in.gcount() > 0)
            take({piece.data(), static_cast<std::size_t>(in.gcount())});
        if (in.bad()) throw Poco::IOException("the answer broke off");
        return {.status = response.getStatus(), .retry_after = {}, .body = {}};
    }
    template <class Work>
    HttpAnswer guarded(Work&& work) {
        try {
            return work();
        } catch (const Poco::Exception& error) {
            session.reset();
            throw std::runtime_error(error.displayText());
        } catch (...) {
            session.reset();  // in the middle of an answer
            throw;
        }
    }
};

HttpClient::HttpClient(HttpUrl url, HttpClientSettings settings)
    : state_(std::make_unique<State>(State{std::move(url), std::move(settings), nullptr})) {}
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
