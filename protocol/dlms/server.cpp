#include "protocol/dlms/server.h"

#include <cassert>

#include "protocol/dlms/apdu.h"
#include "protocol/dlms/server_association.h"
#include "protocol/dlms/serving.h"

namespace wattmesh::dlms {

namespace {

using Phase = ServerAssociation::Phase;

constexpr std::uint8_t tag_aarq = 0x60, tag_rlrq = 0x62;

}  // namespace

struct Server::State {
    SystemTitle title;
    ObjectModel& model;
    Random& random;
    ServerCounters counters;
    std::map<Sap, std::shared_ptr<ServerAssociation>> associations;

    void handle(const std::shared_ptr<ServerAssociation>& association, Bytes apdu, Instant now,
                const Serving::Reply& reply, bool from_blocks);
    void handle_block(const Serving& serving, Bytes apdu, bool inside_ciphering);
};

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

Server::~Server() {
    for (auto& [client, association] : state_->associations)
        association->reset();  // late answers find nobody
}

void Server::handle(Sap client, Bytes apdu, Instant now, Serving::Reply reply) {
    const auto found = state_->associations.find(client);
    if (found == state_->associations.end()) return;
    if (apdu.empty()) {
        ++state_->counters.malformed;
        return;
    }
    ++state_->counters.requests;
    state_->handle(found->second, apdu, now, reply, false);
}

void Server::State::handle(const std::shared_ptr<ServerAssociation>& association, Bytes apdu, Instant now,
                           const Serving::Reply& reply, bool from_blocks) {
    const bool opens = apdu[0] == tag_aarq && !association->access().pre_established;
    if (opens) return reply(association->associate(apdu, random, counters));
    const Serving serving{association, model, counters, now, reply};
    if (association->phase() == Phase::none || apdu[0] == tag_aarq)
        return serving.refuse(exception::operation_not_possible);
    if (apdu[0] == tag_rlrq) {
        if (association->access().pre_established) return serving.refuse(exception::operation_not_possible);
        association->reset();
        return reply(encode(Release{.response = true, .reason = 0}));
    }
    if (!from_blocks && apdu.size() > association->access().pdu_size_max)
        return serving.refuse(exception::pdu_too_long);
    if (apdu[0] == general_block_tag) return handle_block(serving, apdu, false);

    const auto plain = association->open(apdu, counters);
    if (!plain) {
        const Fault fault = plain.error().fault;
        if (fault == Fault::not_authentic) return;
        if (fault == Fault::replayed) {
            if (const auto expected = association->expected_counter())
                serving.reply(invocation_counter_error(*expected));
            return;
        }
        return serving.refuse(exception::deciphering_error);
    }
    if (!plain->empty() && plain->front() == general_block_tag) return handle_block(serving, *plain, true);
    if (association->call_open != 0) {
        ++counters.dropped;
        return;
    }
    if (!from_blocks) association->blocks.reset();
    association->asked_in_blocks = from_blocks;
    serving.serve(*plain);
}

// The blocks of one exchange: when the request is whole it is handled as if it had come so.
void Server::State::handle_block(const Serving& serving, Bytes apdu, bool inside_ciphering) {
    auto& association = *serving.association;
    if (!serving.allowed(conformance::general_block_transfer)) return;
    const auto block = decode_general_block(apdu);
    if (!block || inside_ciphering) {  // our blocks go around the ciphering, and so must the client's
        ++counters.malformed;
        return serving.refuse(exception::other_reason);
    }
    if (association.blocks.begins_anew(*block)) association.blocks = association.new_blocks();
    if (association.blocks.receive(*block)) {
        ++counters.malformed;
        association.blocks.reset();
        return serving.refuse(exception::other_reason);
    }
    while (const auto answer = association.blocks.take_output()) serving.reply(encode(*answer));
    const auto whole = association.blocks.take_message();
    if (!whole) return;
    if (whole->empty() || whole->front() == general_block_tag) return serving.refuse(exception::other_reason);
    handle(serving.association, *whole, serving.now, serving.reply, true);
}

void Server::disconnect(Sap client) {
    const auto found = state_->associations.find(client);
    if (found != state_->associations.end()) found->second->reset();
}

bool Server::replace_keys(Sap client, KeyKind kind, const SymmetricKey& key) {
    const auto found = state_->associations.find(client);
    return found != state_->associations.end() && found->second->replace_key(kind, key);
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
