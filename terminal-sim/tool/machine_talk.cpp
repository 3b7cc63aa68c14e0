#include "terminal-sim/tool/machine_talk.h"

#include <charconv>

#include "platform/connector.h"
#include "terminal-sim/tool/tunnel_link.h"

namespace wattmesh::sim {
namespace {

constexpr std::size_t http_answer_max = 64 * 1'024;

std::shared_ptr<const security::TlsContext> machine_tls(const MachineTalkSettings& settings) {
    security::TlsSettings tls;
    tls.ca_pem = settings.ca_pem;
    tls.server_name = settings.name;
    tls.protocols = {};
    tls.without_protocol = true;
    return std::make_shared<const security::TlsContext>(std::move(tls));
}

/// The whole answer once it is there; vending always says how long its body is. Source: RFC 9112, 4 and 6.2.
std::optional<MachineAnswer> whole_answer(const std::string& text) {
    const auto head = text.find("\r\n\r\n");
    if (head == std::string::npos) return std::nullopt;
    MachineAnswer answer;
    const auto number_at = [&](std::size_t at, auto& number) {
        return at < head && std::from_chars(text.data() + at, text.data() + head, number).ec == std::errc{};
    };
    if (!text.starts_with("HTTP/1.1 ") || !number_at(9, answer.status))
        throw NoAnswer("no_answer", "what answers is no HTTP server");
    std::size_t length = 0;
    constexpr std::string_view field = "\r\nContent-Length: ";
    const auto found = text.find(field);
    if (found < head && !number_at(found + field.size(), length))
        throw NoAnswer("no_answer", "the answer has no length");
    if (length > http_answer_max) throw NoAnswer("no_answer", "the answer is too long");
    const auto begin = head + 4;
    if (text.size() < begin + length) return std::nullopt;
    answer.body = text.substr(begin, length);
    return answer;
}

}  // namespace

/// One request, from the line to the answer.
struct MachineTalk::Exchange {
    Exchange(MachineTalk& talk, std::uint16_t newest)
        : owner(talk), number(newest), loop(std::make_shared<platform::ScaledClock>()), limit(loop) {}

    void run() {
        limit.after_real(owner.settings_.answer_real_max, [this] { over("nobody answered in time"); });
        if (owner.settings_.serial) {
            serial = std::make_unique<platform::SerialLink>(loop, *owner.settings_.serial);
            serial->start({.on_bytes = [this](Bytes octets) { tunnel->line_received(octets); },
                           .on_closed = [this](const std::string& reason) { tunnel->line_closed(reason); }});
            begin(*serial);
        } else {
            platform::ConnectorSettings settings;
            settings.host = owner.settings_.via->host;
            settings.port = owner.settings_.via->port;
            connector = std::make_unique<platform::Connector>(loop, owner.random_, settings);
            connector->start({.on_open = [this](platform::Link& line) { begin(line); },
                              .on_bytes = [this](Bytes octets) { tunnel->line_received(octets); },
                              .on_closed =
                                  [this](const std::string& reason, Duration) {
                                      if (tunnel != nullptr) return tunnel->line_closed(reason);
                                      over(reason);
                                  }});
        }
        loop.run();
        if (tls) tls->close();
    }
    void begin(platform::Link& line) {
        auto made = std::make_unique<TunnelLink>(line, number);
        tunnel = made.get();
        tls = std::make_unique<platform::TlsLink>(loop, std::move(made), owner.tls_, loop.now());
        tls->handshake([this](const std::string& reason) {
            if (!reason.empty()) return over(reason);
            tls->start({.on_bytes = [this](Bytes octets) { came(octets); },
                        .on_closed = [this](const std::string& why) { over(why); }});
            tls->send(as_bytes(owner.said_));
        });
    }
    void came(Bytes octets) {
        text.append(octets.begin(), octets.end());
        try {
            answer = whole_answer(text);
            if (!answer && text.size() <= 2 * http_answer_max) return;
            if (!answer) trouble = "the answer is too long";
        } catch (const NoAnswer& fault) {
            trouble = fault.what();
        }
        loop.stop();
    }
    void over(const std::string& reason) {
        if (trouble.empty()) trouble = reason;
        if (tunnel != nullptr && tunnel->refused()) refused = tunnel->refused();
        loop.stop();
    }

    MachineTalk& owner;
    const std::uint16_t number;
    platform::Loop loop;
    platform::Timer limit;
    std::unique_ptr<platform::SerialLink> serial;
    std::unique_ptr<platform::Connector> connector;
    TunnelLink* tunnel = nullptr;  ///< inside of `tls`
    std::unique_ptr<platform::TlsLink> tls;
    std::string text, trouble;
    std::optional<MachineAnswer> answer;
    std::optional<link::TunnelReason> refused;
};

MachineTalk::MachineTalk(MachineTalkSettings settings, Random& random)
    : settings_(std::move(settings)), random_(random), tls_(machine_tls(settings_)) {
    std::array<std::uint8_t, 2> chance{};  // a machine that restarts must not go on with its old tunnel
    random_.fill(chance);
    newest_ = static_cast<std::uint16_t>(chance[0] << 8U | chance[1]);
}
MachineTalk::~MachineTalk() = default;

MachineAnswer MachineTalk::ask(const std::string& path, const std::string& body, const std::string& key) {
    said_ = (body.empty() ? "GET " : "POST ") + path + " HTTP/1.1\r\nHost: " + settings_.name +
            "\r\nConnection: close\r\nAuthorization: Bearer " + settings_.token + "\r\n";
    if (!key.empty()) said_ += "Idempotency-Key: " + key + "\r\n";
    if (!body.empty())
        said_ += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    said_ += "\r\n" + body;
    Exchange exchange{*this, ++newest_};
    try {
        exchange.run();
    } catch (const platform::SettingsError& error) {  // of the serial port
        throw NoAnswer("no_line", error.what());
    }
    if (exchange.answer) return *exchange.answer;
    const auto why = exchange.refused.value_or(link::TunnelReason::done);
    throw NoAnswer(why == link::TunnelReason::done ? "no_answer" : std::string{to_string(why)},
                   exchange.trouble);
}

}  // namespace wattmesh::sim
