#include "terminal-sim/device/terminal.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace wattmesh::sim {

using namespace gdw376;

namespace {

constexpr std::uint8_t parameters_changed = 3;  // ERC 3
/// F25: powers, power factors, voltages, currents, apparent powers (as C of 1-0:C.7.0).
constexpr std::uint8_t electrical[]{16, 36, 56, 76, 3,  23, 43, 63, 13, 33, 53, 73,
                                    32, 52, 72, 31, 51, 71, 91, 9,  29, 49, 69};
constexpr std::size_t tariffs = 4, events_max = 200;

Frame denial(const Frame& asked) { return confirm(asked, false); }

struct ItemOf {
    std::uint16_t item = 0, point = terminal_point;
    void operator()(const CommunicationParameters&) { item = 1; }
    void operator()(const MasterAddress&) { item = 3; }
    void operator()(const UplinkMode&) { item = item::uplink_mode; }
    void operator()(const MeterList&) { item = 10; }
    void operator()(const PortSchedules&) { item = item::port_schedules; }
    void operator()(const ReportTask& task) {
        item = task.frozen ? item::report_frozen : item::report_now;
        point = task.number;
    }
    void operator()(const ReportSwitch& order) {
        item = order.frozen ? item::switch_frozen : item::switch_now;
        point = order.number;
    }
};

}  // namespace

Terminal::Terminal(Settings settings, std::map<std::uint16_t, const Dlt645Meter*> meters, PolledTruth* polled)
    : settings_(std::move(settings)),
      meters_(std::move(meters)),
      polled_(polled),
      clock_off_(settings_.clock_off) {}

void Terminal::tell_frozen(const std::filesystem::path& file) {
    frozen_.open(file, std::ios::app);
    if (!frozen_) throw std::runtime_error(file.string() + ": cannot be written");
}

void Terminal::tell(int bank, const Dlt645Meter& meter, Instant at, int channel, double value) {
    if (!frozen_.is_open()) return;
    frozen_ << bank << ',' << to_string(meter.number()) << ',' << epoch_us(at) / 1'000'000 << ',' << channel
            << ',' << std::llround(value) << '\n'
            << std::flush;
}

WallTime Terminal::wall(Instant at) const {
    const Instant local = at + settings_.utc_offset;
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(local - day)};
    return {day, static_cast<std::uint8_t>(time.hours().count()),
            static_cast<std::uint8_t>(time.minutes().count()),
            static_cast<std::uint8_t>(time.seconds().count())};
}

Instant Terminal::instant(const WallTime& wall) const {
    return Instant{std::chrono::sys_days{wall.date}} + std::chrono::hours{wall.hour} +
           std::chrono::minutes{wall.minute} + std::chrono::seconds{wall.second} - settings_.utc_offset;
}

Frame Terminal::login(std::uint8_t sequence) const {
    return link_frame(settings_.address, LinkItem::login, sequence);
}
Frame Terminal::heartbeat(std::uint8_t sequence) const {
    return link_frame(settings_.address, LinkItem::heartbeat, sequence);
}

EventCounters Terminal::counters() const { return {static_cast<std::uint8_t>(events_.size()), 0}; }

Frame Terminal::happen(std::uint8_t code, Instant now, std::uint8_t sequence) {
    if (events_.size() < events_max) events_.push_back({code, wall(shown_time(now)), {}});
    const auto last = static_cast<std::uint8_t>(events_.size());
    Frame frame;
    frame.from_terminal = frame.confirm = true;
    frame.function = function::send_no_reply;
    frame.address = settings_.address;
    frame.afn = Afn::class_3;
    frame.sequence = sequence;
    frame.events = counters();
    Writer units;
    encode(
        units,
        EventList{
            EventRank::important, counters(), static_cast<std::uint8_t>(last - 1), last, {events_.back()}});
    frame.units = units.take();
    return frame;
}

/// Which meter the master says is at this point, if there is one with that number.
const Dlt645Meter* Terminal::meter_at(std::uint16_t point) const {
    const auto listed = std::ranges::find(list_, point, &ListedMeter::point);
    if (listed == list_.end()) return nullptr;
    for (const auto& [place, meter] : meters_)
        if (meter != nullptr && meter->number() == listed->meter) return meter;
    return nullptr;
}

