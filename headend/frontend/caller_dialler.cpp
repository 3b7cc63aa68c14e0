#include "headend/frontend/caller_dialler.h"

#include <algorithm>

namespace wattmesh::headend::frontend {

namespace {

/// Above what a listener counts to.
constexpr std::uint64_t first_link = std::uint64_t{1} << 62U;

}  // namespace

struct CallerDialler::Dial {
    Dial(platform::Loop& loop, Random& random, Place to)
        : place(std::move(to)),
          pause(loop),
          connector(loop, random,
                    {.host = place.at.host,
                     .port = place.at.port,
                     .tls = {},
                     .certificate_time = {},
                     .wait_min = std::chrono::seconds{2},
                     .wait_max = std::chrono::seconds{60}}) {}
    Place place;
    LinkId link;
    platform::Timer pause;
    platform::Connector connector;
};

CallerDialler::CallerDialler(platform::Loop& loop, Random& random, CallerCore& core,
                             std::function<void()> moved)
    : loop_(loop),
      random_(random),
      core_(core),
      moved_(std::move(moved)),
      log_("callers"),
      next_link_(first_link) {}

CallerDialler::~CallerDialler() { stop(); }

void CallerDialler::stop() {
    links_.clear();
    dials_.clear();
}

void CallerDialler::set(const std::vector<Place>& places) {
    for (auto dial = dials_.begin(); dial != dials_.end();) {
        if (std::ranges::find(places, dial->second->place) != places.end()) {
            ++dial;
            continue;
        }
        const LinkId link = dial->second->link;
        links_.erase(link);
        dial = dials_.erase(dial);
        core_.on_closed(link, loop_.now());
    }
    for (const Place& place : places) {
        auto& dial = dials_[place.device];
        if (dial) continue;
        dial = std::make_unique<Dial>(loop_, random_, place);
        log_.information("called device={} at={}:{}", to_string(place.device), place.at.host, place.at.port);
        this->dial(*dial);
    }
}

void CallerDialler::dial(Dial& one) {
    one.connector.start({[this, &one](platform::Link&) { on_open(one); },
                         [this, &one](Bytes bytes) {
                             one.connector.settled();
                             core_.on_bytes(one.link, bytes, loop_.now());
                             moved_();
                         },
                         [this, &one](const std::string& reason, Duration) { on_closed(one, reason); }});
}

void CallerDialler::on_open(Dial& one) {
    one.link = LinkId{next_link_++};
    links_[one.link] = &one;
    if (!core_.on_dialled(one.link, port_, one.place.device, loop_.now())) {
        links_.erase(one.link);
        log_.warning("dropped link={} device={} reason=\"too many links are there already\"", one.link.value,
                     to_string(one.place.device));
        return one.connector.reconnect();
    }
    moved_();
}

void CallerDialler::on_closed(Dial& one, const std::string& reason) {
    if (links_.erase(one.link) == 0) {
        log_.debug("not reached device={} reason={}", to_string(one.place.device), platform::quoted(reason));
        return;
    }
    core_.on_closed(one.link, loop_.now());
    moved_();
}

bool CallerDialler::perform(const CallerAction& action) {
    const LinkId id = std::visit([](const auto& what) { return what.link; }, action);
    const auto found = links_.find(id);
    if (found == links_.end()) return id.value >= first_link;
    Dial& one = *found->second;
    const std::string at = one.place.at.host + ":" + std::to_string(one.place.at.port);
    if (const auto* out = std::get_if<SendBytes>(&action)) {
        platform::Link* link = one.connector.link();
        if (link == nullptr || !link->send(out->bytes)) one.connector.reconnect();
    } else if (const auto* told = std::get_if<TellLink>(&action)) {
        told->warning ? log_.warning("{} link={} at={}", told->text, id.value, at)
                      : log_.information("{} link={} at={}", told->text, id.value, at);
    } else {
        const std::string& reason = std::get<CloseLink>(action).reason;
        log_.information("ended link={} at={} reason={}", id.value, at, platform::quoted(reason));
        links_.erase(found);
        if (!reason.starts_with(to_string(CallerEnd::superseded))) {
            one.connector.reconnect();
        } else {
            one.connector.stop();
            one.pause.after(pause_after_superseded, [this, &one] { dial(one); });
        }
    }
    return true;
}

}  // namespace wattmesh::headend::frontend
