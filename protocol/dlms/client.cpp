#include "protocol/dlms/client.h"

#include <cassert>
#include <utility>

#include "protocol/dlms/client_state.h"

namespace wattmesh::dlms {

namespace {

constexpr std::uint8_t tag_aare = 0x61, tag_rlre = 0x63, tag_exception = 0xD8, tag_service_error = 0x0E;
constexpr std::uint8_t tag_data_notification = 0x0F, tag_event_notification = 0xC2;
constexpr std::uint8_t confirmed_high_priority = 0xC0;

}  // namespace

Client::State::State(const ClientConfig& settings, Ciphers& ciphers, Random& chance, CounterStore& send,
                     CounterStore& receive)
    : config(settings), random(chance) {
    const bool keyed = config.ciphered || config.mechanism == Mechanism::high_gmac;
    assert(!keyed || config.keys);
    if (keyed) cipher.emplace(*config.keys, config.own_title, config.server_title, ciphers, send, receive);
    if (config.pre_established) {
        phase = Phase::associated;
        negotiated = {client_conformance, 0};
    }
}

std::uint8_t Client::State::next_invoke() {
    invoke = static_cast<std::uint8_t>(confirmed_high_priority | ((invoke & 0x0F) % 15 + 1));
    return invoke;
}

bool Client::State::output(Buffer apdu) {
    if (config.ciphered) {
        auto sealed = cipher->protect(apdu);
        if (!sealed) return false;
        apdu = std::move(*sealed);
    }
    outputs.push_back(std::move(apdu));
    return true;
}

RequestId Client::State::enqueue(std::variant<GetRequest, SetRequest, ActionRequest, ReleaseOrder> what) {
    const RequestId id{++request_last};
    waiting.push_back({id, std::move(what)});
    advance();
    return id;
}

void Client::State::advance() {
    while (phase == Phase::associated && !open && !waiting.empty()) {
        Operation operation = std::move(waiting.front());
        waiting.pop_front();
        start(std::move(operation));
    }
}

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
    next_invoke();
    bool sent = true;
    if (auto* get = std::get_if<GetRequest>(&open->what)) {
        get->invoke = invoke;
        sent = output(encode(*get));
    } else if (auto* set = std::get_if<SetRequest>(&open->what)) {
        set->invoke = invoke;
        return start(std::exchange(*set, {}));
    } else if (auto* action = std::get_if<ActionRequest>(&open->what)) {
        action->invoke = invoke;
        sent = output(encode(*action));
    }
    if (!sent) lose({Fault::refused, 0});
}

/// Octets of the largest APDU the server takes.
static std::size_t upload_limit(const Associated& negotiated) {
    const std::size_t limit = negotiated.server_pdu_size_max;
    return limit == 0 ? request_size_max : std::min(limit, request_size_max);
}

void Client::State::start(const SetRequest& request) {
    Buffer whole = encode(request);
    const std::size_t on_wire = config.ciphered ? protected_size(whole.size()) : whole.size();
    if (on_wire <= upload_limit(negotiated)) {
        if (!output(std::move(whole))) lose({Fault::refused, 0});
        return;
    }
    if ((negotiated.conformance & conformance::block_transfer_with_set) == 0)
        return fail({Fault::too_long, 0});
    std::get<SetRequest>(open->what).id = request.id;
    upload.octets = encode_data(request.value);
    next_upload_block();
}

void Client::State::next_upload_block() {
    const auto fits = [&](std::size_t raw) {
        constexpr std::size_t header_size = 24;  // C1 02, invoke, attribute, selection, last, number, length
        const std::size_t plain = header_size + raw;
        return (config.ciphered ? protected_size(plain) : plain) <= upload_limit(negotiated);
    };
    std::size_t room = upload_limit(negotiated);
    while (room > 1 && !fits(room)) --room;
    const std::size_t size = std::min(room, upload.octets.size() - upload.sent);
    const auto begin = upload.octets.begin() + static_cast<std::ptrdiff_t>(upload.sent);
    SetBlockRequest block{.invoke = invoke};
    if (upload.sent == 0) block.id = std::get<SetRequest>(open->what).id;
    upload.sent += size;
    block.last = upload.sent == upload.octets.size();
    block.block = ++upload.block;
    block.octets.assign(begin, begin + static_cast<std::ptrdiff_t>(size));
    if (!output(encode(block))) lose({Fault::refused, 0});
}

