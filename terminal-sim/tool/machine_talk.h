#pragma once
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "platform/clock.h"
#include "platform/serial_link.h"
#include "protocol/base/cipher.h"

namespace wattmesh::sim {

struct MachineTalkSettings {
    std::optional<platform::HostPort> via{};           ///< the concentrator's port, or
    std::optional<platform::SerialSettings> serial{};  ///< its serial line
    std::string ca_pem;                                ///< of vending's certificate, which is for `name`
    std::string name;
    std::string token;  ///< API token
    Duration answer_real_max = std::chrono::seconds{20};
};

struct MachineAnswer {
    int status = 0;
    std::string body;
};

/// Nothing was answered; whether anything was done is not known.
struct NoAnswer : std::runtime_error {
    NoAnswer(std::string word, const std::string& text) : std::runtime_error(text), reason(std::move(word)) {}
    std::string reason;  ///< one word: of link::TunnelReason, no_answer or no_line
};

/// A vending machine that asks vending through a concentrator: HTTP in TLS from here to vending, each
/// request in a tunnel of its own. Blocks. One thread.
class MachineTalk {
public:
    /// Throws security::PkiError when `ca_pem` is no certificate.
    MachineTalk(MachineTalkSettings settings, Random& random);
    ~MachineTalk();
    MachineTalk(const MachineTalk&) = delete;
    MachineTalk& operator=(const MachineTalk&) = delete;

    /// `body` empty: GET, else POST of JSON. `key`: Idempotency-Key. Throws NoAnswer.
    MachineAnswer ask(const std::string& path, const std::string& body, const std::string& key);
    /// What the newest request was in HTTP, for tests that look for it elsewhere.
    const std::string& said() const { return said_; }

private:
    struct Exchange;
    MachineTalkSettings settings_;
    Random& random_;
    std::shared_ptr<const security::TlsContext> tls_;
    std::string said_;
    std::uint16_t newest_ = 0;
};

}  // namespace wattmesh::sim
