#include "protocol/dlms/server.h"

#include <cassert>

#include "protocol/dlms/apdu.h"
#include "protocol/dlms/server_association.h"

namespace wattmesh::dlms {

namespace {

using Phase = ServerAssociation::Phase;
using Reply = std::function<void(Buffer)>;

constexpr std::uint8_t tag_aarq = 0x60, tag_rlrq = 0x62;
constexpr MethodId reply_to_hls{15, obis::current_association, 1};
constexpr std::size_t set_transfer_size_max = 256 * 1024;

Buffer refusal(std::uint8_t state, std::uint8_t service) {
    return encode(ExceptionResponse{state, service, {}});
}

}  // namespace

struct Server::State {
    SystemTitle title;
    ObjectModel& model;
    Random& random;
    ServerCounters counters;
    std::map<Sap, std::shared_ptr<ServerAssociation>> associations;
};

namespace {

/// One request of one client on its way to the model and back.
struct Serving {
    std::shared_ptr<ServerAssociation> association;
    ObjectModel& model;
    ServerCounters& counters;
    Instant now;
    Reply reply;

    Sap client() const { return association->access().client; }
    void send(Buffer apdu) const {
        if (auto wire = association->protect(std::move(apdu))) reply(std::move(*wire));
    }
    void refuse(std::uint8_t service) const { reply(refusal(exception::service_not_allowed, service)); }
    bool allowed(std::uint32_t conformance_bit) const {
        if (association->allows(conformance_bit)) return true;
        refuse(exception::service_not_supported);
        return false;
    }

    /// Wraps `finish` so that it runs at most once, and not for an association that has gone meanwhile.
    template <class Outcome, class Finish>
    std::function<void(Outcome)> once(Finish finish) const {
        const std::uint64_t call = ++association->call_last;
        association->call_open = call;
        return [weak = std::weak_ptr{association}, call, reply = reply, finish](Outcome outcome) {
            const auto answering = weak.lock();
            if (!answering || answering->call_open != call) return;
            answering->call_open = 0;
            if (auto apdu = finish(*answering, std::move(outcome)))
                if (auto wire = answering->protect(std::move(*apdu))) reply(std::move(*wire));
        };
    }

