#include "headend/frontend/caller_session.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "protocol/link/sniff.h"

namespace wattmesh::headend::frontend {
namespace {

using Verdict = link::HelloMatch::Verdict;

constexpr std::size_t wrapper_header_size = 8, first_octets_max = 64;
constexpr dlms::AttributeId logical_device_name{1, obis::logical_device_name, 2};

/// The public client ciphers nothing.
struct NoCounter final : CounterStore {
    std::optional<std::uint32_t> next() override { return std::nullopt; }
    bool accept(std::uint32_t) override { return false; }
    void raise(std::uint32_t) override {}
};

const HalfDuplexSettings& exchange_settings(const CallerSettings& settings, link::Carried carries) {
    if (carries == link::Carried::gdw376) return settings.terminal_exchange;
    return carries == link::Carried::wrapper ? settings.exchange : settings.bus_exchange;
}

bool is_general_ciphered(std::uint8_t tag) { return (tag >= 0xDB && tag <= 0xDF) || tag == 0xE0; }

}  // namespace

std::optional<DeviceNumber> number_of_identity(std::string_view identity) {
    if (identity.empty() || identity.size() > 12) return std::nullopt;
    if (identity.find_first_not_of('0') == std::string_view::npos) return std::nullopt;  // never configured
    return DeviceNumber::parse(std::string(12 - identity.size(), '0') + std::string{identity});
}

CallerSession::CallerSession(const CallerWorld& world, LinkId link, const CallerPort& port)
    : world_(world),
      link_(link),
      port_(port),
      life_(*this),
      since_(world.now),
      last_frame_(world.now),
      minute_began_(world.now),
      standing_backoff_(std::chrono::seconds{1}, std::chrono::seconds{30}),
      exchange_(exchange_settings(world.settings, port.carries), world.now),
      no_counters_(std::make_unique<NoCounter>()) {
    if (port.carries == link::Carried::gdw376)
        terminal_.emplace();
    else if (port.carries != link::Carried::wrapper)
        modbus_.emplace(port.carries);
    life_.initiate();
}

CallerSession::~CallerSession() = default;

Duration CallerSession::silence_max() const {
    const Duration beat =
        profile_ != nullptr ? profile_->beat_every : port_.beat_every.value_or(world_.settings.beat_default);
    return 3 * beat + std::chrono::seconds{30};
}

void CallerSession::end(CallerEnd end, const std::string& detail) {
    if (phase() == Phase::closing) return;
    world_.moved.insert(link_);
    ended_ = end;
    life_.process_event(life::Ended{detail});
}

void CallerSession::stop(const std::string& reason) {
    end_detail_ = reason;
    standing_guard_.cancel();
    asker_.reset();
    buffer_.clear();
    early_pushes_.clear();
    exchange_.close();
}

std::vector<Buffer> CallerSession::take_output() {
    if (phase() == Phase::ready) {
        if (auto next = exchange_.take_output()) send(next->first, next->second);
    }
    return std::exchange(output_, {});
}

void CallerSession::send(Sap client, Bytes apdu) {
    if (terminal_) return output_.push_back(terminal_->ask(apdu));
    if (modbus_) return output_.push_back(modbus_->ask(static_cast<std::uint8_t>(client.value), apdu));
    output_.push_back(link::encode_wrapper({client, management_logical_device, to_buffer(apdu)}));
}

void CallerSession::request(Sap client, Buffer apdu, Relay::Done done) {
    if (phase() != Phase::ready) return done({RelayStatus::offline, {}});
    world_.moved.insert(link_);
    exchange_.request(client, std::move(apdu), std::move(done));
}

void CallerSession::receive(Bytes bytes) {
    if (phase() == Phase::closing) return;
    counters_.octets += bytes.size();
    if (world_.now - minute_began_ >= std::chrono::minutes{1}) {
        minute_began_ = world_.now;
        octets_this_minute_ = 0;
    }
    octets_this_minute_ += bytes.size();
    if (octets_this_minute_ > world_.settings.octets_per_minute_max)
        return end(CallerEnd::flood, std::to_string(octets_this_minute_) + " octets within a minute");
    if (first_octets_.size() < first_octets_max) {
        const auto room = std::min(bytes.size(), first_octets_max - first_octets_.size());
        first_octets_.insert(first_octets_.end(), bytes.begin(),
                             bytes.begin() + static_cast<std::ptrdiff_t>(room));
    }
    if (modbus_) return receive_modbus(bytes);
    if (terminal_) return receive_terminal(bytes);
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    consume();
}

void CallerSession::consume() {
    while (phase() != Phase::closing && !buffer_.empty() && consume_one()) partial_since_.reset();
    if (buffer_.empty()) {
        partial_since_.reset();
    } else if (!partial_since_) {
        partial_since_ = world_.now;
    }
}

/// One hello or frame; false when more octets are needed.
bool CallerSession::consume_one() {
    const auto found = link::find_hello(
        profile_ != nullptr ? std::vector<const link::HelloProfile*>{profile_} : port_.profiles, buffer_);
    if (found.match.verdict == Verdict::yes) {
        buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(found.match.size));
        on_hello(found);
        return true;
    }
    return consume_frame(found);
}