void Client::State::receive(Bytes apdu) {
    if (apdu.empty()) return fail({Fault::truncated, 0});
    if (apdu.size() > config.pdu_size_max) return fail({Fault::too_long, config.pdu_size_max});
    switch (apdu[0]) {
        case tag_aare:
            return phase == Phase::associating ? take_aare(apdu) : fail({Fault::unexpected, 0});
        case tag_rlre:
            return phase == Phase::releasing ? released() : fail({Fault::unexpected, 0});
        case tag_exception:
            return take_exception(apdu);
        case tag_service_error:
            return fail({Fault::refused, 0});
        case tag_data_notification:
        case tag_event_notification:
            return take_notification(apdu);
        default:
            break;
    }
    if (phase == Phase::idle || phase == Phase::associating) return fail({Fault::unexpected, 0});
    if (!config.ciphered) return take_plain(apdu);
    const auto plain = cipher->open(apdu);
    if (!plain) return fail(plain.error());
    take_plain(*plain);
}

void Client::State::take_exception(Bytes apdu) {
    if (apdu.size() < 3) return fail({Fault::truncated, apdu.size()});
    const std::array<std::uint8_t, 2> exception{apdu[1], apdu[2]};
    const bool no_association =
        exception[0] == exception::service_not_allowed && exception[1] == exception::operation_not_possible;
    fail({Fault::refused, 0}, exception, no_association);
}

// A notification answers nothing: it never touches the open request. Event notifications have no event of
// ours yet.
void Client::State::take_notification(Bytes apdu) {
    const auto ignored = [&](Error error) { events.emplace_back(RequestFailed{{}, error, {}}); };
    if (config.ciphered) return ignored({Fault::not_authentic, 0});
    if (apdu[0] == tag_event_notification) return ignored({Fault::unsupported, 0});
    auto notification = decode_data_notification(apdu);
    if (!notification) return ignored(notification.error());
    events.emplace_back(Notified{notification->invoke, std::move(notification->body)});
}

void Client::State::take_plain(Bytes apdu) {
    const auto response = decode_response(apdu);
    if (!response) return fail(response.error());
    if (phase == Phase::proving) return take_proof(*response);
    if (!open) return fail({Fault::unexpected, 0});
    take(*response);
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
    if (!std::holds_alternative<GetRequest>(open->what) || download.block != 0)
        return fail({Fault::unexpected, 1});
    finish(ReadCompleted{open->id, response.outcome});
}

void Client::State::take(const GetBlockResponse& response) {
    if (!std::holds_alternative<GetRequest>(open->what)) return fail({Fault::unexpected, 1});
    if (const auto* result = std::get_if<AccessResult>(&response.content))
        return finish(ReadCompleted{open->id, *result});
    const auto& raw = std::get<Buffer>(response.content);
    if (response.block != download.block + 1) return fail({Fault::unexpected, 4});
    if (raw.size() > config.transfer_size_max - download.octets.size()) return fail({Fault::too_long, 0});
    if (raw.empty() && !response.last) return fail({Fault::bad_value, 9});  // would go on for ever
    download.octets.insert(download.octets.end(), raw.begin(), raw.end());
    download.block = response.block;
    if (!response.last) {
        if (!output(encode(GetNextRequest{invoke, response.block}))) lose({Fault::refused, 0});
        return;
    }
    auto data = decode_data(download.octets);
    if (!data) return fail(data.error());
    finish(ReadCompleted{open->id, std::move(*data)});
}

void Client::State::take(const SetResponse& response) {
    if (!std::holds_alternative<SetRequest>(open->what)) return fail({Fault::unexpected, 1});
    finish(WriteCompleted{open->id, response.result});
}

void Client::State::take(const SetBlockResponse& response) {
    if (!std::holds_alternative<SetRequest>(open->what) || upload.block == 0)
        return fail({Fault::unexpected, 1});
    if (response.result) return finish(WriteCompleted{open->id, *response.result});
    const bool acknowledges = response.block == upload.block && upload.sent < upload.octets.size();
    if (!acknowledges) return fail({Fault::unexpected, 3});
    next_upload_block();
}

