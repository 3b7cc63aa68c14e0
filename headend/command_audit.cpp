// audit verify, audit show, audit anchors: what people did, and whether anybody touched the record of it.
#include <iostream>

#include "headend/command_line.h"
#include "headend/console/json.h"
#include "headend/database/vend_journal.h"
#include "headend/vending/anchors.h"

namespace wattmesh::headend {
namespace {

/// The sealer comes by twice a second; what waits much longer says that it does not run.
constexpr Duration sealed_within = std::chrono::minutes{1};

/// What reads all of a log takes its time.
void take_time(Desk& desk) {
    desk.connection.execute("set statement_timeout = 0", "letting the check take its time");
}

/// The same of the journal of sales. How many troubles.
int verify_sales(Desk& desk) {
    database::VendJournal journal{desk.connection};
    std::vector<std::string> troubles = journal.check();
    if (const auto broken = journal.first_broken())
        troubles.push_back("batch " + std::to_string(*broken) +
                           " of the journal of sales was altered, or one before it removed");
    if (auto trouble =
            differs_from(journal, database::AuditMark{desk.settings.counters, database::vend_mark}))
        troubles.push_back(*trouble);
    security::OpensslCiphers ciphers;
    for (auto& trouble :
         vending::anchor_troubles(desk.connection, ciphers, desk.settings.counters, desk.clock->now()))
        troubles.push_back(std::move(trouble));
    const auto [waiting, oldest] = journal.waiting();
    if (oldest && desk.clock->real(desk.clock->now() - *oldest) > sealed_within)
        troubles.push_back(std::to_string(waiting) +
                           " records of sales are not sealed, the oldest for over a minute: is 'headend "
                           "serve' with the role "
                           "vending running?");
    for (const auto& trouble : troubles) std::cout << "FAILED: " << trouble << "\n";
    if (troubles.empty())
        std::cout << "The journal of sales is whole, and the books balance: " << journal.head().number
                  << " batches sealed, " << database::VendAnchors{desk.connection}.all().size()
                  << " days signed.\n";
    return static_cast<int>(troubles.size());
}

int verify(Desk& desk) {
    take_time(desk);
    database::AuditLog log{desk.connection};
    const auto head = log.head();
    int troubles = 0;
    const auto say = [&](const std::string& trouble) {
        std::cout << "FAILED: " << trouble << "\n";
        ++troubles;
    };
    if (const auto broken = log.first_broken())
        say("record " + std::to_string(*broken) +
            " does not fit the chain: it, or one just before it, was altered or removed");
    const database::AuditMark mark{desk.settings.counters};
    if (const auto trouble = differs_from(log, mark)) say(*trouble);
    const auto [waiting, oldest] = log.waiting();
    if (oldest && desk.clock->real(desk.clock->now() - *oldest) > sealed_within)
        say(std::to_string(waiting) +
            " records are not sealed, the oldest for over a minute: is 'headend serve' with the role monitor "
            "running?");
    troubles += verify_sales(desk);
    if (troubles > 0) return 1;
    std::cout << "The audit log is whole: " << head.number << " records sealed, " << waiting
              << " not yet; its end "
              << (mark.read() ? "is the one kept outside the database.\n"
                              : "is not kept outside the database yet (headend serve does that).\n");
    return 0;
}

int show(Desk& desk) {
    database::AuditQuery query;
    query.actor = desk.raw.optional<std::string>("actor", "");
    query.subject = desk.raw.optional<std::string>("subject", "");
    query.count = desk.raw.optional_in<int>("count", 50, 1, 10'000);
    for (const auto& record : database::AuditLog{desk.connection}.find(query)) {
        console::Json json;
        json.open_object().field("number", record.number).field("at", record.at).field("actor", record.actor);
        json.field("action", record.action).field("subject", record.subject).field("detail", record.detail);
        json.field("reason", record.reason).field("before", record.before).field("after", record.after);
        std::cout << json.close_object().text() << "\n";
    }
    return 0;
}

int anchors(Desk& desk) {
    for (const auto& anchor : database::VendAnchors{desk.connection}.all())
        std::cout << vending::anchor_line(anchor) << "\n";
    return 0;
}

}  // namespace

int run_audit(const Words& words) {
    const auto arguments = parse_words(words, {"actor", "subject", "count"});
    const auto what = only_word(arguments, "verify, show or anchors");
    if (what != "verify" && what != "show" && what != "anchors")
        throw platform::UsageError("say: headend audit verify, headend audit show, or headend audit anchors");
    Desk desk{arguments};
    if (what == "anchors") return anchors(desk);
    return what == "verify" ? verify(desk) : show(desk);
}

}  // namespace wattmesh::headend