bool CallerSession::consume_frame(const link::HelloFound& hello) {
    const bool may_be_hello = hello.match.verdict == Verdict::more;
    if (!speaks_wrapper_) {
        if (may_be_hello) return false;
        const auto sniffed =
            port_.sniff ? link::sniff(buffer_) : link::Sniffed{link::Sniffed::Verdict::unknown, {}};
        if (sniffed.verdict == link::Sniffed::Verdict::more) return false;
        if (sniffed.verdict == link::Sniffed::Verdict::unknown || sniffed.speech != link::Speech::wrapper) {
            ++counters_.malformed;
            end(CallerEnd::malformed,
                sniffed.verdict == link::Sniffed::Verdict::known
                    ? "speaks " + std::string{to_string(sniffed.speech)} + ", not served here"
                    : "its first octets are no hello of this port");
            return false;
        }
        speaks_wrapper_ = true;
    }
    if (buffer_.size() < wrapper_header_size) return false;
    const std::size_t size = wrapper_header_size + (std::size_t{buffer_[6]} << 8U | buffer_[7]);
    const bool too_long = size > wrapper_header_size + world_.settings.payload_size_max;
    if (!too_long && buffer_[0] == 0 && buffer_[1] == 1 && buffer_.size() < size) return false;
    const auto frame = link::decode_wrapper_datagram(Bytes{buffer_}.first(std::min(size, buffer_.size())),
                                                     world_.settings.payload_size_max);
    if (!frame) {
        ++counters_.malformed;
        end(CallerEnd::malformed, "not a wrapper stream: " + std::string{to_string(frame.error().fault)});
        return false;
    }
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
    on_frame(*frame);
    return true;
}

void CallerSession::on_hello(const link::HelloFound& found) {
    last_frame_ = world_.now;
    ++counters_.frames;
    ++(found.beat ? counters_.beats : counters_.logins);
    if (!found.match.checksum_ok) ++counters_.bad_checksums;
    if (!found.answer.empty()) output_.push_back(found.answer);  // before anything else is done
    profile_ = found.profile;
    if (profile_->carries == link::Carried::wrapper) speaks_wrapper_ = true;
    if (found.match.identity.empty()) return;
    if (identity_.empty()) return identify(found.match.identity);
    if (found.match.identity != identity_ && number_of_identity(found.match.identity) != number_)
        end(CallerEnd::other_identity, "it said " + identity_ + " before, now " + found.match.identity);
}

void CallerSession::identify(const std::string& identity) {
    asker_.reset();
    identity_ = identity;
    number_ = terminal_ ? terminal_->number() : number_of_identity(identity);
    life_.process_event(life::LoggedIn{});
    if (!number_) life_.process_event(life::NotRegistered{});  // a number that nobody has is not looked up
}

void CallerSession::ask_standing() {
    if (!number_) return;
    ask_at_ = world_.now + world_.settings.standing_retry;
    world_.directory.open_caller(
        *number_, world_.now,
        standing_guard_.expect([this](const std::optional<SessionOpened>& opened) { on_standing(opened); }));
}

void CallerSession::on_standing(const std::optional<SessionOpened>& opened) {
    world_.moved.insert(link_);
    if (!opened) {
        ask_at_ = world_.now + standing_backoff_.next();
        return;
    }
    switch (opened->standing) {
        case Standing::known:
            return life_.process_event(life::Admitted{opened->epoch});
        case Standing::unknown:
            ask_at_ = world_.now + world_.settings.standing_retry;
            return life_.process_event(life::NotRegistered{});
        case Standing::revoked:
            return end(CallerEnd::revoked, "the device is revoked");
    }
}

void CallerSession::start_work(OwnerEpoch epoch) {
    epoch_ = epoch;
    ask_at_.reset();
    world_.work.admitted(*number_, epoch, port_.carries);
    for (Buffer& apdu : std::exchange(early_pushes_, {}))
        world_.work.pushed(*number_, epoch_, std::move(apdu), world_.now);
}

/// Answers come in the framing of their request; whatever else is ciphered as a whole came by itself.
bool CallerSession::is_push(Bytes apdu) const {
    constexpr std::uint8_t data_notification = 0x0F, event_notification = 0xC2;
    const std::uint8_t tag = apdu.front();
    if (tag == data_notification || tag == event_notification) return true;
    return is_general_ciphered(tag) && !(exchange_.open() && is_general_ciphered(exchange_.open_tag()));
}