void Client::State::take(const ActionResponse& response) {
    if (!std::holds_alternative<ActionRequest>(open->what)) return fail({Fault::unexpected, 1});
    ActionOutcome outcome{response.result, {}};
    if (response.value)
        if (const auto* data = std::get_if<Data>(&*response.value)) outcome.value = *data;
    finish(ActionCompleted{open->id, std::move(outcome)});
}

void Client::State::forget_open() {
    open.reset();
    outputs.clear();  // what was not sent yet belongs to what is over
    upload = {};
    download = {};
}

void Client::State::finish(ClientEvent event) {
    events.push_back(std::move(event));
    forget_open();
    advance();
}

void Client::State::released() {
    phase = Phase::idle;
    events.emplace_back(Released{});
    lose({Fault::refused, 0});
}

void Client::State::fail(Error error, std::optional<std::array<std::uint8_t, 2>> exception, bool lost) {
    if (phase == Phase::releasing) return released();
    const bool opening = phase == Phase::associating || phase == Phase::proving;
    if (opening) events.emplace_back(RequestFailed{{}, error, exception, true});
    if (opening || (lost && !config.pre_established)) return lose(error, exception);
    events.emplace_back(
        RequestFailed{open ? std::optional{open->id} : std::nullopt, error, exception, false});
    forget_open();
    advance();
}

void Client::State::lose(Error error, std::optional<std::array<std::uint8_t, 2>> exception) {
    const bool lost = !config.pre_established;
    phase = lost ? Phase::idle : Phase::associated;
    if (open) events.emplace_back(RequestFailed{open->id, error, exception, lost});
    forget_open();
    for (Operation& operation : std::exchange(waiting, {})) {
        if (std::holds_alternative<ReleaseOrder>(operation.what))
            events.emplace_back(Released{});
        else
            events.emplace_back(RequestFailed{operation.id, error, exception, lost});
    }
}

// By value: the caller's copy may go, ours is wiped. NOLINTNEXTLINE(performance-unnecessary-value-param)
Client::Client(ClientConfig config, Ciphers& ciphers, Random& random, CounterStore& send,
               CounterStore& receive)
    : state_(new State(config, ciphers, random, send, receive)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

void Client::associate() {
    if (state_->phase == State::Phase::idle) state_->start_association();
}

void Client::release() {
    if (state_->phase == State::Phase::idle) return state_->released();
    if (state_->phase != State::Phase::releasing) state_->enqueue(State::ReleaseOrder{});
}

RequestId Client::get(const AttributeId& id, Selection selection) {
    return state_->enqueue(GetRequest{.id = id, .selection = std::move(selection)});
}

RequestId Client::set(const AttributeId& id, Data value) {
    return state_->enqueue(SetRequest{.id = id, .value = std::move(value)});
}

RequestId Client::act(const MethodId& id, std::optional<Data> argument) {
    return state_->enqueue(ActionRequest{.id = id, .argument = std::move(argument)});
}

std::optional<Buffer> Client::take_output() {
    if (state_->outputs.empty()) return std::nullopt;
    Buffer apdu = std::move(state_->outputs.front());
    state_->outputs.pop_front();
    return apdu;
}

void Client::receive(Bytes apdu) { state_->receive(apdu); }

std::optional<ClientEvent> Client::take_event() {
    if (state_->events.empty()) return std::nullopt;
    ClientEvent event = std::move(state_->events.front());
    state_->events.pop_front();
    return event;
}

void Client::abort() {
    if (state_->phase == State::Phase::releasing) return state_->released();
    const auto phase = state_->phase;
    if (phase == State::Phase::associating || phase == State::Phase::proving)
        state_->events.emplace_back(RequestFailed{{}, {Fault::truncated, 0}, {}, true});
    state_->lose({Fault::truncated, 0});
}

bool Client::associated() const {
    return state_->phase == State::Phase::associated || state_->phase == State::Phase::releasing;
}

bool Client::busy() const {
    const auto phase = state_->phase;
    return state_->open || !state_->waiting.empty() ||
           (phase != State::Phase::idle && phase != State::Phase::associated);
}

}  // namespace wattmesh::dlms
