#include "headend/frontend/association.h"

#include <utility>

namespace wattmesh::headend::frontend {
namespace {

dlms::ClientConfig plain_client() {
    dlms::ClientConfig config;
    config.transfer_size_max = 2U << 20U;  // a journal batch: 200 entries of 2 KiB, and their keys
    return config;
}

}  // namespace

Association::Association(Sap own, Ciphers& ciphers, Random& random, const Instant& now)
    : now_(now), own_(own), client_(plain_client(), ciphers, random, no_counters_, no_counters_) {}

void Association::associate_once() {
    if (client_.associated() || std::exchange(associating_, true)) return;
    client_.associate();
}

void Association::get(const dlms::AttributeId& id, const dlms::Selection& selection, ReadDone done) {
    if (closed_) return done(std::nullopt);
    associate_once();
    if (!progress_) progress_ = now_;
    reads_[client_.get(id, selection)] = std::move(done);
}

void Association::set(const dlms::AttributeId& id, dlms::Data value, WriteDone done) {
    if (closed_) return done(std::nullopt);
    associate_once();
    if (!progress_) progress_ = now_;
    writes_[client_.set(id, std::move(value))] = std::move(done);
}

void Association::act(const dlms::MethodId& id, std::optional<dlms::Data> argument, ActDone done) {
    if (closed_) return done(std::nullopt);
    associate_once();
    if (!progress_) progress_ = now_;
    acts_[client_.act(id, std::move(argument))] = std::move(done);
}

std::optional<Buffer> Association::take_output() {
    if (closed_) return std::nullopt;
    take_events();
    return client_.take_output();
}

std::optional<dlms::Data> Association::take_notification() {
    if (notifications_.empty()) return std::nullopt;
    dlms::Data body = std::move(notifications_.front());
    notifications_.pop_front();
    return body;
}

std::optional<Instant> Association::waiting_since() const {
    return client_.busy() ? progress_ : std::nullopt;
}

void Association::receive(Bytes apdu) {
    progress_ = now_;
    client_.receive(apdu);
    take_events();
    if (!client_.busy()) progress_.reset();
}

void Association::take_events() {
    while (auto event = client_.take_event()) {
        if (std::holds_alternative<dlms::Associated>(*event)) {
            associating_ = false;
        } else if (std::holds_alternative<dlms::AssociationRefused>(*event)) {
            refused_ = true;
            fail_all();
        } else if (const auto* read = std::get_if<dlms::ReadCompleted>(&*event)) {
            on(*read);
        } else if (const auto* write = std::get_if<dlms::WriteCompleted>(&*event)) {
            on(*write);
        } else if (const auto* acted = std::get_if<dlms::ActionCompleted>(&*event)) {
            on(*acted);
        } else if (const auto* failed = std::get_if<dlms::RequestFailed>(&*event)) {
            on(*failed);
        } else if (auto* notified = std::get_if<dlms::Notified>(&*event)) {
            notifications_.push_back(std::move(notified->body));
        }
    }
}

void Association::on(const dlms::ReadCompleted& event) {
    if (auto waiting = reads_.extract(event.request)) waiting.mapped()(event.outcome);
}

void Association::on(const dlms::WriteCompleted& event) {
    if (auto waiting = writes_.extract(event.request)) waiting.mapped()(event.result);
}

void Association::on(const dlms::ActionCompleted& event) {
    if (auto waiting = acts_.extract(event.request)) waiting.mapped()(event.outcome);
}

void Association::on(const dlms::RequestFailed& event) {
    ++malformed_;
    if (event.association_lost) associating_ = false;
    if (!event.request) return;
    if (auto read = reads_.extract(*event.request)) read.mapped()(std::nullopt);
    if (auto write = writes_.extract(*event.request)) write.mapped()(std::nullopt);
    if (auto act = acts_.extract(*event.request)) act.mapped()(std::nullopt);
}

void Association::close() {
    closed_ = true;
    fail_all();
}

void Association::fail_all() {
    for (auto& [id, done] : std::exchange(reads_, {})) done(std::nullopt);
    for (auto& [id, done] : std::exchange(writes_, {})) done(std::nullopt);
    for (auto& [id, done] : std::exchange(acts_, {})) done(std::nullopt);
}

}  // namespace wattmesh::headend::frontend
