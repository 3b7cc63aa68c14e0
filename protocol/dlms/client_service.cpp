#include <cassert>
#include <utility>

#include "protocol/dlms/client_state.h"

/// The services of an association: requests out, answers in.
namespace wattmesh::dlms {

void Client::State::start(Operation operation) {
    if (std::holds_alternative<ReleaseOrder>(operation.what)) {
        if (config.pre_established) {
            events.emplace_back(Released{});
        } else {
            outputs.push_back(encode(Release{.response = false, .reason = 0}));
            phase = Phase::releasing;
        }
        return;
    }
    open = std::move(operation);
    download = {};
    upload = {};
    blocks.reset();
    next_invoke();
    std::visit([this](auto& request) { start(request); }, open->what);
}

void Client::State::start(GetRequest& request) {
    request.invoke = invoke;
    send(encode(request));
}

void Client::State::start(GetListRequest& request) {
    request.invoke = invoke;
    send(encode(request));
}

void Client::State::start(SetRequest& request) {
    request.invoke = invoke;
    send_or_upload(encode(request), conformance::block_transfer_with_set,
                   [&] { return encode_data(request.value); });
}

void Client::State::start(SetListRequest& request) {
    request.invoke = invoke;
    send_or_upload(encode(request), conformance::block_transfer_with_set,
                   [&] { return encode_values(request.values); });
}

void Client::State::start(ActionRequest& request) {
    request.invoke = invoke;
    send_or_upload(encode(request), conformance::block_transfer_with_action,
                   [&] { return encode_data(request.argument.value_or(Data{})); });
}

void Client::State::start(ActionListRequest& request) {
    request.invoke = invoke;
    send_or_upload(encode(request), conformance::block_transfer_with_action,
                   [&] { return encode_values(request.arguments); });
}

void Client::State::start(AccessRequest& request) {
    request.invoke = (request.invoke & long_invoke::break_on_error) | long_invoke::confirmed |
                     long_invoke::high_priority | open->id.value % (1U << 24);
    Buffer whole = encode(request);
    if (!fits(whole.size()) && (negotiated.conformance & conformance::general_block_transfer) == 0)
        return fail({Fault::too_long, 0});  // ACCESS has no blocks of its own
    send(std::move(whole));
}

bool Client::State::fits(std::size_t plain) const {
    return (config.ciphered ? cipher->protected_size(plain) : plain) <= pdu_limit();
}

void Client::State::send_or_upload(Buffer whole, std::uint32_t conformance_bit,
                                   const std::function<Buffer()>& values) {
    const bool general = (negotiated.conformance & conformance::general_block_transfer) != 0;
    if (general || fits(whole.size())) return send(std::move(whole));
    if ((negotiated.conformance & conformance_bit) == 0) return fail({Fault::too_long, 0});
    upload.octets = values();
    next_upload_block();
}

/// A block of `size` octets; the first one names what is written or called.
Buffer Client::State::upload_block(std::size_t size, bool last) {
    const auto begin = upload.octets.begin() + static_cast<std::ptrdiff_t>(upload.sent);
    Buffer octets{begin, begin + static_cast<std::ptrdiff_t>(size)};
    const bool first = upload.sent == 0;
    const std::uint32_t number = upload.block + 1;
    const auto* set = std::get_if<SetRequest>(&open->what);
    const auto* set_list = std::get_if<SetListRequest>(&open->what);
    if (set || set_list) {
        SetBlockRequest block{.invoke = invoke, .last = last, .block = number, .octets = std::move(octets)};
        if (first && set) block.targets = {set->target};
        if (first && set_list) block.targets = set_list->targets;
        block.list = first && set_list;
        return encode(block);
    }
    ActionBlockRequest block{.invoke = invoke, .last = last, .block = number, .octets = std::move(octets)};
    const auto* action_list = std::get_if<ActionListRequest>(&open->what);
    if (first)
        block.ids = action_list ? action_list->ids : std::vector{std::get<ActionRequest>(open->what).id};
    block.list = first && action_list;
    return encode(block);
}

void Client::State::next_upload_block() {
    const std::size_t left = upload.octets.size() - upload.sent;
    std::size_t size = std::min(left, pdu_limit());
    const std::size_t whole = upload_block(size, true).size();
    while (size > 1 && !fits(whole - (std::min(left, pdu_limit()) - size))) --size;
    const bool last = size == left;
    Buffer block = upload_block(size, last);
    if (!fits(block.size())) return fail({Fault::too_long, 0});  // the names alone are too long
    upload.sent += size;
    ++upload.block;
    send(std::move(block));
}

void Client::State::take(const Response& response) {
    std::visit(
        [&](const auto& answer) {
            if (answer.invoke != invoke) return fail({Fault::unexpected, 2});
            take(answer);
        },
        response);
}

void Client::State::take(const GetResponse& response) {
    const bool expected =
        std::holds_alternative<GetRequest>(open->what) || std::holds_alternative<OctetsRequest>(open->what);
    if (!expected || download.block != 0) return fail({Fault::unexpected, 1});
    finish(ReadCompleted{open->id, response.outcome});
}

/// GET.response-normal whose value stays encoded.
void Client::State::take_octets(Bytes apdu) {
    Reader in{apdu};
    in.skip(2);
    const bool ours = in.u8() == invoke;
    const std::uint8_t choice = in.u8();
    if (in.error()) return fail(*in.error());
    if (!ours || download.block != 0) return fail({Fault::unexpected, 2});
    if (choice == 0) return finish(OctetsRead{open->id, to_buffer(in.rest())});
    const auto response = decode_response(apdu);
    if (!response) return fail(response.error());
    take(*response);
}

/// Adds a block of the answer; false when it failed.
bool Client::State::append(Bytes raw, std::uint32_t block, bool last) {
    const auto refuse = [&](Error error) {
        fail(error);
        return false;
    };
    if (block != download.block + 1) return refuse({Fault::unexpected, 4});
    if (raw.size() > config.transfer_size_max - download.octets.size()) return refuse({Fault::too_long, 0});
    if (raw.empty() && !last) return refuse({Fault::bad_value, 9});  // would go on for ever
    download.octets.insert(download.octets.end(), raw.begin(), raw.end());
    download.block = block;
    return true;
}

void Client::State::take(const GetBlockResponse& response) {
    const auto* list = std::get_if<GetListRequest>(&open->what);
    const bool expected = list || std::holds_alternative<GetRequest>(open->what) ||
                          std::holds_alternative<OctetsRequest>(open->what);
    if (!expected) return fail({Fault::unexpected, 1});
    if (const auto* result = std::get_if<AccessResult>(&response.content)) {
        if (list) return finish_reads(std::vector<ReadOutcome>(list->items.size(), *result));
        return finish(ReadCompleted{open->id, *result});
    }
    if (!append(std::get<Buffer>(response.content), response.block, response.last)) return;
    if (!response.last) return send(encode(GetNextRequest{invoke, response.block}));
    finish_download();
}

void Client::State::finish_download() {
    if (std::holds_alternative<OctetsRequest>(open->what))
        return finish(OctetsRead{open->id, std::move(download.octets)});
    if (std::holds_alternative<GetListRequest>(open->what)) {
        auto outcomes = decode_results(download.octets);
        if (!outcomes) return fail(outcomes.error());
        return finish_reads(std::move(*outcomes));
    }
    auto data = decode_data(download.octets);
    if (!data) return fail(data.error());
    finish(ReadCompleted{open->id, std::move(*data)});
}

void Client::State::take(const GetListResponse& response) { finish_reads(response.outcomes); }

void Client::State::finish_reads(std::vector<ReadOutcome> outcomes) {
    const auto* list = std::get_if<GetListRequest>(&open->what);
    if (!list || list->items.size() != outcomes.size()) return fail({Fault::unexpected, 3});
    finish(ListRead{open->id, std::move(outcomes)});
}

void Client::State::take(const SetResponse& response) {
    if (!std::holds_alternative<SetRequest>(open->what)) return fail({Fault::unexpected, 1});
    finish(WriteCompleted{open->id, response.result});
}

void Client::State::take(const SetListResponse& response) { finish_writes(response.results); }

void Client::State::finish_writes(std::vector<AccessResult> results) {
    if (std::holds_alternative<SetRequest>(open->what) && results.size() == 1)
        return finish(WriteCompleted{open->id, results.front()});
    const auto* list = std::get_if<SetListRequest>(&open->what);
    if (list && results.size() == 1 && results.front() != AccessResult::success)
        results.resize(list->targets.size(),
                       results.front());  // the transfer failed, and with it each of them
    if (!list || list->targets.size() != results.size()) return fail({Fault::unexpected, 3});
    finish(ListWritten{open->id, std::move(results)});
}

void Client::State::take(const SetBlockResponse& response) {
    const bool set =
        std::holds_alternative<SetRequest>(open->what) || std::holds_alternative<SetListRequest>(open->what);
    if (!set || !uploading()) return fail({Fault::unexpected, 1});
    if (!response.results.empty()) return finish_writes(response.results);
    if (response.block != upload.block || upload.sent == upload.octets.size())
        return fail({Fault::unexpected, 3});
    next_upload_block();
}

void Client::State::take(const ActionNextResponse& response) {
    const bool action = std::holds_alternative<ActionRequest>(open->what) ||
                        std::holds_alternative<ActionListRequest>(open->what);
    if (!action || !uploading()) return fail({Fault::unexpected, 1});
    if (response.block != upload.block || upload.sent == upload.octets.size())
        return fail({Fault::unexpected, 3});
    next_upload_block();
}

void Client::State::take(const ActionResponse& response) {
    const auto* list = std::get_if<ActionListRequest>(&open->what);
    if (list && uploading() && response.outcome.result != AccessResult::success)
        return finish_actions(
            {list->ids.size(), response.outcome});  // the transfer failed, and with it each of them
    if (!std::holds_alternative<ActionRequest>(open->what)) return fail({Fault::unexpected, 1});
    finish_actions({response.outcome});
}

void Client::State::take(const ActionListResponse& response) {
    if (!std::holds_alternative<ActionListRequest>(open->what)) return fail({Fault::unexpected, 1});
    finish_actions(response.outcomes);
}

void Client::State::take(const ActionBlockResponse& response) {
    const bool list = std::holds_alternative<ActionListRequest>(open->what);
    if (!list && !std::holds_alternative<ActionRequest>(open->what)) return fail({Fault::unexpected, 1});
    if (!append(response.octets, response.block, response.last)) return;
    if (!response.last) return send(encode(ActionNextRequest{invoke, response.block}));
    auto outcomes = decode_action_results(download.octets, list);
    if (!outcomes) return fail(outcomes.error());
    finish_actions(std::move(*outcomes));
}

void Client::State::finish_actions(std::vector<ActionResult> outcomes) {
    const auto completed = [](ActionResult& answer) {
        ActionOutcome outcome{answer.result, {}};
        auto* value = answer.value ? std::get_if<Data>(&*answer.value) : nullptr;
        if (value) outcome.value = std::move(*value);
        return outcome;
    };
    if (std::holds_alternative<ActionRequest>(open->what))
        return finish(ActionCompleted{open->id, completed(outcomes.front())});
    const auto& list = std::get<ActionListRequest>(open->what);
    if (list.ids.size() != outcomes.size()) return fail({Fault::unexpected, 3});
    ListActed acted{open->id, {}};
    for (auto& outcome : outcomes) acted.outcomes.push_back(completed(outcome));
    finish(std::move(acted));
}

void Client::State::take_access(Bytes apdu) {
    auto response = decode_access_response(apdu);
    if (!response) return fail(response.error());
    const auto* request = open ? std::get_if<AccessRequest>(&open->what) : nullptr;
    constexpr std::uint32_t id_mask = (1U << 24) - 1;
    if (!request || (request->invoke & id_mask) != (response->invoke & id_mask))
        return fail({Fault::unexpected, 1});
    if (response->results.size() != request->specifications.size()) return fail({Fault::unexpected, 5});
    AccessCompleted completed{open->id, {}};
    for (std::size_t i = 0; i < response->results.size(); ++i) {
        // AccessKind counts 1, 2, 3 in the order of the variant
        if (static_cast<std::size_t>(response->results[i].kind) != request->specifications[i].index() + 1)
            return fail({Fault::unexpected, 5});
        completed.outcomes.push_back({response->results[i].result, std::move(response->data[i])});
    }
    finish(std::move(completed));
}

}  // namespace wattmesh::dlms