void CallerSession::on_frame(const link::WrapperFrame& frame) {
    last_frame_ = world_.now;
    ++counters_.frames;
    if (frame.payload.empty()) {
        ++counters_.malformed;
    } else if (is_push(frame.payload)) {
        on_push(frame.payload);
    } else if (asker_) {
        on_identity_apdu(frame.payload);
    } else if (phase() != Phase::ready) {
        ++counters_.early;
    } else if (!exchange_.receive(frame.payload)) {
        ++counters_.unasked;
    }
}

void CallerSession::on_push(Buffer apdu) {
    if (apdu.front() == dlms::general_block_tag) {
        const auto block = dlms::decode_general_block(apdu);
        if (!block) {
            ++counters_.malformed;
            return;
        }
        // Nobody acknowledges the blocks of a push: where one is missing, the set is dropped.
        const auto dropped = push_blocks_.dropped();
        auto whole = push_blocks_.receive(*block);
        counters_.dropped_pushes += push_blocks_.dropped() - dropped;
        if (!whole || whole->empty() || whole->front() == dlms::general_block_tag) return;
        apdu = *std::move(whole);
    }
    ++counters_.pushes;
    if (phase() == Phase::ready) return world_.work.pushed(*number_, epoch_, std::move(apdu), world_.now);
    if (early_pushes_.size() < world_.settings.early_pushes_max) {
        early_pushes_.push_back(std::move(apdu));
    } else {
        ++counters_.dropped_pushes;
    }
}

/// Identity by a read: an association without security, one GET.
void CallerSession::ask_identity() {
    speaks_wrapper_ = true;
    asker_ = std::make_unique<dlms::Client>(dlms::ClientConfig{}, world_.ciphers, world_.random,
                                            *no_counters_, *no_counters_);
    asker_->associate();
    if (const auto apdu = asker_->take_output()) send(public_client, *apdu);
}

void CallerSession::on_identity_apdu(Bytes apdu) {
    asker_->receive(apdu);
    while (const auto event = asker_->take_event()) {
        if (std::holds_alternative<dlms::Associated>(*event)) asker_->get(logical_device_name);
        const auto* read = std::get_if<dlms::ReadCompleted>(&*event);
        if (read == nullptr) continue;
        const auto* data = std::get_if<dlms::Data>(&read->outcome);
        const Bytes name = data != nullptr ? data->octets() : Bytes{};
        if (name.size() < 12) continue;
        const Bytes last = name.last(12);
        std::string digits(last.begin(), last.end());
        asker_->release();
        if (const auto goodbye = asker_->take_output()) send(public_client, *goodbye);
        if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
            digits = "?";
        return identify(digits);
    }
    if (const auto next = asker_->take_output()) send(public_client, *next);
}

void CallerSession::tick() {
    if (phase() == Phase::closing) return;
    watch_deadlines();
    const bool asks = phase() == Phase::identified || phase() == Phase::quarantined;
    if (asks && number_ && ask_at_ && world_.now >= *ask_at_) ask_standing();
    if (phase() == Phase::accepted && !asker_ && port_.sniff && counters_.octets == 0 &&
        world_.now - since_ >= world_.settings.ask_identity_after)
        ask_identity();
    if (phase() == Phase::ready) exchange_.tick();
}

Instant CallerSession::due() const {
    const CallerSettings& settings = world_.settings;
    Instant first = std::min(last_frame_ + silence_max(), exchange_.due());
    if (identity_.empty()) first = std::min(first, since_ + settings.identity_deadline);
    if (partial_since_) first = std::min(first, *partial_since_ + settings.partial_deadline);
    if (number_ && ask_at_) first = std::min(first, *ask_at_);
    if (port_.sniff && !asker_ && counters_.octets == 0)
        first = std::min(first, since_ + settings.ask_identity_after);
    return first;
}

void CallerSession::watch_deadlines() {
    const CallerSettings& settings = world_.settings;
    const Instant now = world_.now;
    if (identity_.empty() && now - since_ >= settings.identity_deadline)
        return end(CallerEnd::no_identity, "it did not say who it is");
    if (now - last_frame_ >= silence_max()) return end(CallerEnd::silent, "three heartbeats missed");
    if (!partial_since_ || now - *partial_since_ < settings.partial_deadline) return;
    if (modbus_ && !identity_.empty()) {  // the beginning of a hello that was none
        counters_.noise += buffer_.size();
        buffer_.clear();
        partial_since_.reset();
    } else {
        end(CallerEnd::unfinished_frame, std::to_string(buffer_.size()) + " octets of a frame, no more");
    }
}

}  // namespace wattmesh::headend::frontend
