#pragma once
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "platform/http_client.h"
#include "protocol/base/id.h"
#include "protocol/base/time.h"
#include "terminal-sim/tool/cim_said.h"
#include "terminal-sim/tool/partner_token.h"

namespace wattmesh::sim {

/// Takes the replies that a head-end sends later, over HTTP, on threads of its own.
class CimSink {
public:
    /// Port 0: any. Throws, naming the address, when it cannot listen. `status` is what it answers.
    CimSink(const std::string& address, std::uint16_t port, int status = 204);
    ~CimSink();
    CimSink(const CimSink&) = delete;
    CimSink& operator=(const CimSink&) = delete;
    std::uint16_t port() const;
    void answer_with(int status);
    /// Bodies in the order in which they came.
    std::vector<std::string> bodies() const;
    /// Messages with this correlation until `over` says that it was the last, or nothing came for `wait`.
    std::vector<CimSaid> wait_for(const std::string& correlation,
                                  const std::function<bool(const CimSaid&)>& over,
                                  std::chrono::seconds wait) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// What a partner writes in IEC 61968-100.
struct CimRequestText {
    std::string verb, noun, message_id;
    std::string reply_address{};       ///< empty: no asynchronous reply
    std::string request{}, payload{};  ///< profile documents
    enum class Wrapping { plain, soap_1_1, soap_1_2 } wrapping = Wrapping::plain;
};
std::string write_request(const CimRequestText& request);
/// `from` and `to`: empty, or instants.
std::string get_meter_readings(const std::vector<std::string>& meters, const std::vector<std::string>& types,
                               const std::string& from = {}, const std::string& to = {});
struct CimControlText {
    std::string name, type, meter;
};
std::string end_device_controls(const std::vector<CimControlText>& controls);

/// A partner's program that speaks IEC 61968-9. One thread.
class CimPartner {
public:
    /// `base`: the head-end's address, without a path.
    CimPartner(const platform::HttpUrl& base, PartnerClient client,
               const platform::HttpClientSettings& settings);

    /// Sends it; the answer as it came. Throws std::runtime_error for another status than 200.
    std::string post(const CimRequestText& request);
    CimSaid ask(const CimRequestText& request) { return parse_said(post(request)); }

private:
    platform::HttpClient http_;
    PartnerToken token_;
};

}  // namespace wattmesh::sim
