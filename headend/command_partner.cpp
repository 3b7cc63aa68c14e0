// partner ...: contracts with other systems of the utility, and where they want to be told.
#include <algorithm>
#include <iostream>
#include <sstream>

#include "headend/command_partner.h"
#include "headend/console/json.h"
#include "headend/database/audit_log.h"
#include "headend/database/billing_files.h"
#include "headend/database/webhooks.h"
#include "headend/exchange/cim_push.h"
#include "headend/exchange/webhook_courier.h"
#include "platform/http_client.h"
#include "security/webhook_signature.h"

namespace wattmesh::headend {
namespace {

using namespace database;
using platform::UsageError;

constexpr std::size_t secret_size = 32;

std::vector<std::string> topics_in(const std::string& text) {
    auto words = list_in(text);
    for (const auto& word : words)
        if (std::find(std::begin(topics), std::end(topics), word) == std::end(topics))
            throw UsageError("--topics: '" + word + "' is not " + topic_words());
    if (words.empty()) throw UsageError("--topics: name at least one of " + topic_words());
    return words;
}

std::string name_in(const std::string& word) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    if (word.empty() || word.size() > 63 || word[0] == '-' || !std::all_of(word.begin(), word.end(), fits))
        throw UsageError("'" + word +
                         "' is no name: up to 63 lower case letters, digits and hyphens, a hyphen not first");
    return word;
}

Webhook known_webhook(Desk& desk, const std::string& partner, const std::string& name) {
    for (auto& webhook : Webhooks{desk.connection}.all())
        if (webhook.contract.name == partner && webhook.name == name) return std::move(webhook);
    throw std::runtime_error("partner '" + partner + "' has no webhook '" + name +
                             "'; `headend partner webhook` makes one");
}

void set_areas(Contract& contract, const std::string& text) {
    contract.areas.reset();
    if (text == "all") return;
    contract.areas.emplace();
    for (const auto& word : list_in(text)) {
        if (word.empty() || word.size() > 9 || word.find_first_not_of("0123456789") != std::string::npos)
            throw UsageError("--areas: '" + word + "' is no number of an area (or say all)");
        contract.areas->push_back(AreaId{std::stoi(word)});
    }
}

void set_codes(Contract& contract, Desk& desk, const std::string& text) {
    const auto names = Contracts{desk.connection}.event_names();
    for (const auto& pair : list_in(text)) {
        const auto middle = pair.find('=');
        const auto name = pair.substr(0, middle);
        if (middle == std::string::npos || middle + 1 == pair.size() || pair.size() > 100)
            throw UsageError("--codes: '" + pair + "' is not EVENT=CODE");
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            std::string known;
            for (const auto& one : names) known += (known.empty() ? "" : ", ") + one;
            throw UsageError("--codes: there is no event '" + name + "', but " + known);
        }
        contract.event_codes[name] = pair.substr(middle + 1);
    }
}

void set_allowed(Contract& contract, const std::string& text) {
    contract.allowed.clear();
    if (text == "none") return;
    contract.allowed = list_in(text);
    for (const auto& word : contract.allowed)
        if (std::find(std::begin(allowances), std::end(allowances), word) == std::end(allowances))
            throw UsageError("--allow: '" + word + "' is not " + allowance_words() + " (or say none)");
}

/// Said and kept for the audit log: the partner misses it.
void pass_forgotten(Desk& desk, const std::string& name, WebhookId webhook, AuditRecord& record) {
    const auto places = Webhooks{desk.connection}.pass_forgotten(webhook);
    if (places == 0) return;
    const auto what = "webhook " + name + " passes over " + std::to_string(places) +
                      " places of the outbox that were forgotten meanwhile";
    record.detail += (record.detail.empty() ? "" : "; ") + what;
    std::cerr << what << ": its partner was not told what was there (exchange.webhooks.keep_days).\n";
}

/// What neither --disabled nor --enabled says stays as it was.
void set_disabled(Desk& desk, bool& disabled) {
    const bool off = desk.raw.optional<bool>("disabled", false);
    const bool on = desk.raw.optional<bool>("enabled", false);
    if (off && on) throw UsageError("--disabled and --enabled: give one of them");
    if (off || on) disabled = off;
}

