#include <utility>

#include "protocol/dlms/serving.h"

/// What changes a server: SET, ACTION and ACCESS.
namespace wattmesh::dlms {

namespace {

constexpr MethodId reply_to_hls{15, obis::current_association, 1};

ActionResult result_of(ActionOutcome outcome) {
    ActionResult result{.result = outcome.result, .value = {}};
    if (outcome.value) result.value = std::move(*outcome.value);
    return result;
}

Buffer next_action_block(ServerAssociation& association) {
    auto& transfer = *association.action_transfer;
    const std::size_t size = std::min(association.block_size(), transfer.raw.size() - transfer.sent);
    const auto begin = transfer.raw.begin() + static_cast<std::ptrdiff_t>(transfer.sent);
    transfer.sent += size;
    const ActionBlockResponse block{.invoke = transfer.invoke,
                                    .last = transfer.sent == transfer.raw.size(),
                                    .block = ++transfer.block,
                                    .octets = Buffer{begin, begin + static_cast<std::ptrdiff_t>(size)}};
    if (block.last) association.action_transfer.reset();
    return encode(block);
}

Buffer action_answer(ServerAssociation& association, std::uint8_t invoke, std::vector<ActionResult> results,
                     bool list) {
    const auto encoded = [&] {
        return list ? encode(ActionListResponse{invoke, results})
                    : encode(ActionResponse{invoke, results.front()});
    };
    Buffer whole = encoded();
    if (association.fits(whole.size()) || association.allows(conformance::general_block_transfer))
        return whole;
    if (association.allows(conformance::block_transfer_with_action)) {
        association.action_transfer =
            ServerAssociation::Download{.raw = encode_action_results(results, list), .invoke = invoke};
        return next_action_block(association);
    }
    // Done, but what it returned does not fit and the client knows no blocks.
    for (auto& result : results)
        if (result.value) result.value = AccessResult::other_reason;
    return encoded();
}

}  // namespace

void Serving::set_one(const SetTarget& target, const Data& value, const Done<AccessResult>& done) const {
    if (target.selective) return done(AccessResult::scope_of_access_violated);
    model.set(target.id, value, client(), now, done);
}

void Serving::act_one(const MethodId& id, const Data& argument, bool given,
                      const Done<ActionOutcome>& done) const {
    const bool proof = id == reply_to_hls && is_high(association->access().mechanism);
    if (proof) return done({AccessResult::read_write_denied, {}});  // its place is before the association
    model.act(id, given ? std::optional{argument} : std::nullopt, client(), now, done);
}

void Serving::set_all(std::vector<SetTarget> targets, std::vector<Data> values, bool confirmed,
                      SetAnswer answer) const {
    auto done = once<std::vector<AccessResult>>(
        [confirmed, answer = std::move(answer)](ServerAssociation&,
                                                std::vector<AccessResult> results) -> std::optional<Buffer> {
            if (!confirmed) return std::nullopt;
            return answer(std::move(results));
        });
    const std::size_t count = targets.size();
    in_order<AccessResult>(
        count,
        [serving = *this, targets = std::move(targets), values = std::move(values)](
            std::size_t index, const Done<AccessResult>& next) {
            serving.set_one(targets[index], values[index], next);
        },
        std::move(done));
}

void Serving::operator()(const SetRequest& request) const {
    if (!allowed(conformance::set)) return;
    set_all({request.target}, {request.value}, (request.invoke & service_class_confirmed) != 0,
            [invoke = request.invoke](std::vector<AccessResult> results) {
                return encode(SetResponse{invoke, results.front()});
            });
}

void Serving::operator()(const SetListRequest& request) const {
    if (!allowed(conformance::set) || !allowed(conformance::multiple_references)) return;
    set_all(request.targets, request.values, (request.invoke & service_class_confirmed) != 0,
            [invoke = request.invoke](std::vector<AccessResult> results) {
                return encode(SetListResponse{invoke, std::move(results)});
            });
}

/// Adds a block to what came before; anything but success ends the transfer.
template <class Block>
AccessResult Serving::gather(std::optional<ServerAssociation::Upload>& upload, const Block& block) const {
    if (!upload) return AccessResult::no_long_set;
    if (block.invoke != upload->invoke || block.block != upload->block + 1)
        return AccessResult::block_number_invalid;
    if (block.octets.size() > association->access().transfer_size_max - upload->octets.size())
        return AccessResult::long_set_aborted;
    upload->octets.insert(upload->octets.end(), block.octets.begin(), block.octets.end());
    upload->block = block.block;
    return AccessResult::success;
}

namespace {

/// What the blocks carried: one value, or as many as names.
std::optional<std::vector<Data>> values_of(const ServerAssociation::Upload& upload, std::size_t names) {
    if (upload.list) {
        auto values = decode_values(upload.octets);
        if (!values || values->size() != names) return std::nullopt;
        return std::move(*values);
    }
    auto value = decode_data(upload.octets);
    if (!value) return std::nullopt;
    return std::vector<Data>{std::move(*value)};
}

}  // namespace

void Serving::operator()(const SetBlockRequest& request) const {
    if (!allowed(conformance::block_transfer_with_set)) return;
    auto& upload = association->set_upload;
    const bool list = request.list || (request.targets.empty() && upload && upload->list);
    const auto end = [&](AccessResult result) {
        upload.reset();
        send(encode(SetBlockResponse{request.invoke, {result}, false, request.block}));
    };
    if (request.list && !allowed(conformance::multiple_references)) return;
    if (!request.targets.empty())
        upload =
            ServerAssociation::Upload{.targets = request.targets, .list = list, .invoke = request.invoke};
    if (const auto result = gather(upload, request); result != AccessResult::success) return end(result);
    if (!request.last) return send(encode(SetBlockResponse{request.invoke, {}, false, request.block}));

    const auto whole = *std::exchange(upload, std::nullopt);
    auto values = values_of(whole, whole.targets.size());
    if (!values) return end(AccessResult::type_unmatched);
    set_all(whole.targets, std::move(*values), true,
            [invoke = request.invoke, block = request.block, list](std::vector<AccessResult> results) {
                return encode(SetBlockResponse{invoke, std::move(results), list, block});
            });
}

void Serving::act_all(std::vector<MethodId> ids, std::vector<std::optional<Data>> arguments, bool list,
                      std::uint8_t invoke) const {
    association->action_transfer.reset();
    auto done = once<std::vector<ActionOutcome>>(
        [invoke, list](ServerAssociation& answering,
                       std::vector<ActionOutcome> outcomes) -> std::optional<Buffer> {
            if ((invoke & service_class_confirmed) == 0) return std::nullopt;
            std::vector<ActionResult> results;
            results.reserve(outcomes.size());
            for (auto& outcome : outcomes) results.push_back(result_of(std::move(outcome)));
            return action_answer(answering, invoke, std::move(results), list);
        });
    const std::size_t count = ids.size();
    in_order<ActionOutcome>(
        count,
        [serving = *this, ids = std::move(ids), arguments = std::move(arguments)](
            std::size_t index, const Done<ActionOutcome>& next) {
            const auto& argument = arguments[index];
            serving.act_one(ids[index], argument.value_or(Data{}), argument.has_value(), next);
        },
        std::move(done));
}

void Serving::operator()(const ActionRequest& request) const {
    if (!allowed(conformance::action)) return;
    act_all({request.id}, {request.argument}, false, request.invoke);
}

void Serving::operator()(const ActionListRequest& request) const {
    if (!allowed(conformance::action) || !allowed(conformance::multiple_references)) return;
    act_all(request.ids, {request.arguments.begin(), request.arguments.end()}, true, request.invoke);
}

void Serving::operator()(const ActionNextRequest& request) const {
    const auto& transfer = association->action_transfer;
    if (transfer && transfer->block == request.block && transfer->invoke == request.invoke)
        return send(next_action_block(*association));
    const auto result = transfer ? AccessResult::block_number_invalid : AccessResult::no_long_get;
    association->action_transfer.reset();
    send(encode(ActionResponse{request.invoke, {result, {}}}));
}

void Serving::operator()(const ActionBlockRequest& request) const {
    if (!allowed(conformance::block_transfer_with_action)) return;
    auto& upload = association->action_upload;
    const auto end = [&](AccessResult result) {
        upload.reset();
        send(encode(ActionResponse{request.invoke, {result, {}}}));
    };
    if (request.list && !allowed(conformance::multiple_references)) return;
    if (!request.ids.empty())
        upload =
            ServerAssociation::Upload{.ids = request.ids, .list = request.list, .invoke = request.invoke};
    if (const auto result = gather(upload, request); result != AccessResult::success) return end(result);
    if (!request.last) return send(encode(ActionNextResponse{request.invoke, request.block}));

    const auto whole = *std::exchange(upload, std::nullopt);
    const auto values = values_of(whole, whole.ids.size());
    if (!values) return end(AccessResult::type_unmatched);
    act_all(whole.ids, {values->begin(), values->end()}, whole.list, request.invoke);
}

void Serving::access_one(const AccessSpecification& what, const Data& data,
                         const Done<AccessOutcome>& done) const {
    if (const auto* get = std::get_if<AccessGet>(&what))
        return get_one(get->id, get->selection, get->selection_valid, [done](ReadOutcome outcome) {
            if (const auto* refused = std::get_if<AccessResult>(&outcome)) return done({*refused, {}});
            done({AccessResult::success, std::get<Data>(std::move(outcome))});
        });
    if (const auto* set = std::get_if<AccessSet>(&what))
        return set_one(set->target, data, [done](AccessResult result) { done({result, {}}); });
    act_one(std::get<AccessAction>(what).id, data, !data.as<Null>(), [done](ActionOutcome outcome) {
        done({outcome.result, outcome.value ? std::move(*outcome.value) : Data{}});
    });
}

void Serving::operator()(const AccessRequest& request) const {
    if (!allowed(conformance::access)) return;
    const auto kinds = std::make_shared<const AccessRequest>(request);
    auto done = once<std::vector<AccessOutcome>>(
        [kinds](ServerAssociation&, std::vector<AccessOutcome> outcomes) -> std::optional<Buffer> {
            if ((kinds->invoke & long_invoke::confirmed) == 0) return std::nullopt;
            AccessResponse response{.invoke = kinds->invoke};
            for (std::size_t i = 0; i < outcomes.size(); ++i) {
                const auto kind = static_cast<AccessKind>(kinds->specifications[i].index() + 1);
                response.results.push_back({kind, outcomes[i].result});
                response.data.push_back(std::move(outcomes[i].value));
            }
            return encode(response);
        });
    const auto failed = std::make_shared<bool>(false);
    in_order<AccessOutcome>(
        request.specifications.size(),
        [serving = *this, kinds, failed](std::size_t index, const Done<AccessOutcome>& next) {
            const bool breaks = (kinds->invoke & long_invoke::break_on_error) != 0;
            if (breaks && *failed) return next({AccessResult::other_reason, {}});  // not executed
            serving.access_one(kinds->specifications[index], kinds->data[index],
                               [failed, next](AccessOutcome outcome) {
                                   *failed = *failed || outcome.result != AccessResult::success;
                                   next(std::move(outcome));
                               });
        },
        std::move(done));
}

}  // namespace wattmesh::dlms
