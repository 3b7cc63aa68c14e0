#include "protocol/dlms/client.h"

#include <cassert>
#include <utility>

#include "protocol/base/reader.h"
#include "protocol/dlms/client_state.h"

namespace wattmesh::dlms {

namespace {

constexpr std::uint8_t tag_aare = 0x61, tag_rlre = 0x63, tag_exception = 0xD8, tag_service_error = 0x0E;
constexpr std::uint8_t tag_data_notification = 0x0F, tag_event_notification = 0xC2;
constexpr std::uint8_t tag_get_response = 0xC4, tag_access_response = 0xDA;
constexpr std::uint8_t tag_read_response = 0x0C, tag_write_response = 0x0D;
constexpr std::uint8_t confirmed_high_priority = 0xC0;

}  // namespace

Client::State::State(const ClientConfig& settings, Ciphers& ciphers, Random& chance, CounterStore& send,
                     CounterStore& receive)
    : config(settings), random(chance) {
    const bool keyed = config.ciphered || config.mechanism == Mechanism::high_gmac;
    assert(!keyed || config.keys || config.protection);
    static_cast<void>(keyed);
    config.security.mechanism = config.mechanism;
    config.security.random = &random;
    config.security.empty_title_allowed |= config.quirks.empty_system_title;
    if (is_high(config.mechanism)) config.security.secret = config.password;
    if (config.ciphered || is_high(config.mechanism)) {
        cipher = config.protection;
        if (!cipher)
            cipher = std::make_shared<SecurityContext>(config.keys, config.own_title, config.server_title,
                                                       ciphers, send, receive, config.security);
    }
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
    const std::size_t limit = pdu_limit();
    if (apdu.size() <= limit || (negotiated.conformance & conformance::general_block_transfer) == 0) {
        outputs.push_back(std::move(apdu));
        return true;
    }
    std::size_t block_size = limit;
    while (block_size > 1 && general_block_size(block_size) > limit) --block_size;
    blocks = BlockTransfer{{config.block_window, block_size, config.transfer_size_max}};
    blocks.send(std::move(apdu));
    send_blocks(false);
    return true;
}

RequestId Client::State::enqueue(Order what) {
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

void Client::State::receive(Bytes apdu) {
    if (apdu.empty()) return fail({Fault::truncated, 0});
    if (apdu.size() > config.pdu_size_max) return fail({Fault::too_long, config.pdu_size_max});
    receive_whole(apdu);
}

void Client::State::receive_whole(Bytes apdu) {
    switch (apdu[0]) {
        case tag_aare:
            return phase == Phase::associating ? take_aare(apdu) : fail({Fault::unexpected, 0});
        case tag_rlre:
            return phase == Phase::releasing ? take_release(apdu) : fail({Fault::unexpected, 0});
        case tag_exception:
            return take_exception(apdu);
        case tag_service_error:
            return fail({Fault::refused, 0});
        case tag_data_notification:
        case tag_event_notification:
            if (config.ciphered) {
                events.emplace_back(RequestFailed{{}, {Fault::not_authentic, 0}, {}});
                return;
            }
            return take_notification(apdu);
        case general_block_tag:
            return receive_block(apdu, false);
        default:
            break;
    }
    if (phase == Phase::idle || phase == Phase::associating) return fail({Fault::unexpected, 0});
    if (!config.ciphered) return take_plain(apdu);
    Buffer copy = to_buffer(apdu);
    const auto plain = cipher->open_in_place(copy);
    if (!plain) return fail(plain.error());
    take_plain(*plain);
}

// Blocks carry a ciphered APDU, or ciphered APDUs carry blocks: both orders are legal (Green Book ed.
// 10, 9.2.7.3).
void Client::State::receive_block(Bytes apdu, bool inside_ciphering) {
    const auto block = decode_general_block(apdu);
    if (!block) return fail(block.error());
    const bool one_way = block->window == 0 && block->streaming;
    std::optional<Buffer> whole;
    if (one_way && !blocks.open() && !open) {
        whole = pushes.receive(*block);
    } else {
        if (const auto error = blocks.receive(*block)) return fail(*error);
        send_blocks(inside_ciphering);
        whole = blocks.take_message();
    }
    if (!whole) return;
    if (whole->empty()) return fail({Fault::truncated, 0});
    if (whole->front() == general_block_tag) return fail({Fault::too_deep, 0});
    if (inside_ciphering) return take_plain(*whole);
    receive_whole(*whole);
}

void Client::State::send_blocks(bool inside_ciphering) {
    while (auto block = blocks.take_output()) {
        Buffer apdu = encode(*block);
        if (inside_ciphering) {
            auto sealed = cipher->protect(apdu);
            if (!sealed) return lose({Fault::refused, 0});
            apdu = std::move(*sealed);
        }
        outputs.push_back(std::move(apdu));
    }
}

void Client::State::take_exception(Bytes apdu) {
    if (apdu.size() < 3) return fail({Fault::truncated, apdu.size()});
    const std::array<std::uint8_t, 2> exception{apdu[1], apdu[2]};
    const bool no_association =
        exception[0] == exception::service_not_allowed && exception[1] == exception::operation_not_possible;
    expected_counter.reset();
    if (exception[1] == exception::invocation_counter_error && apdu.size() == 7)
        expected_counter = Reader{apdu.subspan(3)}.u32();
    fail({Fault::refused, 0}, exception, no_association);
    expected_counter.reset();
}

// A notification answers nothing: it never touches the open request.
void Client::State::take_notification(Bytes apdu) {
    if (apdu[0] == tag_event_notification) {
        auto event = decode_event_notification(apdu, config.quirks);
        if (event)
            events.emplace_back(EventNotified{std::move(*event)});
        else
            events.emplace_back(RequestFailed{{}, event.error(), {}});
        return;
    }
    auto notification = decode_data_notification(apdu, config.quirks);
    if (notification)
        events.emplace_back(Notified{notification->invoke, std::move(notification->body),
                                     std::move(notification->date_time)});
    else
        events.emplace_back(RequestFailed{{}, notification.error(), {}});
}

void Client::State::take_plain(Bytes apdu) {
    if (apdu.empty()) return fail({Fault::truncated, 0});
    if (apdu[0] == tag_data_notification || apdu[0] == tag_event_notification) return take_notification(apdu);
    if (apdu[0] == general_block_tag) return receive_block(apdu, true);
    if (apdu[0] == tag_access_response) return take_access(apdu);
    if (apdu[0] == tag_read_response) return take_read(apdu);
    if (apdu[0] == tag_write_response) return take_written(apdu);
    const bool octets_wanted = open && std::holds_alternative<OctetsRequest>(open->what);
    if (octets_wanted && apdu.size() > 1 && apdu[0] == tag_get_response && apdu[1] == 1)
        return take_octets(apdu);
    const auto response = decode_response(apdu);
    if (!response) return fail(response.error());
    if (phase == Phase::proving) return take_proof(*response);
    if (!open) return fail({Fault::unexpected, 0});
    take(*response);
}

void Client::State::forget_open() {
    open.reset();
    outputs.clear();  // what was not sent yet belongs to what is over
    upload = {};
    download = {};
    blocks.reset();
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
    if (opening) events.emplace_back(RequestFailed{{}, error, exception, true, expected_counter});
    if (opening || (lost && !config.pre_established)) return lose(error, exception);
    events.emplace_back(RequestFailed{open ? std::optional{open->id} : std::nullopt, error, exception, false,
                                      expected_counter});
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

RequestId Client::get_octets(const AttributeId& id, Selection selection) {
    return state_->enqueue(State::OctetsRequest{{.id = id, .selection = std::move(selection)}});
}

RequestId Client::set(const AttributeId& id, Data value) {
    return state_->enqueue(SetRequest{.target = {.id = id}, .value = std::move(value)});
}

RequestId Client::act(const MethodId& id, std::optional<Data> argument) {
    return state_->enqueue(ActionRequest{.id = id, .argument = std::move(argument)});
}

RequestId Client::get_list(std::vector<GetListRequest::Item> items) {
    assert(!items.empty() && items.size() <= list_size_max);
    return state_->enqueue(GetListRequest{.items = std::move(items)});
}

RequestId Client::set_list(const std::vector<AttributeId>& ids, std::vector<Data> values) {
    assert(!ids.empty() && ids.size() <= list_size_max && ids.size() == values.size());
    SetListRequest list{.values = std::move(values)};
    for (const auto& id : ids) list.targets.push_back({.id = id});
    return state_->enqueue(std::move(list));
}

RequestId Client::act_list(std::vector<MethodId> ids, std::vector<Data> arguments) {
    assert(!ids.empty() && ids.size() <= list_size_max && ids.size() == arguments.size());
    return state_->enqueue(ActionListRequest{.ids = std::move(ids), .arguments = std::move(arguments)});
}

RequestId Client::access(std::vector<AccessSpecification> specifications, std::vector<Data> data,
                         bool break_on_error) {
    assert(!specifications.empty() && specifications.size() <= list_size_max &&
           specifications.size() == data.size());
    return state_->enqueue(AccessRequest{.invoke = break_on_error ? long_invoke::break_on_error : 0,
                                         .specifications = std::move(specifications),
                                         .data = std::move(data)});
}

bool Client::resume() {
    if (!state_->blocks.resume()) return false;
    state_->send_blocks(false);
    return true;
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
