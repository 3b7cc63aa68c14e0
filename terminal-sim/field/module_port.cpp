#include "terminal-sim/field/module_port.h"

#include <algorithm>

#include "platform/log.h"

namespace wattmesh::sim {
namespace {

const platform::Log& log() {
    static const platform::Log source{"field.module"};
    return source;
}

}  // namespace

struct ModulePorts::Module {
    std::unique_ptr<platform::Acceptor> acceptor;
    std::unique_ptr<platform::Link> link;
    mesh::host::StreamDecoder decoder;
};

ModulePorts::ModulePorts(platform::Loop& loop, Field& field, const std::string& address,
                         std::uint16_t first_port)
    : loop_(loop), field_(field), step_(loop), save_(loop) {
    for (std::size_t i = 0; i < field.concentrators(); ++i) {
        auto module = std::make_unique<Module>();
        const auto port = static_cast<std::uint16_t>(first_port == 0 ? 0 : first_port + i);
        module->acceptor = std::make_unique<platform::Acceptor>(
            loop, platform::AcceptorSettings{.address = address, .port = port, .tls = {}});
        module->acceptor->start([this, i](std::unique_ptr<platform::Link> link) { take(i, std::move(link)); },
                                [](const std::string& peer, const std::string& reason) {
                                    log().warning("refused connection peer={} reason={}", peer,
                                                  platform::quoted(reason));
                                });
        log().information("listening concentrator={} port={}", to_string(field.town().concentrators[i]),
                          module->acceptor->port());
        modules_.push_back(std::move(module));
    }
    loop_.post([this] { advance(); });
    save();
}

ModulePorts::~ModulePorts() = default;

std::uint16_t ModulePorts::port(std::size_t concentrator) const {
    return modules_.at(concentrator)->acceptor->port();
}

void ModulePorts::take(std::size_t index, std::unique_ptr<platform::Link> link) {
    Module& module = *modules_[index];
    if (module.link)
        log().information("replaced connection concentrator={}",
                          to_string(field_.town().concentrators[index]));
    module.link = std::move(link);
    module.decoder = {};
    while (field_.take(index)) {
    }  // said to nobody
    log().information("opened connection concentrator={} peer={}",
                      to_string(field_.town().concentrators[index]), module.link->peer_address());
    module.link->start({[this, index](Bytes bytes) {
                            auto& decoder = modules_[index]->decoder;
                            decoder.feed(bytes);
                            advance();
                            while (const auto payload = decoder.next()) field_.feed(index, *payload);
                            flush();
                            step_.after({}, [this] { advance(); });
                        },
                        [this, index](const std::string& reason) {
                            log().information("closed connection concentrator={} reason={}",
                                              to_string(field_.town().concentrators[index]),
                                              platform::quoted(reason));
                            modules_[index]->link.reset();
                        }});
}

void ModulePorts::advance() {
    const Instant now = loop_.now();
    const Instant until = std::min(now, field_.now() + slice);
    field_.run_until(until);
    flush();
    const Instant next = std::min(field_.next_event(), now + slice);
    if (until < now)
        step_.after({}, [this] { advance(); });
    else if (loop_.clock().real(next - now) > step_real_min)
        step_.at(next, [this] { advance(); });
    else  // events that are due at once wait a real moment: a busy field leaves the sockets some air
        step_.after_real(std::chrono::duration_cast<Duration>(step_real_min), [this] { advance(); });
}

void ModulePorts::flush() {
    for (std::size_t i = 0; i < modules_.size(); ++i)
        while (const auto payload = field_.take(i)) {
            auto& link = modules_[i]->link;
            if (link && !link->send(mesh::host::frame_stream(*payload)))
                link.reset();  // the host does not read
        }
}

void ModulePorts::save() {
    field_.save();
    save_.after_real(save_real, [this] { save(); });
}

}  // namespace wattmesh::sim
