#include <iostream>

#include "headend/command_line.h"
#include "headend/database/audit_mark.h"
#include "headend/database/key_counters.h"
#include "headend/vending/upkeep.h"

namespace wattmesh::headend {

int run_restored(const Words& words) {
    const auto arguments = parse_words(words, {});
    if (!arguments.words().empty()) throw platform::UsageError("say: headend restored --config FILE");
    Desk desk{arguments};
    database::KeyCounters{desk.connection}.jump();
    // The audit log ends earlier now than the end kept outside the database: from here on it is this one.
    database::AuditLog log{desk.connection};
    const database::AuditMark mark{desk.settings.counters};
    const auto before = mark.read();
    database::AuditRecord record{desk.clock->now(), actor(), "restored", "database",
                                 "every invocation counter jumped by 2^20"};
    if (const auto trouble = differs_from(log, mark)) {
        record.before =
            "audit log sealed up to " + std::to_string(before->number) + " " + to_hex(before->hash);
        record.after = "audit log ends at " + std::to_string(log.head().number);
        mark.forget();
    }
    log.append(record);
    const database::AuditMark sales{desk.settings.counters, database::vend_mark};
    vending::begin_anew(desk.connection, sales, desk.settings.counters, actor(), desk.clock->now());
    std::cerr
        << "Every invocation counter jumped by 2^20: none that was used before this restore is used again.\n";
    return 0;
}

}  // namespace wattmesh::headend
