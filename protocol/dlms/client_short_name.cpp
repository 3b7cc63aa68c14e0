#include <cassert>

#include "protocol/dlms/client_state.h"

/// Short-name referencing: no invoke-id, so one request and its answer at a time is all that tells them
/// apart.
namespace wattmesh::dlms {

void Client::State::start(ReadRequest& request) { send(encode(request)); }

void Client::State::start(WriteRequest& request) {
    Buffer whole = encode(request);
    const bool general = (negotiated.conformance & conformance::general_block_transfer) != 0;
    if (!general && !fits(whole.size())) return fail({Fault::too_long, 0});
    send(std::move(whole));
}

void Client::State::take_read(Bytes apdu) {
    auto response = decode_read_response(apdu);
    if (!response) return fail(response.error());
    if (!open || !std::holds_alternative<ReadRequest>(open->what)) return fail({Fault::unexpected, 0});
    if (auto* outcomes = std::get_if<std::vector<ReadOutcome>>(&response->content)) {
        if (download.block != 0) return fail({Fault::unexpected, 2});
        return finish_names(std::move(*outcomes));
    }
    const auto& block = std::get<ReadResponse::Block>(response->content);
    if (!append(block.octets, block.block, block.last)) return;
    if (!block.last) return send(encode(ReadRequest{{ReadRequest::NextBlock{block.block}}}));
    auto outcomes = decode_read_outcomes(download.octets);
    if (!outcomes) return fail(outcomes.error());
    finish_names(std::move(*outcomes));
}

void Client::State::finish_names(std::vector<ReadOutcome> outcomes) {
    if (std::get<ReadRequest>(open->what).items.size() != outcomes.size())
        return fail({Fault::unexpected, 1});
    finish(ListRead{open->id, std::move(outcomes)});
}

void Client::State::take_written(Bytes apdu) {
    auto response = decode_write_response(apdu);
    if (!response) return fail(response.error());
    const auto* request = open ? std::get_if<WriteRequest>(&open->what) : nullptr;
    if (!request || request->names.size() != response->results.size()) return fail({Fault::unexpected, 1});
    finish(ListWritten{open->id, std::move(response->results)});
}

RequestId Client::read_names(const std::vector<ShortName>& names) {
    assert(state_->config.short_names && !names.empty() && names.size() <= list_size_max);
    return state_->enqueue(ReadRequest{{names.begin(), names.end()}});
}

RequestId Client::write_names(std::vector<ShortName> names, std::vector<Data> values) {
    assert(state_->config.short_names && !names.empty() && names.size() == values.size());
    return state_->enqueue(WriteRequest{std::move(names), std::move(values)});
}

}  // namespace wattmesh::dlms