int set(Desk& desk, const std::string& name) {
    Transaction transaction{desk.connection};
    Contracts contracts{desk.connection};
    const auto before = contracts.find(name);
    Contract contract = before.value_or(Contract{});
    contract.name = name_in(name);
    if (!before) contract.tenant = TenantId{desk.raw.optional_in<int>("tenant", 1, 1, 1'000'000)};
    if (!before || desk.raw.has("topics"))
        contract.topics = topics_in(desk.raw.required<std::string>("topics"));
    if (desk.raw.has("areas")) set_areas(contract, desk.raw.required<std::string>("areas"));
    if (desk.raw.has("codes")) set_codes(contract, desk, desk.raw.required<std::string>("codes"));
    if (desk.raw.has("allow")) set_allowed(contract, desk.raw.required<std::string>("allow"));
    contract.requests_per_minute =
        desk.raw.optional_in<int>("requests-per-minute", contract.requests_per_minute, 1, 1'000'000);
    set_disabled(desk, contract.disabled);
    contracts.put(contract, desk.clock->now(), actor());
    auto record = partner_record(desk, before ? "partner change" : "partner add", name, contract.tenant);
    if (before) record.before = to_string(*before);
    record.after = to_string(contract);
    if (before && before->disabled && !contract.disabled)
        for (const auto& webhook : Webhooks{desk.connection}.all())
            if (webhook.contract.id == contract.id && webhook.disabled_why.empty())
                pass_forgotten(desk, name + "/" + webhook.name, webhook.id, record);
    AuditLog{desk.connection}.append(record);
    transaction.commit();
    std::cerr << "Partner " << name << ": " << to_string(contract) << ".\n";
    return 0;
}

/// The secret is shown once, on standard output; the database has it wrapped.
int set_webhook(Desk& desk, const std::string& partner, const std::string& name, const std::string& address) {
    const auto url = platform::HttpUrl::parse(address);
    if (!url) throw UsageError("'" + address + "' is no address like https://mis.example/wattmesh");
    if (!url->secure && (!desk.settings.webhooks || !desk.settings.webhooks->plain))
        throw UsageError("'" + address +
                         "': http shows everything to everybody on the way; use https, or set "
                         "exchange.webhooks.plain = true where that is no matter");
    const auto master = security::open_master_key(desk.settings.master_key);
    security::SystemRandom random;
    Buffer secret(secret_size);
    random.fill(secret);
    Webhook webhook;
    webhook.contract = known_contract(desk, partner);
    webhook.name = name_in(name);
    webhook.url = address;
    webhook.topics = desk.raw.has("topics") ? topics_in(desk.raw.required<std::string>("topics"))
                                            : webhook.contract.topics;
    webhook.batch = desk.raw.optional_in<int>("batch", 1, 1, Webhook::batch_max);
    webhook.cim = desk.raw.optional<bool>("cim", false);
    if (webhook.cim) {
        std::erase_if(webhook.topics, [&](const std::string& topic) {
            return !desk.raw.has("topics") &&
                   std::find(std::begin(exchange::cim_topics), std::end(exchange::cim_topics), topic) ==
                       std::end(exchange::cim_topics);
        });
        const bool known = std::all_of(webhook.topics.begin(), webhook.topics.end(), [](const auto& topic) {
            return topic == exchange::cim_topics[0] || topic == exchange::cim_topics[1];
        });
        if (!known || webhook.topics.empty() || webhook.batch != 1)
            throw UsageError("--cim: event and readings are told in IEC 61968-9, one in each request");
    }
    webhook.secret = master->wrap(exchange::webhook_purpose(partner, name), secret);
    Transaction transaction{desk.connection};
    const auto id = Webhooks{desk.connection}.put(webhook, desk.clock->now());
    auto record = partner_record(desk, "partner webhook", partner + "/" + name, webhook.contract.tenant);
    record.after = address;
    pass_forgotten(desk, partner + "/" + name, id, record);
    AuditLog{desk.connection}.append(record);
    transaction.commit();
    std::cout << security::webhook_secret_text(secret) << "\n";
    security::wipe(secret);
    std::cerr
        << "The partner checks signatures with this secret. It is not shown again; the same command makes "
           "another one.\n";
    return 0;
}

std::chrono::sys_days day_in(const std::string& word) {
    const auto day = console::parse_day(word);
    if (!day) throw UsageError("--first-day: '" + word + "' is no day like 2026-03-01");
    return *day;
}