std::vector<Frame> Terminal::answer(const Frame& asked, Instant now) {
    switch (asked.afn) {
        case Afn::confirm:
            return {};
        case Afn::set_parameters:
        case Afn::control: {
            if (!settings_.demands_chip) return {confirm(asked, set(asked, now))};
            if (std::exchange(wants_proof_, true)) return {denial(asked)};
            Frame wants;  // F1 of AFN 06, once
            wants.from_terminal = true;
            wants.address = settings_.address;
            wants.afn = Afn::authenticate;
            wants.units = {0, 0, 1, 0};
            return {wants, denial(asked)};
        }
        case Afn::query_parameters:
            return parameters(asked);
        case Afn::class_1:
        case Afn::class_2: {
            const auto units = values(asked, now);
            return units ? in_frames(asked, *units) : Frames{denial(asked)};
        }
        case Afn::class_3: {
            const auto query = decode_event_query(asked);
            if (!query) return {denial(asked)};
            EventList list{query->rank, counters(), query->first, query->last, {}};
            for (std::size_t i = query->first; i < query->last && i < events_.size(); ++i)
                if (query->rank == EventRank::important) list.events.push_back(events_[i]);
            Writer unit;
            encode(unit, list);
            return in_frames(asked, {unit.take()});
        }
        case Afn::relay:
            return relay(asked, now);
        default:  // 03 and 06 among them
            return {denial(asked)};
    }
}

/// Units in as many frames as they need, under rising sequence numbers.
std::vector<Frame> Terminal::in_frames(const Frame& asked, const std::vector<Buffer>& units) const {
    std::vector<Frame> frames;
    for (const Buffer& unit : units) {
        if (frames.empty() || frames.back().units.size() + unit.size() > settings_.user_max) {
            Frame next = answer_to(asked, asked.afn);
            next.address.master = asked.address.master;
            next.first = frames.empty();
            next.last = false;
            next.sequence = static_cast<std::uint8_t>((asked.sequence + frames.size()) & 0x0F);
            frames.push_back(std::move(next));
        }
        frames.back().units.insert(frames.back().units.end(), unit.begin(), unit.end());
    }
    frames.back().last = true;
    if (!events_.empty()) frames.back().events = counters();
    return frames;
}

std::optional<std::vector<Buffer>> Terminal::values(const Frame& asked, Instant now) {
    const auto queries = decode_queries(asked);
    if (!queries || queries->empty()) return std::nullopt;
    std::vector<Buffer> units;
    for (const Query& query : *queries) {
        const auto measured = measure(asked.afn, query, now);
        if (!measured) return std::nullopt;
        Writer unit;
        encode(unit, *measured);
        units.push_back(unit.take());
    }
    return units;
}

std::optional<Measurement> Terminal::measure(Afn afn, const Query& query, Instant now) {
    constexpr std::uint16_t item_clock = 2;
    if (afn == Afn::class_1 && query.item == item_clock && query.point == terminal_point)
        return TerminalClock{wall(shown_time(now))};
    if (query.point == terminal_point || settings_.relay_only.contains(query.point)) return std::nullopt;
    if (std::ranges::find(list_, query.point, &ListedMeter::point) == list_.end()) return std::nullopt;
    const Dlt645Meter* meter = meter_at(query.point);
    if (afn == Afn::class_1) {
        if (query.item != 25 && query.item != 129) return std::nullopt;
        return now_reading(query, meter, now);
    }
    if (query.item >= 81 && query.item <= 84) return curve(query, meter, now);
    if (query.item != 161 && query.item != 163 && query.item != 177) return std::nullopt;
    return frozen_reading(query, meter, now);
}

/// 0C F25 and F129. A dead meter has no data.
Measurement Terminal::now_reading(const Query& query, const Dlt645Meter* meter, Instant now) {
    Reading reading{query.point, query.item, {}, wall(shown_time(now)), {}};
    if (query.item == 129) {
        reading.values.push_back({ObisCode{{1, 0, 1, 8, 0, 255}}, {}});
        for (std::uint8_t tariff = 1; tariff <= tariffs; ++tariff)
            reading.values.push_back({ObisCode{{1, 0, 1, 8, tariff, 255}}, {}});
    } else {
        for (const auto c : electrical) reading.values.push_back({ObisCode{{1, 0, c, 7, 0, 255}}, {}});
    }
    if (meter == nullptr) return reading;
    for (auto& one : reading.values) {
        one.value = meter->shown(one.quantity, now);
        if (one.value && polled_ != nullptr) polled_->record(meter->number(), one.quantity, *one.value, now);
    }
    return reading;
}

