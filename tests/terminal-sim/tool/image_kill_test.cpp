// A simulated meter is killed in the middle of an image: a real process, a real socket.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "platform/acceptor.h"
#include "protocol/cosem/image_transfer.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/meter_session.h"
#include "tests/terminal-sim/tool/meter_thread.h"

using namespace wattmesh;
using namespace wattmesh::sim;

namespace {

std::uint16_t free_port() {
    platform::Loop loop{std::make_shared<platform::ScaledClock>()};
    return platform::Acceptor{loop, {}}.port();
}

/// `terminal-sim meter` in a process of its own.
class MeterProcess {
public:
    MeterProcess(std::uint16_t port, const std::filesystem::path& state) {
        pid_ = ::fork();
        if (pid_ != 0) return;
        const std::string number = std::to_string(port), folder = state.string();
        const char* const words[] = {"terminal-sim",   "meter",
                                     "--port",         number.c_str(),
                                     "--number",       "540000000042",
                                     "--ek",           "01010101010101010101010101010101",
                                     "--ak",           "02020202020202020202020202020202",
                                     "--state",        folder.c_str(),
                                     "--history-days", "0",
                                     "--log",          "error"};
        int status = 1;
        try {
            status = run_tool(std::size(words), words, folder);
        } catch (const std::exception&) {
            status = 1;
        }
        ::_exit(status);
    }
    ~MeterProcess() { end(SIGTERM); }
    /// What the process ended with.
    int end(int signal) {
        if (pid_ <= 0) return 0;
        ::kill(pid_, signal);
        int status = 0;
        ::waitpid(std::exchange(pid_, 0), &status, 0);
        return status;
    }

private:
    pid_t pid_ = 0;
};

/// Carries the transfer on until it has ended or `blocks_max` blocks have gone out; how many did.
std::uint32_t carry(cosem::ImageTransfer& transfer, std::uint16_t port, std::uint32_t blocks_max,
                    std::vector<cosem::ImageEvent>& events) {
    std::optional<BenchCall> call;
    for (int attempt = 0; !call; ++attempt) try {
            call.emplace(platform::HostPort{"127.0.0.1", port}, LinkKind::wrapper, management_logical_device,
                         20s);
        } catch (const std::runtime_error&) {  // it is still starting
            if (attempt == 200) throw;
            std::this_thread::sleep_for(100ms);
        }
    MeterSession session{*call, {management_client, {}, dlms::ClientKeys{key(1), key(2)}}};
    std::uint32_t blocks = 0;
    while (!transfer.finished() && blocks < blocks_max) {
        if (transfer.pause()) transfer.resume_after_pause();
        const auto step = transfer.next();
        if (const auto* read = std::get_if<cosem::ReadStep>(&*step)) transfer.answer(session.get(read->id));
        if (const auto* write = std::get_if<cosem::WriteStep>(&*step))
            transfer.answer(session.set(write->id, write->value));
        if (const auto* method = std::get_if<cosem::MethodCall>(&*step)) {
            if (method->id.method == 2) ++blocks;
            transfer.answer(session.act(method->id, method->argument));
        }
        while (const auto event = transfer.take_event()) events.push_back(*event);
    }
    return blocks;
}

}  // namespace

TEST_CASE("image: a meter that is killed in the middle goes on at the first block it does not have",
          "[sim]") {
    std::string name = (std::filesystem::temp_directory_path() / "wattmesh-kill-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    const std::filesystem::path folder{name};
    security::OpensslCiphers ciphers;
    const auto vendor = ciphers.private_key(Curve::p256, Buffer(32, 5));
    REQUIRE(vendor);
    Buffer content = to_buffer(as_bytes("WMT-SIM 4.2.0\n"));
    content.resize(40 * 128, 9);
    cosem::ImageHeader header;
    header.model = std::string{Meter::type};
    header.version = "4.2.0";
    header.identifier = {4, 2};
    const Buffer file = cosem::sign_image(header, content, *vendor, ciphers);
    const auto image = cosem::SignedImage::open(file, vendor->public_key(), ciphers);
    REQUIRE(image);
    cosem::ImageTransfer transfer{*image, {}};
    std::vector<cosem::ImageEvent> events;
    const auto port = free_port();
    {
        MeterProcess meter{port, folder};
        CHECK(carry(transfer, port, 17, events) == 17);
        CHECK(WIFSIGNALED(meter.end(SIGKILL)));
    }
    transfer.interrupted();
    events.clear();
    MeterProcess meter{port, folder};
    CHECK(carry(transfer, port, 1'000, events) == 40 - 17);
    CHECK(transfer.succeeded());
    REQUIRE(!events.empty());
    CHECK(events.front().kind == cosem::ImageEvent::Kind::resumed);
    CHECK(events.front().blocks_done == 17);
    CHECK(events.back().kind == cosem::ImageEvent::Kind::activated);
    CHECK(meter.end(SIGTERM) == 0);
    std::filesystem::remove_all(folder);
}