int set_files(Desk& desk, const std::string& partner, const std::string& name, const std::string& directory) {
    FileChannel channel;
    channel.contract = known_contract(desk, partner);
    channel.name = name_in(name);
    channel.directory = std::filesystem::absolute(directory).string();
    if (!std::filesystem::is_directory(channel.directory))
        throw UsageError("'" + directory + "' is no directory; make it, writable for the head-end");
    BillingFiles files{desk.connection};
    for (auto& known : files.all())
        if (known.contract.name == partner && known.name == name) {
            known.directory = channel.directory;
            channel = known;
        }
    const bool fresh = channel.id.value == 0;
    if (fresh || desk.raw.has("zone")) channel.zone = desk.raw.required<std::string>("zone");
    if (fresh || desk.raw.has("first-day"))
        channel.first_day = day_in(desk.raw.required<std::string>("first-day"));
    const auto unit = desk.raw.optional<std::string>("unit", channel.decimals == 0 ? "Wh" : "kWh");
    if (unit != "Wh" && unit != "kWh") throw UsageError("--unit: '" + unit + "' is neither Wh nor kWh");
    channel.decimals = unit == "Wh" ? 0 : 3;
    channel.meters_max = desk.raw.optional_in<int>("meters-max", channel.meters_max, 1, 10'000);
    channel.after = std::chrono::minutes{desk.raw.optional_in<int>(
        "after-minutes", static_cast<int>(channel.after / std::chrono::minutes{1}), 0, 60 * 24 * 30)};
    channel.correct_days = desk.raw.optional_in<int>("correct-days", channel.correct_days, 0, 400);
    set_disabled(desk, channel.disabled);
    Transaction transaction{desk.connection};
    files.put(channel);
    auto record = partner_record(desk, "partner files", partner + "/" + name, channel.contract.tenant);
    record.after = channel.directory + ", midnights of " + channel.zone + ", " + unit +
                   (channel.disabled ? ", disabled" : "");
    AuditLog{desk.connection}.append(record);
    transaction.commit();
    std::cerr << "Files of " << partner << "/" << name << " go to " << *record.after << ".\n";
    return 0;
}

int list_files(Desk& desk, const std::string& partner, const std::string& name) {
    BillingFiles files{desk.connection};
    for (const auto& channel : files.all())
        if (channel.contract.name == partner && channel.name == name) {
            for (const auto& file : files.sent(channel, 1'000))
                std::cout << file.name << " lines " << file.lines << " total " << file.total << " "
                          << (!file.published      ? "under way"
                              : !file.acknowledged ? "sent"
                              : file.refused == 0  ? "accepted"
                                                   : "refused lines " + std::to_string(file.refused))
                          << "\n";
            return 0;
        }
    throw std::runtime_error("partner '" + partner + "' has no files '" + name +
                             "'; `headend partner files NAME CHANNEL DIR` makes them");
}

int disable_webhook(Desk& desk, const std::string& partner, const std::string& name) {
    const auto webhook = known_webhook(desk, partner, name);
    Transaction transaction{desk.connection};
    if (!Webhooks{desk.connection}.disable(webhook.id, "disabled by " + actor()))
        throw std::runtime_error("webhook " + partner + "/" + name + " is not in force");
    AuditLog{desk.connection}.append(
        partner_record(desk, "partner webhook disable", partner + "/" + name, webhook.contract.tenant));
    transaction.commit();
    std::cerr << "Webhook " << partner << "/" << name << " is told no more; messages wait from here on.\n";
    return 0;
}

int list(Desk& desk) {
    for (const auto& contract : Contracts{desk.connection}.all())
        std::cout << contract.name << " tenant " << contract.tenant.value << " " << to_string(contract)
                  << "\n";
    Webhooks webhooks{desk.connection};
    for (const auto& webhook : webhooks.all()) {
        std::cout << webhook.contract.name << "/" << webhook.name << " " << webhook.url << " batch "
                  << webhook.batch << " "
                  << (webhook.disabled_why.empty() ? "in force" : webhook.disabled_why) << "\n";
        for (const auto& lane : webhooks.lanes(webhook.id))
            std::cout << "  lane " << lane.lane << " at " << lane.position
                      << (lane.attempts > 0
                              ? ", tried " + std::to_string(lane.attempts) + " times: " + lane.last_error
                              : "")
                      << "\n";
    }
    return list_clients(desk);
}

int sent(Desk& desk, const Webhook& webhook, std::int64_t after) {
    for (const auto& message :
         Webhooks{desk.connection}.messages(webhook.id, desk.raw.optional<bool>("dead", false), after, 1'000))
        std::cout << message.position << " " << (message.dead ? "dead" : "delivered") << " status "
                  << message.status << " tries " << message.attempts << " " << message.body << "\n";
    return 0;
}

int again(Desk& desk, const Webhook& webhook, std::int64_t from, std::int64_t to) {
    Transaction transaction{desk.connection};
    const int marked =
        Webhooks{desk.connection}.send_again(webhook.id, from, to, !desk.raw.optional<bool>("dead", false));
    auto record = partner_record(desk, "partner send again", webhook.contract.name + "/" + webhook.name,
                                 webhook.contract.tenant);
    record.detail =
        std::to_string(marked) + " messages of " + std::to_string(from) + " to " + std::to_string(to);
    AuditLog{desk.connection}.append(record);
    transaction.commit();
    std::cerr << marked << " messages will be sent again, as they were.\n";
    return marked > 0 ? 0 : 1;
}

std::int64_t position_in(const std::string& word) {
    if (word.empty() || word.size() > 18 || word.find_first_not_of("0123456789") != std::string::npos)
        throw UsageError("'" + word + "' is no position: `headend partner sent` shows them");
    return std::stoll(word);
}

}  // namespace

std::vector<std::string> list_in(const std::string& text) {
    std::vector<std::string> words;
    std::istringstream in{text};
    for (std::string word; std::getline(in, word, ',');) words.push_back(word);
    return words;
}

Contract known_contract(Desk& desk, const std::string& name) {
    auto contract = Contracts{desk.connection}.find(name);
    if (!contract)
        throw std::runtime_error("there is no partner '" + name + "'; `headend partner set` makes one");
    return std::move(*contract);
}

AuditRecord partner_record(Desk& desk, const char* action, const std::string& subject, TenantId tenant) {
    AuditRecord record{desk.clock->now(), actor(), action, subject};
    record.reason = desk.raw.optional<std::string>("reason", "");
    record.tenant = tenant;
    return record;
}

int run_partner(const Words& words) {
    const auto arguments =
        parse_words(words, {"topics",     "areas",         "codes",        "tenant",  "batch",
                            "reason",     "after",         "zone",         "unit",    "first-day",
                            "meters-max", "after-minutes", "correct-days", "allow",   "requests-per-minute",
                            "stamp",      "reply-to",      "reading",      "control", "event"},
                    {"disabled", "enabled", "dead", "cim"});
    const auto& given = arguments.words();
    const auto is = [&](const char* action, std::size_t size) {
        return !given.empty() && given[0] == action && given.size() == size;
    };
    if (!is("set", 2) && !is("webhook", 4) && !is("disable", 3) && !is("list", 1) && !is("sent", 3) &&
        !is("again", 5) && !is("files", 3) && !is("files", 4) && !is("client", 2) && !is("revoke", 2) &&
        !is("cim", 2))
        throw UsageError(
            "write partner set NAME, partner webhook NAME HOOK URL, partner disable NAME HOOK, "
            "partner client NAME, partner revoke CLIENT, partner cim NAME, partner list, partner files NAME "
            "CHANNEL [DIR], "
            "partner sent NAME HOOK or partner again NAME "
            "HOOK FROM TO");
    Desk desk{arguments};
    if (is("set", 2)) return set(desk, given[1]);
    if (is("webhook", 4)) return set_webhook(desk, given[1], given[2], given[3]);
    if (is("disable", 3)) return disable_webhook(desk, given[1], given[2]);
    if (is("list", 1)) return list(desk);
    if (is("client", 2)) return add_client(desk, given[1]);
    if (is("cim", 2)) return set_cim(desk, given[1]);
    if (is("revoke", 2)) return revoke_client(desk, given[1]);
    if (is("files", 4)) return set_files(desk, given[1], given[2], given[3]);
    if (is("files", 3)) return list_files(desk, given[1], given[2]);
    const auto webhook = known_webhook(desk, given[1], given[2]);
    if (is("sent", 3)) return sent(desk, webhook, position_in(desk.raw.optional<std::string>("after", "0")));
    return again(desk, webhook, position_in(given[3]), position_in(given[4]));
}

}  // namespace wattmesh::headend
