#include "headend/console/live_watch.h"

#include "headend/console/json.h"
#include "headend/database/alarms.h"
#include "headend/database/read_outages.h"

namespace wattmesh::headend::console {
namespace {
constexpr int mesh_changes_max = 100, outages_max = 100;
}  // namespace

LiveWatch::LiveWatch(Context& context, LiveHub& hub)
    : context_(context), hub_(hub), thread_([this] { run(); }) {}

LiveWatch::~LiveWatch() {
    {
        const std::lock_guard lock{mutex_};
        stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void LiveWatch::run() {
    bool well = true;
    std::unique_lock lock{mutex_};
    while (!stop_) {
        lock.unlock();
        try {
            look();
            if (!well) context_.log("information", "live feed: the database answers again");
            well = true;
        } catch (const std::exception& error) {
            if (well) context_.log("warning", std::string{"live feed pauses: "} + error.what());
            well = false;
        }
        lock.lock();
        wake_.wait_for(lock, context_.settings.poll, [this] { return stop_; });
    }
}

void LiveWatch::look() {
    auto connection = context_.lease(database::Scope::everything());
    database::ChangeReader changes{*connection};
    const auto now = context_.now();
    look_for_alarms(*connection);
    const auto marks = changes.marks();
    if (!seen_) {  // the first look only learns where things stand
        for (const auto& mark : marks) before_[mark.number] = mark;
        look_for_outages(*connection, false);
        seen_ = now;
        return;
    }
    bool moved = compare(marks);
    moved = look_for_outages(*connection, true) || moved;
    auto newest = *seen_;
    for (const auto& change : changes.mesh_changes(*seen_, mesh_changes_max, newest)) {
        Json json;
        json.open_object().field("meter", change.meter).field("concentrator", change.concentrator);
        json.field("joined", change.joined).field("hops", change.hops).close_object();
        hub_.publish(Topic::joins, before_[change.concentrator].area, json.text(), change.at);
        moved = true;
    }
    seen_ = newest;
    if (moved) hub_.publish(Topic::overview, std::nullopt, "{}", now);
}

/// Ten thousand changes are one message for each area: pages load the list again.
void LiveWatch::look_for_alarms(database::Connection& connection) {
    database::Alarms alarms{connection};
    const auto newest = alarms.newest_note();
    if (alarm_note_ && newest > *alarm_note_) {
        for (const auto& [area, changes] : alarms.notes_after(*alarm_note_)) {
            Json json;
            json.open_object();
            if (area) json.field("changes", changes);
            hub_.publish(Topic::alarms, area, json.close_object().text(), context_.now());
        }
    }
    alarm_note_ = newest;
}

bool LiveWatch::look_for_outages(database::Connection& connection, bool tell) {
    bool moved = false;
    std::map<std::pair<DeviceNumber, Instant>, bool> found;
    for (const auto& line : database::OutageReader{connection}.list(outages_max)) {
        const bool over = line.ended.has_value();
        const auto known = outages_.find({line.concentrator, line.at});
        found[{line.concentrator, line.at}] = over;
        if (!tell || (known != outages_.end() && known->second == over)) continue;
        Json json;
        json.open_object().field("concentrator", line.concentrator).field("over", over);
        json.field("reported", static_cast<int>(line.seen.reported))
            .field("inferred", static_cast<int>(line.seen.inferred))
            .close_object();
        hub_.publish(Topic::outages, before_[line.concentrator].area, json.text(),
                     line.ended.value_or(line.at));
        moved = true;
    }
    outages_ = std::move(found);
    return moved;
}

bool LiveWatch::compare(const std::vector<database::ConcentratorMark>& marks) {
    bool moved = false;
    const auto now = context_.now();
    for (const auto& mark : marks) {
        const auto known = before_.find(mark.number);
        const auto before =
            known == before_.end() ? database::ConcentratorMark{.number = mark.number} : known->second;
        before_[mark.number] = mark;
        if (mark.online != before.online || mark.owner_epoch != before.owner_epoch) {
            Json json;
            json.open_object()
                .field("concentrator", mark.number)
                .field("state", mark.online ? "online" : "offline");
            hub_.publish(Topic::sessions, mark.area, json.close_object().text(), now);
            moved = true;
        }
        if (mark.rows > before.rows || mark.entries > before.entries) {
            Json json;
            json.open_object().field("concentrator", mark.number).field("rows", mark.rows - before.rows);
            json.field("entries", mark.entries - before.entries).close_object();
            hub_.publish(Topic::readings, mark.area, json.text(), now);
            moved = true;
        }
    }
    return moved;
}

}  // namespace wattmesh::headend::console
