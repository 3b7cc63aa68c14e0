#include "headend/frontend/image_supply.h"

#include <utility>

#include "protocol/dcu/objects.h"

namespace wattmesh::headend::frontend {

using Kind = cosem::ImageEvent::Kind;
using State = ImageSupplied::State;

ImageSupply::ImageSupply(DeviceNumber concentrator, Association& association, Images& images,
                         const ImageSupplySettings& settings, const Instant& now)
    : concentrator_(concentrator),
      association_(association),
      images_(images),
      settings_(settings),
      now_(now),
      check_at_(now) {}

void ImageSupply::tick() {
    if (resume_at_ && now_ >= *resume_at_) {
        resume_at_.reset();
        transfer_->resume_after_pause();
        go_on();
    }
    if (!asking_ && !transfer_ && now_ >= check_at_) ask();
}

void ImageSupply::ask() {
    asking_ = true;
    check_at_ = now_ + settings_.check_every;
    images_.wanted(concentrator_, settled_,
                   guard_.expect([this](std::optional<std::optional<WantedImage>> wanted) {
                       asking_ = false;
                       if (wanted && *wanted && !(*wanted)->octets.empty()) begin(**std::move(wanted));
                   }));
}

void ImageSupply::begin(WantedImage wanted) {
    wanted_ = std::move(wanted);
    told_at_ = now_;
    cosem::ImagePlan plan;
    plan.image_transfer = dcu::objects::firmware_image;
    plan.resume = wanted_.initiated;
    transfer_.emplace(Bytes{wanted_.octets}, wanted_.identifier, plan);
    go_on();
}

void ImageSupply::go_on() {
    take_events();
    if (transfer_->finished()) {
        if (transfer_->succeeded()) settled_ = wanted_.identifier;
        check_at_ = now_ + (transfer_->succeeded() ? settings_.check_every : settings_.retry);
        transfer_.reset();
        wanted_ = {};
        return;
    }
    if (const auto pause = transfer_->pause()) {
        resume_at_ = now_ + *pause;
        return;
    }
    if (const auto step = transfer_->next()) send(*step);
}

void ImageSupply::send(const cosem::ImageStep& step) {
    // A peer that broke the protocol ends the transfer; the next look begins where the concentrator is.
    const auto answered = [this](const auto& outcome) {
        if (!outcome) return void(transfer_.reset());
        transfer_->answer(*outcome);
        go_on();
    };
    if (const auto* read = std::get_if<cosem::ReadStep>(&step))
        association_.get(read->id, {},
                         guard_.expect([answered](const std::optional<dlms::ReadOutcome>& outcome) {
                             answered(outcome);
                         }));
    else if (const auto* write = std::get_if<cosem::WriteStep>(&step))
        association_.set(
            write->id, write->value,
            guard_.expect([answered](std::optional<dlms::AccessResult> result) { answered(result); }));
    else if (const auto* call = std::get_if<cosem::MethodCall>(&step))
        association_.act(call->id, call->argument,
                         guard_.expect([answered](const std::optional<dlms::ActionOutcome>& outcome) {
                             answered(outcome);
                         }));
}

void ImageSupply::take_events() {
    while (const auto event = transfer_->take_event()) {
        if (event->kind == Kind::initiated) tell(State::initiated, *event);
        if (event->kind == Kind::verified) tell(State::verified, *event);
        if (event->kind == Kind::failed) tell(State::failed, *event);
        const bool moved = event->kind == Kind::progressed || event->kind == Kind::resumed;
        if (moved && now_ - told_at_ >= settings_.tell_every) tell(State::sending, *event);
    }
}

void ImageSupply::tell(State state, const cosem::ImageEvent& event) {
    told_at_ = now_;
    images_.supplied(
        concentrator_, wanted_.identifier,
        {.state = state, .blocks_done = event.blocks_done, .blocks = event.blocks, .reason = event.reason},
        now_);
}

}  // namespace wattmesh::headend::frontend
