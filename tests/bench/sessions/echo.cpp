#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "tests/bench/sessions/shared.h"

namespace wattmesh::bench {

void run_echo(std::uint16_t port) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = ::epoll_create1(0), on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(listener, 4'096) != 0)
        std::exit(1);
    epoll_event mine{};
    mine.events = EPOLLIN;
    mine.data.fd = listener;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, listener, &mine);
    std::array<epoll_event, 256> events{};
    std::array<char, 16'384> octets{};
    for (;;) {
        const int count = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < count; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener) {
                mine.data.fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
                if (mine.data.fd >= 0) ::epoll_ctl(poll, EPOLL_CTL_ADD, mine.data.fd, &mine);
                continue;
            }
            const auto size = ::read(fd, octets.data(), octets.size());
            if (size <= 0 || ::write(fd, octets.data(), static_cast<std::size_t>(size)) != size) ::close(fd);
        }
    }
}

}  // namespace wattmesh::bench
