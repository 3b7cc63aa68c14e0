#include "headend/direct_line.h"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>

#include <array>
#include <stdexcept>

namespace wattmesh::headend {
namespace {

constexpr Sap logical_device{1};
constexpr int patience_s = 10, repeat_after_s = 3;

link::HdlcLink::Config hdlc_config(Sap client) {
    link::HdlcLink::Config config;
    config.own = {.upper = client.value};
    config.peer = {.upper = logical_device.value};
    return config;
}

}  // namespace

DirectLine::DirectLine(const platform::HostPort& place, LineKind kind, Sap client)
    : name_(place.host + ":" + std::to_string(place.port)),
      kind_(kind),
      client_(client),
      hdlc_(hdlc_config(client)) {
    try {
        socket_.connect(Poco::Net::SocketAddress{place.host, place.port}, Poco::Timespan(patience_s, 0));
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("no connection to " + name_ + ": " + error.displayText());
    }
    socket_.setReceiveTimeout(Poco::Timespan(1, 0));
    socket_.setNoDelay(true);
    if (kind_ == LineKind::wrapper) return;
    hdlc_.open();
    wait_for(&DirectLine::is_open);
}

DirectLine::~DirectLine() {
    try {
        if (kind_ == LineKind::hdlc && hdlc_.state() == link::HdlcLink::State::open) {
            hdlc_.close();
            flush();
            receive();  // the UA, as a courtesy
        }
        socket_.close();
    } catch (const std::exception&) {
        // the line is given up anyway
    }
}

void DirectLine::send(Bytes bytes) {
    while (!bytes.empty()) {
        const int sent = socket_.sendBytes(bytes.data(), static_cast<int>(bytes.size()));
        if (sent <= 0) throw std::runtime_error(name_ + " closed the connection");
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
}

void DirectLine::flush() {
    while (const auto frame = hdlc_.take_output()) send(*frame);
}

bool DirectLine::receive() {
    std::array<std::uint8_t, 4'096> octets;
    try {
        const int count = socket_.receiveBytes(octets.data(), static_cast<int>(octets.size()));
        if (count <= 0) throw std::runtime_error(name_ + " closed the connection");
        const Bytes bytes = Bytes{octets}.first(static_cast<std::size_t>(count));
        kind_ == LineKind::wrapper ? wrapper_.feed(bytes) : hdlc_.feed(bytes);
        return true;
    } catch (const Poco::TimeoutException&) {
        return false;
    } catch (const Poco::Exception& error) {
        throw std::runtime_error("the connection to " + name_ + " broke: " + error.displayText());
    }
}

bool DirectLine::is_open() { return hdlc_.state() == link::HdlcLink::State::open; }

bool DirectLine::take_answer() {
    if (kind_ == LineKind::hdlc) {
        answer_ = hdlc_.take_apdu();
    } else if (auto frame = wrapper_.next()) {
        answer_ = std::move(frame->payload);
    }
    if (wrapper_.error())
        throw std::runtime_error(name_ + " does not speak the DLMS wrapper; try --link hdlc");
    return answer_.has_value();
}

void DirectLine::wait_for(bool (DirectLine::*done)()) {
    flush();
    for (int silence_s = 0; !(this->*done)();) {
        if (receive()) {
            silence_s = 0;
            flush();
            continue;
        }
        if (++silence_s >= patience_s) throw std::runtime_error(name_ + " does not answer");
        if (kind_ == LineKind::hdlc && silence_s % repeat_after_s == 0) hdlc_.repeat();
        flush();
    }
}

Buffer DirectLine::exchange(Bytes apdu) {
    if (kind_ == LineKind::wrapper) {
        send(link::encode_wrapper({client_, logical_device, to_buffer(apdu)}));
    } else {
        hdlc_.send_apdu(apdu);
    }
    answer_.reset();
    wait_for(&DirectLine::take_answer);
    return *std::move(answer_);
}

}  // namespace wattmesh::headend
