#include "headend/exchange/scada_station.h"

#include <fmt/format.h>

#include "platform/steady.h"

namespace wattmesh::headend::exchange {
namespace {

constexpr Duration follow_real = std::chrono::seconds{1};

/// On connects, as with a breaker.
monitor::RelayVerb verb_of(const iec104::Value& value) {
    const auto* single = std::get_if<iec104::SingleCommand>(&value);
    const bool on = single != nullptr
                        ? single->on
                        : std::get<iec104::DoubleCommand>(value).state == iec104::DoubleState::on;
    return on ? monitor::RelayVerb::reconnect : monitor::RelayVerb::disconnect;
}

iec104::PointKey key_of(const database::ScadaValue& value) {
    return {static_cast<std::uint16_t>(value.station), static_cast<std::uint32_t>(value.address)};
}

}  // namespace

ScadaStation::ScadaStation(platform::Loop& loop, ScadaStationSettings settings,
                           platform::TlsLink::Context tls, database::QueryQueue& queue)
    : loop_(loop),
      settings_(std::move(settings)),
      queue_(queue),
      outstation_({}, {}),
      listener_(
          loop, settings_.listener, std::move(tls), outstation_,
          {[this](const iec104::Command& command, const std::string& peer) { on_command(command, peer); }}),
      poll_timer_(loop),
      follow_timer_(loop) {}

void ScadaStation::start() {
    alive_ = std::make_shared<bool>(true);
    listener_.start();
    log_.information("listening link={} address={} port={} tls={}", settings_.link,
                     settings_.listener.address, port(), settings_.certificate.empty() ? "off" : "required");
    poll();
}

void ScadaStation::stop() {
    alive_.reset();
    poll_timer_.cancel();
    follow_timer_.cancel();
    listener_.stop();
}

void ScadaStation::poll() {
    queue_.run(
        [name = settings_.link, known = link_, now = loop_.now()](database::Connection& connection) {
            database::ScadaPoints reader{connection};
            Board board;
            board.link = reader.link(name);
            if (!board.link) return board;
            if (*board.link != known) board.points = reader.points(*board.link);
            board.values = reader.values(*board.link, now);
            return board;
        },
        [this, alive = std::weak_ptr{alive_}](const std::optional<Board>& board) {
            if (!alive.lock()) return;
            board ? take(*board) : lose_sight();
            outstation_.set_clock(loop_.now());
            listener_.pump();
            poll_timer_.after_real(settings_.poll_real, [this] { poll(); });
        });
}

void ScadaStation::take(const Board& board) {
    if (!board.link) {
        log_.warning("found no link name={} remedy=\"headend scada import\"", settings_.link);
        return forget({});
    }
    if (board.points) take_table(*board.link, *board.points);
    std::set<iec104::PointKey> shown;
    for (const auto& value : board.values) shown.insert(key_of(value));
    forget(shown);
    for (const auto& value : board.values) {
        const auto point = points_.find(key_of(value));
        if (point == points_.end()) continue;
        const auto ordered = switched_.find(point->second.device);
        const bool answers = point->second.quantity == database::ScadaQuantity::relay &&
                             ordered != switched_.end() && value.at >= ordered->second;
        if (answers) switched_.erase(ordered);
        show(value, answers ? iec104::Cause::return_remote : iec104::Cause::spontaneous);
    }
}

void ScadaStation::take_table(const database::ScadaLink& link,
                              const std::vector<database::ScadaPoint>& points) {
    link_ = link;
    points_.clear();
    std::vector<iec104::PointDefinition> definitions;
    definitions.reserve(points.size());
    for (const auto& point : points) {
        const auto definition = definition_of(point);
        definitions.push_back(definition);
        points_.emplace(definition.key, point);
    }
    std::erase_if(values_, [this](const auto& value) { return !points_.contains(value.first); });
    outstation_.replace(std::move(definitions), platform::steady_now());
    log_.information("took point table link={} version={} points={}", link.name, link.version, points.size());
}

void ScadaStation::show(const database::ScadaValue& value, iec104::Cause cause) {
    const auto point = points_.find(key_of(value));
    const auto index = outstation_.image().find(key_of(value));
    if (point == points_.end() || !index) return;
    values_[point->first] = value;
    outstation_.set(*index, state_of(point->second, value, loop_.now()), platform::steady_now(), cause);
}

void ScadaStation::forget(const std::set<iec104::PointKey>& shown) {
    for (auto entry = values_.begin(); entry != values_.end();) {
        if (shown.count(entry->first) > 0) {
            ++entry;
            continue;
        }
        const auto index = outstation_.image().find(entry->first);
        const auto point = points_.find(entry->first);
        if (index && point != points_.end())
            outstation_.set(*index, no_more(state_of(point->second, entry->second, loop_.now())),
                            platform::steady_now(), iec104::Cause::spontaneous);
        entry = values_.erase(entry);
    }
}

/// The database does not answer: nothing that we show is topical.
void ScadaStation::lose_sight() {
    for (auto& [key, value] : values_) {
        value.offline = true;
        show(database::ScadaValue{value}, iec104::Cause::spontaneous);
    }
}

void ScadaStation::on_command(const iec104::Command& command, const std::string& peer) {
    const auto point = points_.find(command.key);
    if (point == points_.end() || !settings_.commands_alone ||
        point->second.quantity != database::ScadaQuantity::relay_command)
        return outstation_.confirm(command.id, false, platform::steady_now());
    const ScadaOrder order{link_, point->second, verb_of(command.value),
                           fmt::format("originator {}, from {}", command.originator, peer)};
    queue_.run([order, now = loop_.now()](
                   database::Connection& connection) { return place(connection, order, now); },
               [this, order, id = command.id,
                alive = std::weak_ptr{alive_}](const std::optional<std::optional<database::JobId>>& placed) {
                   if (!alive.lock()) return;
                   const bool accepted = placed && *placed;
                   log_.information("{} command link={} meter={} verb={}", accepted ? "accepted" : "refused",
                                    order.link.name, to_string(order.point.device), to_string(order.verb));
                   outstation_.confirm(id, accepted, platform::steady_now());
                   if (accepted) switchings_.push_back({id, **placed, order.point.device});
                   listener_.pump();
                   if (accepted && !follow_timer_.armed())
                       follow_timer_.after_real(follow_real, [this] { follow(); });
               });
}

/// How far the ordered jobs are.
void ScadaStation::follow() {
    if (switchings_.empty()) return;
    queue_.run(
        [switchings = switchings_](database::Connection& connection) {
            std::vector<std::optional<database::Job>> jobs;
            jobs.reserve(switchings.size());
            for (const auto& switching : switchings)
                jobs.push_back(database::Jobs{connection}.find(switching.job));
            return jobs;
        },
        [this, asked = switchings_, alive = std::weak_ptr{alive_}](
            const std::optional<std::vector<std::optional<database::Job>>>& jobs) {
            if (!alive.lock()) return;
            for (std::size_t i = 0; jobs && i < asked.size(); ++i)
                if ((*jobs)[i] && (*jobs)[i]->over()) end(asked[i], *(*jobs)[i]);
            listener_.pump();
            if (!switchings_.empty()) follow_timer_.after_real(follow_real, [this] { follow(); });
        });
}

void ScadaStation::end(const Switching& switching, const database::Job& job) {
    std::erase_if(switchings_, [&](const Switching& one) { return one.command == switching.command; });
    const bool done = job.state == database::JobState::done && job.done == 1;
    outstation_.finish(switching.command, done, platform::steady_now());
    if (done) switched_[switching.meter] = job.started.value_or(job.created);
    poll_timer_.after_real(Duration{0}, [this] { poll(); });
}

}  // namespace wattmesh::headend::exchange
