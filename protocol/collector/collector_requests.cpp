#include <algorithm>

#include "protocol/collector/collector.h"

/// What the concentrator asks: the table, and groups of meters.
namespace wattmesh::collector {
namespace {
using namespace std::chrono_literals;
// The mesh asks again meanwhile; its node knows the request and waits for this answer.
constexpr Duration group_patience = 2'500ms;
constexpr std::size_t open_max = 4, jobs_max = 64;
}  // namespace

void Collector::request(std::uint16_t ticket, Bytes payload, Instant now) {
    const auto message = decode(payload);
    const auto* table = message ? std::get_if<TableRequest>(&*message) : nullptr;
    const auto* group = message ? std::get_if<GroupRequest>(&*message) : nullptr;
    if (table != nullptr) return on(*table, ticket, now);
    if (group == nullptr || open_.size() >= open_max) {
        ++counters_.malformed;  // not ours, or more than a concentrator has open at once
        return;
    }
    on(*group, ticket, now);
    settle(now);
    work(now);
}

void Collector::on(const TableRequest& request, std::uint16_t ticket, Instant now) {
    TablePage page;
    page.generation = table_.generation();
    page.refused = static_cast<std::uint8_t>(std::min<std::size_t>(refused_.size(), 255));
    for (const auto& meter : table_.all()) {
        if (meter.sub < request.first) continue;
        if (page.rows.size() == TablePage::rows_max) {
            page.next = meter.sub;
            break;
        }
        std::uint16_t silent = TablePage::unheard;
        if (meter.heard)
            silent = static_cast<std::uint16_t>(
                std::clamp<std::int64_t>((now - *meter.heard) / 1s, 0, TablePage::unheard - 1));
        page.rows.push_back({meter.sub, meter.meter, silent});
    }
    if (page.next == 0) {
        told_ = page.generation;
        told_any_ = true;
        notice_at_ = never;
        notice_.reset();
    }
    answers_.push_back({ticket, encode(page)});
}

bool Collector::pending(std::uint8_t sub) const {
    if (work_ == Work::job && job_.sub == sub) return true;
    return std::any_of(jobs_.begin(), jobs_.end(), [&](const Job& job) { return job.sub == sub; });
}

void Collector::on(const GroupRequest& request, std::uint16_t ticket, Instant now) {
    Open open;
    open.ticket = ticket;
    open.answer_by = now + group_patience;
    for (const auto& item : request.items) {
        GroupAnswer::Item answer{item.sub, ItemStatus::waiting, {}};
        Attached* meter = table_.find(item.sub);
        bool settled = true;
        if (meter == nullptr || check_of(meter->meter) != item.check) {
            answer.status = ItemStatus::absent;
        } else if (item.payload.empty()) {
            settled = false;
            if (!kept_.contains(item.sub) && !pending(item.sub)) {
                answer.status = ItemStatus::nothing;
                settled = true;
            }
        } else if (item.payload.size() < 2 || jobs_.size() >= jobs_max) {
            answer.status = ItemStatus::nothing;
            ++counters_.malformed;
        } else {
            // whoever asks anew does not want the old answer
            if (kept_.erase(item.sub) > 0) ++counters_.late;
            std::erase_if(jobs_, [&](const Job& job) { return job.sub == item.sub; });
            jobs_.push_back({item.sub, meter->meter, item.payload});
            settled = false;
        }
        open.items.push_back(std::move(answer));
        open.settled.push_back(settled);
    }
    open_.push_back(std::move(open));
}

/// Answers every group that is complete, or has waited long enough.
void Collector::settle(Instant now) {
    for (auto open = open_.begin(); open != open_.end();) {
        bool all = true;
        for (std::size_t i = 0; i < open->items.size(); ++i)
            all = all &&
                  (open->settled[i] || (kept_.contains(open->items[i].sub) && !pending(open->items[i].sub)));
        if (!all && now < open->answer_by) {
            ++open;
            continue;
        }
        answers_.push_back({open->ticket, answer_of(*open)});
        open = open_.erase(open);
    }
}

/// What does not fit, or is not done, stays and is marked as waiting.
Buffer Collector::answer_of(Open& open) {
    GroupAnswer answer;
    answer.generation = table_.generation();
    std::size_t size = answer_overhead + open.items.size() * answer_item_overhead;
    for (std::size_t i = 0; i < open.items.size(); ++i) {
        auto& item = open.items[i];
        const auto kept = kept_.find(item.sub);
        if (!open.settled[i] && kept != kept_.end() && !pending(item.sub) &&
            size + kept->second.payload.size() <= message_size_max) {
            item.status = kept->second.status;
            item.payload = std::move(kept->second.payload);
            size += item.payload.size();
            kept_.erase(kept);
        }
        answer.items.push_back(std::move(item));
    }
    return encode(answer);
}

}  // namespace wattmesh::collector
