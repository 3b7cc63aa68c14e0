#include "protocol/gdw376/answer.h"

#include "protocol/gdw376/exchange.h"

namespace wattmesh::gdw376 {

void AnswerFinder::open(const Frame& request) {
    open_ = Open{request.address, request.afn, request.sequence};
    frames_.clear();
}

void AnswerFinder::close() {
    open_.reset();
    frames_.clear();
}

AnswerFinder::Took AnswerFinder::take(const Frame& frame) {
    if (!open_ || !frame.from_terminal) return Took::no;
    if (frame.address.area != open_->address.area || frame.address.terminal != open_->address.terminal)
        return Took::no;
    if (frame.afn != open_->afn && frame.afn != Afn::confirm) return Took::no;
    if (frames_.empty() || frame.first) {
        if (!frame.first || frame.sequence != open_->sequence) return Took::no;
        frames_.clear();  // the terminal began anew
    } else {
        const auto previous = frames_.back().sequence;
        if (frame.sequence == previous) return Took::part;  // said twice
        if (frame.sequence != ((previous + 1) & 0x0F)) return Took::no;
    }
    if (frames_.size() >= frames_max) return Took::no;
    frames_.push_back(frame);
    if (!frame.last) return Took::part;
    open_.reset();
    return Took::whole;
}

bool is_denial(const Frame& frame) {
    if (frame.afn != Afn::confirm) return false;
    const auto confirmation = decode_confirmation(frame);
    return confirmation && !confirmation->accepted();
}

}  // namespace wattmesh::gdw376