    void operator()(const GetRequest& request) const;
    void operator()(const GetNextRequest& request) const;
    void operator()(const SetRequest& request) const;
    void operator()(const SetBlockRequest& request) const;
    void operator()(const ActionRequest& request) const;
    void operator()(const UnsupportedRequest&) const { refuse(exception::service_not_supported); }
    void prove(const ActionRequest& request) const;
};

Buffer next_block(ServerAssociation& association) {
    auto& transfer = *association.get_transfer;
    const std::size_t size = std::min(association.block_size(), transfer.raw.size() - transfer.sent);
    const auto begin = transfer.raw.begin() + static_cast<std::ptrdiff_t>(transfer.sent);
    transfer.sent += size;
    const GetBlockResponse block{.invoke = transfer.invoke,
                                 .last = transfer.sent == transfer.raw.size(),
                                 .block = ++transfer.block,
                                 .content = Buffer{begin, begin + static_cast<std::ptrdiff_t>(size)}};
    if (block.last) association.get_transfer.reset();
    return encode(block);
}

Buffer get_answer(ServerAssociation& association, std::uint8_t invoke, ReadOutcome outcome) {
    Buffer whole = encode(GetResponse{invoke, std::move(outcome)});
    if (association.fits(whole.size())) return whole;
    if (!association.allows(conformance::block_transfer_with_get))
        return encode(GetResponse{invoke, AccessResult::other_reason});
    constexpr std::ptrdiff_t header_size = 4;  // C4 01, invoke, choice: the blocks carry the data alone
    association.get_transfer =
        ServerAssociation::GetTransfer{.raw = {whole.begin() + header_size, whole.end()}, .invoke = invoke};
    return next_block(association);
}

void Serving::operator()(const GetRequest& request) const {
    association->get_transfer.reset();
    if (!allowed(conformance::get)) return;
    const bool selective = !std::holds_alternative<std::monostate>(request.selection);
    if (selective && !allowed(conformance::selective_access)) return;
    if (!request.selection_valid)
        return send(encode(GetResponse{request.invoke, AccessResult::type_unmatched}));
    auto done = once<ReadOutcome>([invoke = request.invoke](ServerAssociation& answering,
                                                            ReadOutcome outcome) -> std::optional<Buffer> {
        return get_answer(answering, invoke, std::move(outcome));
    });
    model.get(request.id, request.selection, client(), now, std::move(done));
}

void Serving::operator()(const GetNextRequest& request) const {
    const auto& transfer = association->get_transfer;
    if (transfer && transfer->block == request.block && transfer->invoke == request.invoke)
        return send(next_block(*association));
    const auto result = transfer ? AccessResult::block_number_invalid : AccessResult::no_long_get;
    association->get_transfer.reset();
    send(encode(GetBlockResponse{request.invoke, true, request.block, result}));
}

void Serving::operator()(const SetRequest& request) const {
    if (!allowed(conformance::set)) return;
    const bool confirmed = request.invoke & service_class_confirmed;
    auto done = once<AccessResult>([invoke = request.invoke, confirmed](
                                       ServerAssociation&, AccessResult result) -> std::optional<Buffer> {
        if (!confirmed) return std::nullopt;
        return encode(SetResponse{invoke, result});
    });
    if (request.selective) return done(AccessResult::scope_of_access_violated);
    model.set(request.id, request.value, client(), now, std::move(done));
}

void Serving::operator()(const SetBlockRequest& request) const {
    if (!allowed(conformance::block_transfer_with_set)) return;
    auto& transfer = association->set_transfer;
    const auto end = [&](AccessResult result) {
        transfer.reset();
        send(encode(SetBlockResponse{request.invoke, result, request.block}));
    };
    if (request.id)
        transfer = ServerAssociation::SetTransfer{.id = *request.id, .octets = {}, .invoke = request.invoke};
    if (!transfer) return end(AccessResult::no_long_set);
    if (request.invoke != transfer->invoke || request.block != transfer->block + 1)
        return end(AccessResult::block_number_invalid);
    if (request.selective) return end(AccessResult::scope_of_access_violated);
    if (request.octets.size() > set_transfer_size_max - transfer->octets.size())
        return end(AccessResult::long_set_aborted);
    transfer->octets.insert(transfer->octets.end(), request.octets.begin(), request.octets.end());
    transfer->block = request.block;
    if (!request.last) return send(encode(SetBlockResponse{request.invoke, {}, request.block}));

    const auto value = decode_data(transfer->octets);
    const AttributeId id = transfer->id;
    if (!value) return end(AccessResult::type_unmatched);
    transfer.reset();
    auto done = once<AccessResult>([invoke = request.invoke, block = request.block](
                                       ServerAssociation&, AccessResult result) -> std::optional<Buffer> {
        return encode(SetBlockResponse{invoke, result, block});
    });
    model.set(id, *value, client(), now, std::move(done));
}

void Serving::prove(const ActionRequest& request) const {
    ActionResponse response{.invoke = request.invoke, .result = AccessResult::read_write_denied, .value = {}};
    const Bytes proof = request.argument ? request.argument->octets() : Bytes{};
    if (auto own = association->prove(proof, counters)) {
        response.result = AccessResult::success;
        response.value = Data{OctetString{std::move(*own)}};
    }
    send(encode(response));
}

void Serving::operator()(const ActionRequest& request) const {
    if (!allowed(conformance::action)) return;
    const bool confirmed = request.invoke & service_class_confirmed;
    auto done = once<ActionOutcome>(
        [invoke = request.invoke, confirmed](ServerAssociation& answering,
                                             ActionOutcome outcome) -> std::optional<Buffer> {
            if (!confirmed) return std::nullopt;
            ActionResponse response{.invoke = invoke, .result = outcome.result, .value = {}};
            if (outcome.value) response.value = std::move(*outcome.value);
            Buffer apdu = encode(response);
            if (answering.fits(apdu.size())) return apdu;
            // Done, but what it returned does not fit and ACTION has no blocks here.
            return encode(ActionResponse{invoke, outcome.result, AccessResult::other_reason});
        });
    if (request.id == reply_to_hls && association->access().mechanism == Mechanism::high_gmac)
        return done({AccessResult::read_write_denied, {}});
    model.act(request.id, request.argument, client(), now, std::move(done));
}

}  // namespace

// By value: the caller's copy may go, ours is wiped. NOLINTNEXTLINE(performance-unnecessary-value-param)
Server::Server(SystemTitle title, std::vector<ClientAccess> clients, ObjectModel& model, Ciphers& ciphers,
               Random& random)
    : state_(new State{title, model, random, {}, {}}) {
    for (const ClientAccess& access : clients) {
        const Sap client = access.client;
        const bool added =
            state_->associations.emplace(client, std::make_shared<ServerAssociation>(access, title, ciphers))
                .second;
        assert(added && "one access per client SAP");
        static_cast<void>(added);
    }
}

Server::~Server() = default;

void Server::handle(Sap client, Bytes apdu, Instant now, Reply reply) {
    const auto found = state_->associations.find(client);
    if (found == state_->associations.end()) return;
    const auto association = found->second;
    ServerCounters& counters = state_->counters;
    if (apdu.empty()) {
        ++counters.malformed;
        return;
    }
    ++counters.requests;
    const bool opens = apdu[0] == tag_aarq && !association->access().pre_established;
    if (opens) return reply(association->associate(apdu, state_->random, counters));
    const Serving serving{association, state_->model, counters, now, std::move(reply)};
    if (association->phase() == Phase::none || apdu[0] == tag_aarq)
        return serving.refuse(exception::operation_not_possible);
    if (apdu[0] == tag_rlrq) {
        if (association->access().pre_established) return serving.refuse(exception::operation_not_possible);
        association->reset();
        return serving.reply(encode(Release{.response = true, .reason = 0}));
    }
    if (apdu.size() > association->access().pdu_size_max) return serving.refuse(exception::pdu_too_long);

    const auto plain = association->open(apdu, counters);
    if (!plain) {
        const Fault fault = plain.error().fault;
        if (fault == Fault::not_authentic || fault == Fault::replayed) return;
        return serving.refuse(exception::deciphering_error);
    }
    if (association->call_open != 0) {
        ++counters.dropped;
        return;
    }
    const auto request = decode_request(*plain);
    if (!request) {
        ++counters.malformed;
        const bool unknown = request.error() == Error{Fault::bad_tag, 0};
        return serving.reply(unknown ? refusal(exception::service_unknown, exception::service_not_supported)
                                     : refusal(exception::service_not_allowed, exception::other_reason));
    }
    if (association->phase() == Phase::proving) {
        const auto* action = std::get_if<ActionRequest>(&*request);
        if (action && action->id == reply_to_hls) return serving.prove(*action);
        return serving.refuse(exception::operation_not_possible);
    }
    std::visit(serving, *request);
}

void Server::disconnect(Sap client) {
    const auto found = state_->associations.find(client);
    if (found != state_->associations.end()) found->second->reset();
}

bool Server::associated(Sap client) const {
    const auto found = state_->associations.find(client);
    return found != state_->associations.end() && found->second->phase() == Phase::associated;
}

const ServerCounters& Server::counters() const { return state_->counters; }

Buffer encode_data_notification(std::uint32_t invoke, const Data& body) {
    return encode(DataNotification{.invoke = invoke, .date_time = {}, .body = body});
}

}  // namespace wattmesh::dlms
