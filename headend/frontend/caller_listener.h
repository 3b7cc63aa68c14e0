#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "headend/frontend/address_range.h"
#include "headend/frontend/caller_core.h"
#include "headend/frontend/caller_dialler.h"
#include "platform/acceptor.h"
#include "platform/log.h"

namespace wattmesh::headend::frontend {

enum class CallerTls : std::uint8_t { off, offered, required };

/// One port for devices of other makes.
struct CallerPortSettings {
    CallerPort port;
    std::string address = "127.0.0.1";
    std::uint16_t tcp_port = 0;  ///< 0: the system chooses
    bool share_port = false;
    CallerTls tls = CallerTls::off;
    std::vector<AddressRange> allowed;      ///< none: everybody
    unsigned accepts_per_second_max = 200;  ///< beyond it connections are closed
};

/// Ports for devices of other makes on real sockets: accepts, feeds the core, performs its actions, and says
/// of every refusal and every end why, with the peer's address. Everything runs on the loop's thread.
class CallerListener {
public:
    /// `settings` and `core` outlive it. `tls`: for the ports that want it. Throws platform::SocketError.
    CallerListener(platform::Loop& loop, const std::vector<CallerPortSettings>& settings,
                   const platform::TlsLink::Context& tls, CallerCore& core);
    ~CallerListener();

    void start();
    void stop();
    /// Of the port with this position in the settings.
    std::uint16_t port(std::size_t index) const;
    /// Whose links share the core; outlives the listener or is taken away with null.
    void join(CallerDialler* dialler) { dialler_ = dialler; }
    /// Something outside moved the core.
    void pump_soon();
    /// What the event just reported to the core brought about.
    void pump() { perform(core_.take_ready_actions()); }
    /// Connections refused before they became a session: allow-list, rate, TLS, too many.
    std::uint64_t refused() const { return refused_; }

private:
    struct Port;
    std::string judge(Port& port, const std::string& peer);
    void refuse(Port& port, const std::string& peer, const std::string& reason);
    void on_link(Port& port, std::unique_ptr<platform::Link> link);
    void tick();
    void perform(std::vector<CallerAction> actions);

    platform::Loop& loop_;
    CallerCore& core_;
    platform::Timer timer_;
    platform::Log log_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::map<LinkId, std::unique_ptr<platform::Link>> links_;
    CallerDialler* dialler_ = nullptr;
    std::uint64_t next_link_ = 1, refused_ = 0;
    std::shared_ptr<bool> pump_waits_ = std::make_shared<bool>(false);  ///< also: alive
};

}  // namespace wattmesh::headend::frontend
