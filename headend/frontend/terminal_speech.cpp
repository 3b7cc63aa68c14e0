#include "headend/frontend/terminal_speech.h"

#include <cassert>

#include "protocol/gdw376/exchange.h"
#include "protocol/gdw376/terminal_number.h"

namespace wattmesh::headend::frontend {

using gdw376::Afn, gdw376::Frame;

Buffer TerminalSpeech::ask(Bytes request) {
    gdw376::Decoder whole;
    whole.feed(request);
    auto frame = whole.next();
    assert(frame && !whole.partial());
    frame->sequence = sequence_ = (sequence_ + 1) & 0x0F;
    answer_.reset();
    finder_.open(*frame);
    return gdw376::encode(*frame);
}

std::optional<Frame> TerminalSpeech::next() {
    auto frame = decoder_.next();
    if (!frame) return frame;
    if (!address_) address_ = frame->address;
    if (finder_.take(*frame) != gdw376::AnswerFinder::Took::whole) return frame;
    Buffer all;
    for (const Frame& part : finder_.take_frames()) {
        const Buffer octets = gdw376::encode(part);
        all.insert(all.end(), octets.begin(), octets.end());
    }
    answer_ = std::move(all);
    return frame;
}

std::optional<DeviceNumber> TerminalSpeech::number() const {
    return address_ ? gdw376::terminal_number(*address_) : std::nullopt;
}

std::optional<Buffer> TerminalSpeech::receipt(const Frame& frame) {
    if (!frame.from_terminal) return std::nullopt;
    const bool denied = frame.afn == Afn::authenticate || frame.afn == Afn::relay_station;
    // A heartbeat is answered even where it does not ask for it: some terminals hang up without.
    if (!denied && !frame.confirm && frame.afn != Afn::link) return std::nullopt;
    return gdw376::encode(gdw376::confirm(frame, !denied));
}

bool TerminalSpeech::is_report(const Frame& frame) {
    return frame.from_terminal && frame.initiates && frame.afn != Afn::link && frame.afn != Afn::confirm;
}

}  // namespace wattmesh::headend::frontend
