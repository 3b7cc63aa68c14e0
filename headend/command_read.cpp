#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPCookie.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

#include <cstdlib>
#include <iostream>
#include <sstream>

#include "headend/command_line.h"
#include "headend/read_direct.h"

namespace wattmesh::headend {
namespace {

using Poco::JSON::Object;

/// The console's API, as far as one read needs it.
class ConsoleSession {
public:
    explicit ConsoleSession(const std::string& url) : uri_(url), session_(uri_.getHost(), uri_.getPort()) {
        if (uri_.getScheme() != "http")
            throw platform::UsageError("--console takes an address like http://127.0.0.1:8080");
        session_.setTimeout(Poco::Timespan(120, 0));
    }

    void log_in(const std::string& user, const std::string& password) {
        Object body;
        body.set("user", user);
        body.set("password", password);
        const auto answer = post("/api/login", body);
        csrf_ = answer->getValue<std::string>("csrf");
    }

    Object::Ptr post(const std::string& path, const Object& body) {
        std::ostringstream text;
        body.stringify(text);
        Poco::Net::HTTPRequest request{Poco::Net::HTTPRequest::HTTP_POST, path,
                                       Poco::Net::HTTPMessage::HTTP_1_1};
        request.setContentType("application/json");
        request.setContentLength(static_cast<std::streamsize>(text.str().size()));
        if (!cookie_.empty()) request.set("Cookie", cookie_);
        if (!csrf_.empty()) request.set("X-CSRF-Token", csrf_);
        Poco::Net::HTTPResponse response;
        try {
            session_.sendRequest(request) << text.str();
            std::istream& in = session_.receiveResponse(response);
            std::string answer;
            Poco::StreamCopier::copyToString(in, answer);
            remember_cookies(response);
            return accept(response, answer);
        } catch (const Poco::Exception& error) {
            throw std::runtime_error("the console at " + uri_.toString() + " cannot be reached: " +
                                     error.displayText() + " (is `headend serve` running there?)");
        }
    }

private:
    void remember_cookies(const Poco::Net::HTTPResponse& response) {
        std::vector<Poco::Net::HTTPCookie> cookies;
        response.getCookies(cookies);
        for (const auto& cookie : cookies) cookie_ = cookie.getName() + "=" + cookie.getValue();
    }

    static Object::Ptr accept(const Poco::Net::HTTPResponse& response, const std::string& text) {
        const auto object =
            text.empty() ? Object::Ptr{new Object} : Poco::JSON::Parser{}.parse(text).extract<Object::Ptr>();
        if (response.getStatus() < 300) return object;
        std::string words = object->optValue<std::string>("title", response.getReason());
        const auto detail = object->optValue<std::string>("detail", "");
        throw std::runtime_error(words + (detail.empty() ? "" : ": " + detail));
    }

    Poco::URI uri_;
    Poco::Net::HTTPClientSession session_;
    std::string cookie_, csrf_;
};

std::string password_of(const std::string& user) {
    if (const char* password = std::getenv("WATTMESH_PASSWORD"))
        return password;  // NOLINT(concurrency-mt-unsafe)
    std::cerr << "Password for " << user << ": ";
    std::string password;
    std::getline(std::cin, password);
    return password;
}

int read_through_console(const platform::Arguments& arguments) {
    if (arguments.words().size() != 2)
        throw platform::UsageError("say: headend read METER OBIS --user LOGIN (see headend read --help)");
    const auto meter = number_from(arguments.words()[0]);
    const std::string code = arguments.words()[1];
    if (!ObisCode::parse(code))
        throw platform::UsageError("'" + code + "' is not an OBIS code like 1.8.0 or 1-0:1.8.0*255");
    const auto settings = arguments.settings();
    const auto user = settings.required<std::string>("user");
    ConsoleSession session{settings.optional<std::string>("console", "http://127.0.0.1:8080")};
    session.log_in(user, password_of(user));
    Object body;
    body.set("obis", code);
    body.set("reason", "headend read");
    if (settings.has("class")) body.set("class", settings.required_in<int>("class", 1, 65'535));
    if (settings.has("attribute")) body.set("attribute", settings.required_in<int>("attribute", 1, 127));
    const auto answer = session.post("/api/meters/" + to_string(meter) + "/read", body);
    if (arguments.has("json")) {
        answer->stringify(std::cout);
        std::cout << "\n";
        return 0;
    }
    const bool number = answer->has("value") && !answer->isNull("value");
    std::cout << (number ? answer->getValue<std::string>("value")
                         : answer->optValue<std::string>("text", ""));
    const auto unit = answer->optValue<std::string>("unit", "");
    std::cout << (unit.empty() ? "" : " " + unit) << "\n";
    std::cerr << answer->optValue<std::string>("name", code) << " of meter " << to_string(meter) << ", in "
              << answer->optValue<int>("milliseconds", 0) << " ms of simulated time\n";
    return 0;
}

}  // namespace

int run_read(const Words& words) {
    const auto arguments = parse_words(
        words,
        {"user", "console", "class", "attribute", "tcp", "link", "client", "secret", "ek", "ak", "keys"},
        {"json"});
    return arguments.has("tcp") ? read_direct(arguments) : read_through_console(arguments);
}

}  // namespace wattmesh::headend
