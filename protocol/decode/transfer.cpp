#include "protocol/decode/transfer.h"

#include <utility>

#include "protocol/decode/apdu_lines.h"
#include "protocol/decode/data_lines.h"
#include "protocol/decode/link_lines.h"
#include "protocol/decode/parts.h"
#include "protocol/decode/printable.h"

namespace wattmesh::decode {
namespace {

constexpr int nesting_max = 16;
constexpr std::size_t octets_shown_max = 32;

void one_value(Walk& walk) {
    walk.where = "the joined value";
    data_lines(walk, "value ");
}
void all_results(Walk& walk) {
    walk.where = "the joined results";
    sequence_lines(walk, "results", [&](std::size_t i) { read_result_lines(walk, fmt::format("{}: ", i)); });
}
void all_values(Walk& walk) {
    walk.where = "the joined values";
    data_sequence_lines(walk, "values");
}

/// Blocks hold one value, or for a list a sequence; only what is inside tells.
void value_lines(Walk& walk) {
    for (const auto body : {one_value, all_results, all_values}) {
        Report trial;
        Session apart{walk.session, trial};
        Walk attempt{apart, walk.passage, 0, walk.passage.size(), 0, ""};
        body(attempt);
        attempt.finish();
        if (trial.whole()) return body(walk);
    }
    one_value(walk);
}

void whole_lines(Session& session, const Transfer& transfer) {
    if (session.nesting >= nesting_max) return;
    ++session.nesting;
    Walk walk{session, transfer.joined, 0, transfer.joined.size(), transfer.depth, "the joined message"};
    switch (transfer.content) {
        case Content::llc:
            llc_lines(walk);
            break;
        case Content::segment:
        case Content::apdu:
            apdu_lines(walk);
            break;
        case Content::value:
            value_lines(walk);
            break;
        case Content::action_result:
            walk.where = "the joined result";
            action_result_lines(walk, "");
            break;
    }
    walk.finish();
    --session.nesting;
}

std::string key_of(const Session& session, Content content) {
    return fmt::format("{} {}", static_cast<int>(content), session.direction);
}

}  // namespace

bool is_begun(const Session& session, Content content) {
    return session.transfers.contains(key_of(session, content));
}

void add_part(Walk& walk, Content content, std::optional<std::uint32_t> number, bool last, std::size_t begin,
              std::size_t size) {
    auto& transfers = walk.session.transfers;
    const std::string key = key_of(walk.session, content);
    if (number == 1U) transfers[key] = Transfer{content, {}, 1, walk.depth};
    const auto open = transfers.find(key);
    if (open == transfers.end() || (number && *number != open->second.next)) {
        const bool again = open != transfers.end() && *number < open->second.next;
        walk.line(begin, "{}: {}", again ? "was here before" : "the parts before are not here",
                  hex_words(walk.passage.octets().subspan(begin, size), octets_shown_max));
        return;
    }
    open->second.joined.append(walk.passage, begin, size);
    ++open->second.next;
    if (!last) return;
    const Transfer whole = std::move(open->second);
    transfers.erase(open);
    if (whole.next > 2) walk.line(begin, "{} parts joined, {} octets:", whole.next - 1, whole.joined.size());
    whole_lines(walk.session, whole);
}

void add_part_of(Walk& walk, Content content, std::uint32_t number, bool last, std::size_t size) {
    const std::size_t begin = walk.here();
    const std::size_t there = std::min(size, walk.in.remaining());
    if (walk.in.ok() && size > there && there > 0) add_part(walk, content, number, false, begin, there);
    walk.take(size);
    if (walk.in.ok() && size > 0) add_part(walk, content, number, last, begin, size);
}

void finish_transfers(Session& session) {
    // Decoding what has begun may begin another one: blocks in blocks.
    while (!session.transfers.empty()) {
        const auto open = session.transfers.begin();
        const Transfer begun = std::move(open->second);
        session.transfers.erase(open);
        if (begun.joined.size() == 0) continue;
        session.report.line(
            begun.joined, 0, 0,
            fmt::format("unfinished: {} octets are here; as far as they go:", begun.joined.size()));
        Report trial;
        Session apart{session, trial};
        Transfer first = begun;
        first.depth = 1;
        whole_lines(apart, first);
        session.report.merge(std::move(trial), true);
        for (auto& [key, transfer] : apart.transfers)
            session.transfers.insert_or_assign(key, std::move(transfer));
    }
}

}  // namespace wattmesh::decode
