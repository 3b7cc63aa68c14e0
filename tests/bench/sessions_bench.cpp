#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/sessions/shared.h"

/// bench_sessions drive --port P --n N [--first NUMBER] [--tls] [--beat S] [--processes C] [--sources K]
///   N devices in processes of their own that call 127.0.0.1:P. Takes orders, one a line, and answers each
///   with one JSON line: "login" (until all are logged in, or 120 s), "work S" (counts for S seconds), "lost"
///   (from now until all are logged in again, or 240 s), "quit".
/// bench_sessions echo --port P
///   the server that is compared with.
/// Run by tests/bench/sessions_run, which starts the front-end.
namespace {

using namespace wattmesh::bench;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct Options {
    std::string what;
    Load load;
    int count = 0, processes = 0;
};

Options options_of(int argc, char** argv) {
    Options out;
    if (argc > 1) out.what = argv[1];
    for (int i = 2; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--tls") {
            out.load.tls = true;
            continue;
        }
        if (i + 1 >= argc) break;
        const std::string value = argv[++i];
        if (word == "--port") out.load.port = static_cast<std::uint16_t>(std::stoul(value));
        if (word == "--n") out.count = std::stoi(value);
        if (word == "--first") out.load.first = std::stoull(value);
        if (word == "--beat") out.load.beat_s = std::stod(value);
        if (word == "--processes") out.processes = std::stoi(value);
        if (word == "--sources") out.load.sources = std::stoi(value);
    }
    return out;
}

double seconds_since(Clock::time_point from) {
    return std::chrono::duration<double>(Clock::now() - from).count();
}

/// True when all are logged in before the time is over.
bool all_in(const Shared& shared, int count, double seconds) {
    const auto from = Clock::now();
    while (shared.sessions < count && seconds_since(from) < seconds) std::this_thread::sleep_for(5ms);
    return shared.sessions >= count;
}

void log_in(Shared& shared, int count) {
    const auto from = Clock::now();
    shared.phase = static_cast<int>(Phase::log_in);
    const bool all = all_in(shared, count, 120);
    const double took = seconds_since(from);
    shared.phase = static_cast<int>(Phase::work);
    std::printf("{\"all\":%s,\"sessions\":%lld,\"seconds\":%.3f,\"login_per_s\":%.0f,\"refused\":%llu}\n",
                all ? "true" : "false", static_cast<long long>(shared.sessions), took,
                static_cast<double>(shared.sessions) / took, static_cast<unsigned long long>(shared.refused));
}

/// Milliseconds below which 99 of 100 answers came.
double p99(const Shared& shared, std::uint64_t& count) {
    count = 0;
    for (const auto& slot : shared.beats) count += slot;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < shared.beats.size(); ++i) {
        seen += shared.beats[i];
        if (seen * 100 >= count * 99 && seen > 0) return static_cast<double>(i + 1) / Shared::slots_per_ms;
    }
    return 0;
}

void work(Shared& shared, double seconds) {
    for (auto& slot : shared.beats) slot = 0;
    const std::uint64_t frames = shared.frames, octets = shared.octets, lost = shared.lost;
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    std::uint64_t beats = 0;
    const double p99_ms = p99(shared, beats);
    std::printf("{\"frames\":%llu,\"octets\":%llu,\"beats\":%llu,\"beat_p99_ms\":%.1f,\"lost\":%llu}\n",
                static_cast<unsigned long long>(shared.frames - frames),
                static_cast<unsigned long long>(shared.octets - octets),
                static_cast<unsigned long long>(beats), p99_ms,
                static_cast<unsigned long long>(shared.lost - lost));
}

void reconnect(Shared& shared, int count) {
    const auto from = Clock::now();
    const std::uint64_t handshakes = shared.handshakes, resumed = shared.resumed;
    while (shared.sessions >= count && seconds_since(from) < 10) std::this_thread::sleep_for(1ms);
    const bool all = all_in(shared, count, 240);
    const auto shook = static_cast<double>(shared.handshakes - handshakes);
    std::printf("{\"all\":%s,\"reconnect_all_s\":%.2f,\"resumed_share\":%.4f}\n", all ? "true" : "false",
                seconds_since(from), shook > 0 ? static_cast<double>(shared.resumed - resumed) / shook : 0.0);
}

void obey(Shared& shared, int count) {
    for (std::string order; std::getline(std::cin, order) && order != "quit";) {
        if (order == "login")
            log_in(shared, count);
        else if (order.starts_with("work "))
            work(shared, std::stod(order.substr(5)));
        else if (order == "lost")
            reconnect(shared, count);
        std::fflush(stdout);
    }
}

int drive(const Options& options) {
    constexpr int devices_of_a_process = 15'000;  // of 20 000 descriptors
    const int processes = options.processes > 0
                              ? options.processes
                              : (options.count + devices_of_a_process - 1) / devices_of_a_process;
    void* const memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 1;
    auto& shared = *new (memory) Shared;
    std::vector<pid_t> children;
    int given = 0;
    for (int i = 0; i < processes; ++i) {
        Load load = options.load;
        load.index = i;
        load.first += static_cast<std::uint64_t>(given);
        load.count = (options.count - given) / (processes - i);
        given += load.count;
        const pid_t child = ::fork();
        if (child == 0) {
            run_clients(load, shared);
            std::_Exit(0);
        }
        children.push_back(child);
    }
    obey(shared, options.count);
    shared.phase = static_cast<int>(Phase::quit);
    for (const pid_t child : children) ::waitpid(child, nullptr, 0);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    ::signal(SIGPIPE, SIG_IGN);
    const Options options = options_of(argc, argv);
    if (options.load.port == 0 ||
        (options.what != "echo" && (options.what != "drive" || options.count < 1))) {
        std::fprintf(stderr, "usage: ops/bench sessions --n N [--tls]\n");
        return 2;
    }
    if (options.what == "echo") run_echo(options.load.port);
    return drive(options);
}
