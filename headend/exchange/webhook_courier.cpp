#include "headend/exchange/webhook_courier.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "headend/exchange/webhook_sender.h"

namespace wattmesh::headend::exchange {
namespace {

using namespace database;
constexpr std::chrono::milliseconds seal_every{250}, look_every{2'000}, idle{500};
constexpr int seal_max = 20'000, drop_max = 20'000;
constexpr auto drop_every = std::chrono::hours{1};

/// Wakes lanes when there is something new, and everybody at the end.
class Bell {
public:
    /// False: it is over.
    bool wait(std::chrono::milliseconds longest) {
        std::unique_lock lock{mutex_};
        const auto seen = rings_;
        changed_.wait_for(lock, longest, [&] { return over_ || rings_ != seen; });
        return !over_;
    }
    void ring() {
        const std::lock_guard lock{mutex_};
        ++rings_;
        changed_.notify_all();
    }
    void end() {
        const std::lock_guard lock{mutex_};
        over_ = true;
        changed_.notify_all();
    }
    bool over() const {
        const std::lock_guard lock{mutex_};
        return over_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t rings_ = 0;
    bool over_ = false;
};

/// What a thread was made for; another one replaces it when this changes.
struct Running {
    Webhook webhook;
    std::shared_ptr<Bell> bell = std::make_shared<Bell>();
    std::vector<std::thread> threads{};
};

bool same(const Webhook& a, const Webhook& b) {
    return a.contract == b.contract && a.name == b.name && a.url == b.url && a.secret == b.secret &&
           a.topics == b.topics && a.batch == b.batch && a.cim == b.cim;
}

}  // namespace

struct WebhookCourier::State {
    State(WebhookCourierSettings given, const security::MasterKey& key, const platform::Clock& time,
          Random& chance, Log out)
        : settings(std::move(given)), master(key), clock(time), random(chance), log(std::move(out)) {}

    void supervise() {
        Connection connection{settings.database};
        auto looked = std::chrono::steady_clock::time_point{}, dropped = std::chrono::steady_clock::now();
        bool complained = false, old = false;
        do {
            try {
                const auto real = std::chrono::steady_clock::now();
                if (real - looked >= look_every) {
                    look(connection);
                    looked = real;
                }
                if (Outbox{connection}.seal(clock.now(), seal_max) > 0)
                    for (auto& [id, running] : webhooks) running.bell->ring();
                if (real - dropped >= drop_every) {
                    dropped = real;  // also when it fails: sealing goes on
                    old = true;
                }
                if (std::exchange(old, false)) old = drop(connection);
                complained = false;
            } catch (const DatabaseError& error) {
                if (!std::exchange(complained, true)) log("warning", error.what());
            }
        } while (bell.wait(seal_every));
    }

    /// A slice of what is old, between two sealings; true: there may be more.
    bool drop(Connection& connection) const {
        const auto before = clock.now() - settings.keep;
        const int messages = Outbox{connection}.drop(before, drop_max);
        return std::max(messages, Webhooks{connection}.drop(before, drop_max)) == drop_max;
    }

    /// Starts what was added, stops what is gone, and both where something changed.
    void look(Connection& connection) {
        auto wanted = Webhooks{connection}.enabled();
        for (auto entry = webhooks.begin(); entry != webhooks.end();) {
            const bool stays = std::any_of(wanted.begin(), wanted.end(), [&](const Webhook& webhook) {
                return webhook.id == entry->first && same(webhook, entry->second.webhook);
            });
            if (!stays) end(entry->second);
            entry = stays ? std::next(entry) : webhooks.erase(entry);
        }
        for (auto& webhook : wanted)
            if (!webhooks.contains(webhook.id)) begin(std::move(webhook));
    }

    void begin(Webhook webhook) {
        auto secret = master.unwrap(webhook_purpose(webhook.contract.name, webhook.name), webhook.secret);
        const auto url = platform::HttpUrl::parse(webhook.url);
        if (!secret || !url || (!url->secure && !settings.plain)) {
            if (told.insert(webhook.id).second)
                log("warning",
                    "webhook=" + webhook.contract.name + "/" + webhook.name +
                        (secret ? " its address is not https (exchange.webhooks.plain)"
                                : " its secret was sealed under another master key; set it again"));
            return;
        }
        auto& running = webhooks[webhook.id] = {.webhook = webhook};
        for (int lane = 0; lane < Webhook::lanes; ++lane)
            running.threads.emplace_back([this, webhook, lane, own = running.bell, secret = *secret,
                                          url = *url] { deliver({webhook, lane, secret, url}, *own); });
    }

    void deliver(WebhookSender::Target target, Bell& own) {
        WebhookSender sender{std::move(target), settings, clock, random, log};
        Connection connection{settings.database};
        bool complained = false;
        while (!own.over()) {
            bool more = false;
            try {
                more = sender.round(connection, [&] { return own.over(); });
                complained = false;
            } catch (const std::runtime_error& error) {
                if (!std::exchange(complained, true)) log("warning", error.what());
            }
            if (!more && !own.wait(idle)) return;
        }
    }

    static void end(Running& running) {
        running.bell->end();
        for (auto& thread : running.threads) thread.join();
    }

    const WebhookCourierSettings settings;
    const security::MasterKey& master;
    const platform::Clock& clock;
    Random& random;
    const Log log;
    Bell bell;
    std::map<WebhookId, Running> webhooks;  ///< the supervisor's
    std::set<WebhookId> told;               ///< what cannot be delivered, and was said
    std::thread supervisor;
};

WebhookCourier::WebhookCourier(WebhookCourierSettings settings, const security::MasterKey& master,
                               const platform::Clock& clock, Random& random, Log log)
    : state_(std::make_unique<State>(std::move(settings), master, clock, random, std::move(log))) {}
WebhookCourier::~WebhookCourier() { stop(); }

void WebhookCourier::start() {
    state_->supervisor = std::thread{[this] { state_->supervise(); }};
}

void WebhookCourier::stop() {
    if (!state_->supervisor.joinable()) return;
    state_->bell.end();
    state_->supervisor.join();
    for (auto& [id, running] : state_->webhooks) running.bell->end();
    for (auto& [id, running] : state_->webhooks) State::end(running);
    state_->webhooks.clear();
}

std::string webhook_purpose(const std::string& contract, const std::string& webhook) {
    return "webhook " + contract + " " + webhook;
}

}  // namespace wattmesh::headend::exchange
