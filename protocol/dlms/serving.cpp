#include "protocol/dlms/serving.h"

#include <utility>

namespace wattmesh::dlms {

namespace {

using Phase = ServerAssociation::Phase;
constexpr MethodId reply_to_hls{15, obis::current_association, 1};
constexpr std::uint8_t tag_access_request = 0xD9;

Buffer refusal(std::uint8_t state, std::uint8_t service) {
    return encode(ExceptionResponse{state, service, {}});
}

Buffer next_get_block(ServerAssociation& association) {
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

/// The whole answer, or the first block of `raw` when it is too long; general blocks are `deliver`'s
/// business.
Buffer get_answer(ServerAssociation& association, std::uint8_t invoke, Buffer whole,
                  const std::function<Buffer()>& raw) {
    if (association.fits(whole.size()) || association.allows(conformance::general_block_transfer))
        return whole;
    if (!association.allows(conformance::block_transfer_with_get))
        return encode(GetResponse{invoke, AccessResult::other_reason});
    association.get_transfer = ServerAssociation::Download{.raw = raw(), .invoke = invoke};
    return next_get_block(association);
}

}  // namespace

void Serving::deliver(ServerAssociation& association, Buffer plain, const Reply& reply) {
    auto wire = association.protect(std::move(plain));
    if (!wire) return;
    const bool general = association.allows(conformance::general_block_transfer);
    if (!general || (!association.asked_in_blocks && wire->size() <= association.pdu_size_max()))
        return reply(std::move(*wire));
    if (!association.asked_in_blocks) association.blocks = association.new_blocks();
    association.blocks.send(std::move(*wire));
    while (const auto block = association.blocks.take_output()) reply(encode(*block));
}

void Serving::refuse(std::uint8_t service) const { reply(refusal(exception::service_not_allowed, service)); }

bool Serving::allowed(std::uint32_t conformance_bit) const {
    if (association->allows(conformance_bit)) return true;
    refuse(exception::service_not_supported);
    return false;
}

void Serving::get_one(const AttributeId& id, const Selection& selection, bool valid,
                      const Done<ReadOutcome>& done) const {
    const bool selective = !valid || !std::holds_alternative<std::monostate>(selection);
    if (selective && !association->allows(conformance::selective_access))
        return done(AccessResult::scope_of_access_violated);
    if (!valid) return done(AccessResult::type_unmatched);
    model.get(id, selection, client(), now, done);
}

void Serving::operator()(const GetRequest& request) const {
    association->get_transfer.reset();
    if (!allowed(conformance::get)) return;
    const bool selective =
        !request.selection_valid || !std::holds_alternative<std::monostate>(request.selection);
    if (selective && !allowed(conformance::selective_access)) return;
    get_one(request.id, request.selection, request.selection_valid,
            once<ReadOutcome>([invoke = request.invoke](ServerAssociation& answering, ReadOutcome outcome) {
                Buffer whole = encode(GetResponse{invoke, outcome});
                return get_answer(answering, invoke, std::move(whole), [&] {
                    const auto* value = std::get_if<Data>(&outcome);
                    return value ? encode_data(*value) : Buffer{};
                });
            }));
}

void Serving::operator()(const GetNextRequest& request) const {
    const auto& transfer = association->get_transfer;
    if (transfer && transfer->block == request.block && transfer->invoke == request.invoke)
        return send(next_get_block(*association));
    const auto result = transfer ? AccessResult::block_number_invalid : AccessResult::no_long_get;
    association->get_transfer.reset();
    send(encode(GetBlockResponse{request.invoke, true, request.block, result}));
}

void Serving::operator()(const GetListRequest& request) const {
    association->get_transfer.reset();
    if (!allowed(conformance::get) || !allowed(conformance::multiple_references)) return;
    auto done = once<std::vector<ReadOutcome>>(
        [invoke = request.invoke](ServerAssociation& answering, std::vector<ReadOutcome> outcomes) {
            Buffer whole = encode(GetListResponse{invoke, outcomes});
            return get_answer(answering, invoke, std::move(whole), [&] { return encode_results(outcomes); });
        });
    in_order<ReadOutcome>(
        request.items.size(),
        [serving = *this, items = request.items](std::size_t index, const Done<ReadOutcome>& next) {
            const auto& item = items[index];
            serving.get_one(item.id, item.selection, item.selection_valid, next);
        },
        std::move(done));
}

void Serving::prove(const ActionRequest& request) const {
    ActionResult outcome{.result = AccessResult::read_write_denied, .value = {}};
    const Bytes proof = request.argument ? request.argument->octets() : Bytes{};
    if (auto own = association->prove(proof, counters)) {
        outcome.result = AccessResult::success;
        outcome.value = Data{OctetString{std::move(*own)}};
    }
    send(encode(ActionResponse{request.invoke, std::move(outcome)}));
}

void Serving::serve(Bytes plain) const {
    const auto malformed = [&](Error error) {
        ++counters.malformed;
        const bool unknown = error == Error{Fault::bad_tag, 0};
        reply(unknown ? refusal(exception::service_unknown, exception::service_not_supported)
                      : refusal(exception::service_not_allowed, exception::other_reason));
    };
    if (!plain.empty() && plain[0] == tag_access_request && association->phase() == Phase::associated) {
        const auto access = decode_access_request(plain);
        return access ? (*this)(*access) : malformed(access.error());
    }
    const auto request = decode_request(plain);
    if (!request) return malformed(request.error());
    if (association->phase() == Phase::proving) {
        const auto* action = std::get_if<ActionRequest>(&*request);
        if (action && action->id == reply_to_hls) return prove(*action);
        return refuse(exception::operation_not_possible);
    }
    std::visit(*this, *request);
}

}  // namespace wattmesh::dlms
