#include "protocol/collector/collector.h"

#include <algorithm>
#include <utility>

/// Finding meters, checking that they are still there, telling the concentrator.
namespace wattmesh::collector {
namespace {
using namespace std::chrono_literals;
constexpr Duration check_every = 60s, check_again = 5s, call_pause = 1s, call_pause_first = 20ms;
constexpr int misses_max = 3;
constexpr Duration notice_first = 10s, notice_max = 640s;
constexpr std::size_t refused_max = 64;

AttachedTable restored(Bytes state, Random& random) {
    if (auto table = decode_attached_table(state)) return std::move(*table);
    std::array<std::uint8_t, 2> octets{};
    random.fill(octets);  // so that a concentrator does not take a new table for one that it has
    return AttachedTable{static_cast<std::uint16_t>(octets[0] << 8 | octets[1])};
}
}  // namespace

Collector::Collector(const BusSettings& settings, Bytes state, Ciphers& ciphers, Random& random)
    : settings_(settings), table_(restored(state, random)), bus_(settings, ciphers, random) {
    saved_ = table_.generation();
}

void Collector::start(Instant now) {
    calling_ = settings_.address_last;
    call_at_ = now;
    for (auto& meter : table_.all()) meter.check_at = now;
    notify(now);
}

void Collector::tick(Instant now) {
    bus_.tick(now);
    if (auto outcome = bus_.take_outcome()) bus_done(*outcome, now);
    if (now >= notice_at_) {
        notice_ = encode(Notice{table_.generation()});
        notice_at_ = now + notice_gap_;
        notice_gap_ = std::min<Duration>(notice_gap_ * 2, notice_max);
    }
    std::erase_if(kept_, [&](const auto& row) { return now >= row.second.until; });
    settle(now);
    work(now);
}

Instant Collector::next_deadline() const {
    Instant next = std::min(bus_.next_deadline(), notice_at_);
    for (const auto& open : open_) next = std::min(next, open.answer_by);
    if (work_ != Work::none) return next;
    for (const auto& meter : table_.all()) next = std::min(next, meter.check_at);
    return std::min(next, call_at_);
}

void Collector::bus_received(Bytes octets, Instant now) {
    bus_.received(octets, now);
    if (auto outcome = bus_.take_outcome()) bus_done(*outcome, now);
    settle(now);
    work(now);
}

std::optional<Buffer> Collector::take_bus_output() { return bus_.take_output(); }

std::optional<Collector::Answer> Collector::take_answer() {
    if (answers_.empty()) return std::nullopt;
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
}

std::optional<Buffer> Collector::take_notice() { return std::exchange(notice_, std::nullopt); }

/// The table has changed, or nobody may know it: say so, and again until it has been fetched.
void Collector::notify(Instant now) {
    if (told_any_ && told_ == table_.generation()) return;
    notice_at_ = now;
    notice_gap_ = notice_first;
}

std::optional<std::uint16_t> Collector::next_address(Instant now) {
    if (now < call_at_) return std::nullopt;
    const int count = settings_.address_last - settings_.address_first + 1;
    for (int i = 0; i < count; ++i) {
        calling_ = calling_ >= settings_.address_last ? settings_.address_first
                                                      : static_cast<std::uint16_t>(calling_ + 1);
        if (table_.at_address(calling_) == nullptr) return calling_;
    }
    return std::nullopt;
}

/// What is asked for goes first, then who must be checked, then an address that nobody is known at.
void Collector::work(Instant now) {
    if (work_ != Work::none) return;
    while (!jobs_.empty()) {
        job_ = std::move(jobs_.front());
        jobs_.pop_front();
        Attached* meter = table_.find(job_.sub);
        if (meter == nullptr || meter->meter != job_.meter) {
            kept_[job_.sub] = {ItemStatus::absent, {}, now + 1s};
            settle(now);
            continue;
        }
        work_ = Work::job;
        return bus_.relay(meter->address, Sap{job_.payload.front()},
                          Buffer(job_.payload.begin() + 1, job_.payload.end()), now);
    }
    const auto& all = table_.all();
    const auto due = std::min_element(
        all.begin(), all.end(), [](const Attached& a, const Attached& b) { return a.check_at < b.check_at; });
    if (due != all.end() && due->check_at <= now) {
        work_ = Work::check;
        address_ = due->address;
        return bus_.identify(address_, true, now);
    }
    if (const auto address = next_address(now)) {
        work_ = Work::call;
        address_ = *address;
        return bus_.identify(address_, false, now);
    }
    if (now >= call_at_) call_at_ = now + check_every;  // every address is taken
}

void Collector::bus_done(const BusOutcome& outcome, Instant now) {
    const Work done = std::exchange(work_, Work::none);
    if (done == Work::job) return relayed(outcome, now);
    if (done == Work::call) {
        if (calling_ == settings_.address_last) swept_ = true;
        call_at_ = now + (swept_ ? call_pause : call_pause_first);
    }
    found(address_, outcome, now);
}

void Collector::relayed(const BusOutcome& outcome, Instant now) {
    Attached* meter = table_.find(job_.sub);
    Kept kept{ItemStatus::silent, {}, now + 60s};
    if (outcome.kind == BusOutcome::Kind::answered) {
        kept.status = ItemStatus::answered;
        kept.payload.push_back(job_.payload.front());
        kept.payload.insert(kept.payload.end(), outcome.apdu.begin(), outcome.apdu.end());
        if (kept.payload.size() > meter_payload_size_max) kept = {ItemStatus::too_long, {}, now + 60s};
    }
    kept_[job_.sub] = std::move(kept);
    if (meter == nullptr || meter->meter != job_.meter) return;
    if (outcome.kind == BusOutcome::Kind::answered)
        heard(*meter, now);
    else
        missed(*meter, now);
}

void Collector::heard(Attached& meter, Instant now) {
    meter.heard = now;
    meter.misses = 0;
    meter.check_at = now + check_every;
}

void Collector::missed(Attached& meter, Instant now) {
    meter.check_at = now + check_again;
    if (++meter.misses < misses_max) return;
    ++counters_.removed;
    bus_.forget(meter.address);
    kept_.erase(meter.sub);
    table_.remove(meter.sub);
    refused_.clear();  // there is a place again; who still waits for one is found by the next calls
    notify(now);
}

/// Somebody was asked for the number, or nobody was there.
void Collector::found(std::uint16_t address, const BusOutcome& outcome, Instant now) {
    Attached* known = table_.at_address(address);
    if (outcome.kind == BusOutcome::Kind::anonymous) ++counters_.anonymous;
    if (outcome.kind != BusOutcome::Kind::identified) {
        if (known != nullptr) missed(*known, now);
        return;
    }
    if (known != nullptr && known->meter == outcome.meter) return heard(*known, now);
    for (auto& other : table_.all()) {
        if (other.meter != outcome.meter || other.misses > 0) continue;
        // The same number at another address: moved, or a twin. The old address tells.
        other.check_at = now;
        if (other.heard && now - *other.heard < check_every) {
            ++counters_.twins;
            return;
        }
    }
    if (known != nullptr) kept_.erase(known->sub);
    bus_.forget(address);
    Attached* placed = table_.put(outcome.meter, address);
    if (placed == nullptr) {
        ++counters_.no_place;
        if (refused_.size() < refused_max && refused_.insert(outcome.meter).second) {
            told_any_ = false;
            notify(now);
        }
        return;
    }
    refused_.erase(outcome.meter);
    heard(*placed, now);
    notify(now);
}

}  // namespace wattmesh::collector