Measurement Terminal::frozen_reading(const Query& query, const Dlt645Meter* meter, Instant now) {
    const bool month = query.item == 177, returned = query.item == 163;
    const auto last = query.at->date;
    const std::chrono::sys_days next =
        month ? std::chrono::sys_days{(last.year() / last.month() + std::chrono::months{1}) / 1}
              : std::chrono::sys_days{last} + std::chrono::days{1};
    const Instant at = instant({next});
    Reading reading{query.point, query.item, query.at, wall(at), {}};
    const auto c = static_cast<std::uint8_t>(returned ? 2 : 1);
    for (std::uint8_t tariff = 0; tariff <= tariffs; ++tariff)
        reading.values.push_back({ObisCode{{1, 0, c, 8, tariff, 255}}, {}});
    if (meter == nullptr || at > now) return reading;
    reading.values[0].value = meter->shown(reading.values[0].quantity, at);
    if (!month) tell(2, *meter, at, c, *reading.values[0].value);
    return reading;
}

Measurement Terminal::curve(const Query& query, const Dlt645Meter* meter, Instant now) {
    constexpr std::uint8_t powers[]{16, 36, 56, 76};
    const auto place = static_cast<std::size_t>(query.item - 81);
    LoadCurve out{query.point, query.item, ObisCode{{1, 0, powers[place], 7, 0, 255}},
                  *query.at,   query.step, {}};
    for (std::uint8_t i = 0; i < query.count; ++i) {
        const Instant at = instant(out.start) + out.step * i;
        out.values.push_back(meter != nullptr && at <= now ? meter->shown(out.quantity, at) : std::nullopt);
        if (out.values.back()) tell(4, *meter, at, static_cast<int>(place) + 1, *out.values.back());
    }
    return out;
}

bool Terminal::set(const Frame& asked, Instant now) {
    if (asked.afn == Afn::control) {
        Reader in{asked.units};
        const UnitHead head = decode_unit_head(in);
        const auto time = read_a1(in);
        if (!in.ok() || !time || head.items != std::vector<std::uint16_t>{31}) return false;
        clock_off_ = instant(*time) - std::chrono::floor<std::chrono::seconds>(now);
        return true;
    }
    const auto wanted = decode_parameters(asked);
    if (!wanted) return false;
    for (const Parameter& parameter : *wanted) {
        ItemOf of;
        std::visit([&](const auto& one) { of(one); }, parameter);
        if (const auto* meters = std::get_if<MeterList>(&parameter)) {
            for (const auto& meter : *meters) {
                std::erase_if(list_, [&](const auto& old) { return old.sequence == meter.sequence; });
                list_.push_back(meter);
            }
        } else {
            parameters_.insert_or_assign({of.item, of.point}, parameter);
        }
    }
    happen(parameters_changed, now, 0);
    return true;
}

std::vector<Frame> Terminal::parameters(const Frame& asked) const {
    const auto queries = decode_parameter_query(asked);
    if (!queries) return {denial(asked)};
    std::vector<Parameter> found;
    for (const auto& query : *queries) {
        if (!query.places.empty()) {
            MeterList meters;
            for (const auto place : query.places)
                for (const auto& meter : list_)
                    if (meter.sequence == place) meters.push_back(meter);
            if (!meters.empty()) found.emplace_back(std::move(meters));
        } else if (const auto kept = parameters_.find({query.item, query.point}); kept != parameters_.end()) {
            found.push_back(kept->second);
        }
    }
    if (found.empty()) return {denial(asked)};
    return {parameter_answer(asked, found)};
}

std::vector<Frame> Terminal::relay(const Frame& asked, Instant now) {
    const auto request = decode_relay_request(asked);
    if (!request) return {denial(asked)};
    dlt645::Decoder decoder;
    decoder.feed(request->octets);
    RelayAnswer answer{request->port, {}};
    const auto frame = decoder.next();
    if (!frame) return {relay_answer(asked, answer)};
    for (const auto& [point, meter] : meters_) {
        const auto said = meter != nullptr ? meter->answer(*frame, now) : std::nullopt;
        if (!said) continue;
        answer.octets = dlt645::encode(*said, 0);
        const auto* item =
            said->error || said->data.size() < 4
                ? nullptr
                : dlt645::find_item(static_cast<dlt645::DataId>(said->data[0] | said->data[1] << 8 |
                                                                said->data[2] << 16 | said->data[3] << 24));
        if (item == nullptr || polled_ == nullptr || frame->function != dlt645::Function::read) continue;
        for (const auto& quantity : item->quantities)
            if (const auto value = meter->shown(quantity, now))
                polled_->record(meter->number(), quantity, *value, now);
    }
    return {relay_answer(asked, answer)};
}

}  // namespace wattmesh::sim
