#include <iostream>

#include "headend/command_line.h"
#include "headend/database/audit_log.h"
#include "headend/database/key_counters.h"

namespace wattmesh::headend {

int run_restored(const Words& words) {
    const auto arguments = parse_words(words, {});
    if (!arguments.words().empty()) throw platform::UsageError("say: headend restored --config FILE");
    Desk desk{arguments};
    database::KeyCounters{desk.connection}.jump();
    database::AuditLog{desk.connection}.append(desk.clock->now(), actor(), "restored", "database",
                                               "every invocation counter jumped by 2^20");
    std::cerr
        << "Every invocation counter jumped by 2^20: none that was used before this restore is used again.\n";
    return 0;
}

}  // namespace wattmesh::headend
