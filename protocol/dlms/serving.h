#pragma once
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "protocol/dlms/access.h"
#include "protocol/dlms/server.h"
#include "protocol/dlms/server_association.h"

namespace wattmesh::dlms {

/// Outcomes one after the other; loops, instead of nesting calls, when the model answers at once.
template <class Outcome>
struct InOrder : std::enable_shared_from_this<InOrder<Outcome>> {
    std::size_t count = 0;
    std::function<void(std::size_t, std::function<void(Outcome)>)> ask;
    std::function<void(std::vector<Outcome>)> done;
    std::vector<Outcome> outcomes{};
    bool asking = false;

    void go_on() {
        if (asking) return;
        asking = true;
        bool answered = true;
        while (answered && outcomes.size() < count) {
            const std::size_t index = outcomes.size();
            ask(index, [self = this->shared_from_this(), index](Outcome outcome) {
                if (self->outcomes.size() != index) return;
                self->outcomes.push_back(std::move(outcome));
                self->go_on();
            });
            answered = outcomes.size() > index;
        }
        asking = false;
        if (outcomes.size() == count && done) std::exchange(done, nullptr)(std::move(outcomes));
    }
};

/// One request of one client on its way to the model and back.
struct Serving {
    using Reply = std::function<void(Buffer)>;

    std::shared_ptr<ServerAssociation> association;
    ObjectModel& model;
    ServerCounters& counters;
    Instant now;
    Reply reply;

    /// Protects an answer and sends it: whole, or in general blocks when it is too long or was asked for in
    /// blocks.
    static void deliver(ServerAssociation& association, Buffer plain, const Reply& reply);

    Sap client() const { return association->access().client; }
    void send(Buffer plain) const { deliver(*association, std::move(plain), reply); }
    void refuse(std::uint8_t service) const;
    bool allowed(std::uint32_t conformance_bit) const;
    /// HLS pass 3.
    void prove(const ActionRequest& request) const;
    void serve(Bytes plain) const;

    void operator()(const GetRequest& request) const;
    void operator()(const GetNextRequest& request) const;
    void operator()(const GetListRequest& request) const;
    void operator()(const SetRequest& request) const;
    void operator()(const SetBlockRequest& request) const;
    void operator()(const SetListRequest& request) const;
    void operator()(const ActionRequest& request) const;
    void operator()(const ActionNextRequest& request) const;
    void operator()(const ActionBlockRequest& request) const;
    void operator()(const ActionListRequest& request) const;
    void operator()(const AccessRequest& request) const;

private:
    template <class Outcome>
    using Done = std::function<void(Outcome)>;
    /// Wraps `finish` so that it runs at most once, and not for an association that has gone meanwhile.
    template <class Outcome>
    Done<Outcome> once(std::function<std::optional<Buffer>(ServerAssociation&, Outcome)> finish) const;
    /// Asks for `count` outcomes one after the other, then calls `done` with all of them. Nothing more is
    /// asked once the association has gone.
    template <class Outcome>
    void in_order(std::size_t count, std::function<void(std::size_t, Done<Outcome>)> ask,
                  Done<std::vector<Outcome>> done) const;

    void get_one(const AttributeId& id, const Selection& selection, bool valid,
                 const Done<ReadOutcome>& done) const;
    void set_one(const SetTarget& target, const Data& value, const Done<AccessResult>& done) const;
    void act_one(const MethodId& id, const Data& argument, bool given, const Done<ActionOutcome>& done) const;
    void access_one(const AccessSpecification& what, const Data& data, const Done<AccessOutcome>& done) const;
    using SetAnswer = std::function<Buffer(std::vector<AccessResult>)>;
    void set_all(std::vector<SetTarget> targets, std::vector<Data> values, bool confirmed,
                 SetAnswer answer) const;
    void act_all(std::vector<MethodId> ids, std::vector<std::optional<Data>> arguments, bool list,
                 std::uint8_t invoke) const;
    template <class Block>
    AccessResult gather(std::optional<ServerAssociation::Upload>& upload, const Block& block) const;
};

template <class Outcome>
std::function<void(Outcome)> Serving::once(
    std::function<std::optional<Buffer>(ServerAssociation&, Outcome)> finish) const {
    const std::uint64_t call = ++association->call_last;
    association->call_open = call;
    return
        [weak = std::weak_ptr{association}, call, out = reply, finish = std::move(finish)](Outcome outcome) {
            const auto answering = weak.lock();
            if (!answering || answering->call_open != call) return;
            answering->call_open = 0;
            if (auto plain = finish(*answering, std::move(outcome)))
                deliver(*answering, std::move(*plain), out);
        };
}

template <class Outcome>
void Serving::in_order(std::size_t count, std::function<void(std::size_t, Done<Outcome>)> ask,
                       Done<std::vector<Outcome>> done) const {
    auto run = std::make_shared<InOrder<Outcome>>();
    run->count = count;
    run->ask = [weak = std::weak_ptr{association}, call = association->call_open, ask = std::move(ask)](
                   std::size_t index, Done<Outcome> next) {
        const auto asking = weak.lock();
        if (asking && asking->call_open == call) ask(index, std::move(next));
    };
    run->done = std::move(done);
    run->go_on();
}

}  // namespace wattmesh::dlms
