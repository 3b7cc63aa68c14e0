#include "headend/monitor/outage_inference.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace wattmesh::headend::monitor {
namespace {

using database::NodeId;
using database::OutageFacts;
using std::chrono::seconds;

/// A meter without power, from its word to the next.
struct Spell {
    DeviceNumber meter;
    Instant from{};
    std::optional<Instant> to;
    bool inferred = false;
};
using Spells = std::map<NodeId, std::vector<Spell>>;

constexpr int least = 3;               ///< fewer are troubles of houses
constexpr double share_least = 0.12;   ///< of a transformer's meters
constexpr double whole_dark = 0.2;     ///< when its concentrator went too
constexpr double whole_alive = 0.75;   ///< when its concentrator lives on
constexpr double whole_unknown = 0.5;  ///< when none stands there
constexpr double feeder_share = 0.5;   ///< of a feeder's transformers
constexpr Duration switching_apart =
    seconds{1'800};                               ///< of a feeder's transformers, when the power comes back
constexpr Duration absence_slack = seconds{300};  ///< a link is given up later than its power

Spells spells_of(const OutageFacts& facts) {
    std::map<DeviceNumber, std::vector<const OutageFacts::Word*>> by_meter;
    for (const auto& word : facts.words)
        if (facts.meters.contains(word.meter)) by_meter[word.meter].push_back(&word);
    Spells spells;
    for (auto& [meter, words] : by_meter) {
        std::ranges::stable_sort(words, {}, [](const auto* word) { return word->at; });
        auto& list = spells[facts.meters.at(meter).transformer];
        std::optional<Spell> open;
        for (const auto* word : words) {
            if (word->lost && !open) open = Spell{meter, word->at, {}, word->inferred};
            if (word->lost && open) open->inferred = open->inferred && word->inferred;
            if (word->lost || !open) continue;
            open->to = word->at;
            list.push_back(*open);
            open.reset();
        }
        if (open) list.push_back(*open);
    }
    for (auto& [transformer, list] : spells) std::ranges::stable_sort(list, {}, &Spell::from);
    return spells;
}

/// When the last of them was heard again, and a while; without any, never.
Instant last_back(const std::vector<const Spell*>& spells) {
    Instant last = Instant::min();
    for (const auto* spell : spells) last = std::max(last, spell->to.value_or(last));
    return last == Instant::min() ? Instant::max() : last + absence_slack;
}

class Inference {
public:
    Inference(const OutageSettings& settings, const OutageFacts& facts)
        : settings_(settings), facts_(facts) {}
    OutagePicture work();

private:
    /// One cut at one transformer, before it is known whether the cause lies above.
    struct Cut {
        InferredOutage outage;
        bool told = false;  ///< enough meters said so
    };

    void cuts_of(NodeId transformer, const std::vector<Spell>& spells);
    Cut cut_of(NodeId transformer, const std::vector<const Spell*>& spells) const;
    const OutageFacts::Absence* absence(const std::optional<DeviceNumber>& concentrator, Instant from,
                                        Instant latest) const;
    std::optional<Instant> restored(const OutageFacts::Transformer& place,
                                    const std::vector<const Spell*>& spells, Instant from, bool whole) const;
    void blame_feeders();
    void take_along(NodeId feeder, Instant from, Instant latest);

    const OutageSettings& settings_;
    const OutageFacts& facts_;
    std::vector<Cut> cuts_;
};

/// The absence that a loss of power at `from` explains. One of which only the end is known must have ended by
/// `latest`: later ones are others.
const OutageFacts::Absence* Inference::absence(const std::optional<DeviceNumber>& concentrator, Instant from,
                                               Instant latest) const {
    if (!concentrator) return nullptr;
    const OutageFacts::Absence* found = nullptr;
    for (const auto& one : facts_.absences) {
        if (one.concentrator != *concentrator || (one.to && *one.to < from)) continue;
        if (!one.from && one.to && *one.to > latest) continue;
        if (one.from && (*one.from < from - settings_.together || *one.from > from + absence_slack)) continue;
        if (found == nullptr || (one.to && found->to && *one.to < *found->to)) found = &one;
    }
    return found;
}

/// When the second meter was heard again, less what its concentrator needed to come up.
std::optional<Instant> Inference::restored(const OutageFacts::Transformer& place,
                                           const std::vector<const Spell*>& spells, Instant from,
                                           bool whole) const {
    std::vector<Instant> back;
    std::set<DeviceNumber> seen;
    for (const auto* spell : spells)
        if (spell->to && seen.insert(spell->meter).second) back.push_back(*spell->to);
    std::ranges::sort(back);
    const std::size_t wanted = std::min<std::size_t>(spells.size(), 2);
    const auto* const away = whole ? absence(place.concentrator, from, last_back(spells)) : nullptr;
    const auto up = away != nullptr && away->to ? std::optional{*away->to - settings_.boot} : std::nullopt;
    if (back.size() < wanted) return up;
    return up ? std::min(*up, back[wanted - 1]) : back[wanted - 1];
}

Inference::Cut Inference::cut_of(NodeId transformer, const std::vector<const Spell*>& spells) const {
    const auto& place = facts_.transformers.at(transformer);
    Cut cut;
    auto& outage = cut.outage;
    outage.transformer = transformer;
    outage.from = spells.front()->from;
    std::set<DeviceNumber> dark;
    for (const auto* spell : spells) {
        if (!dark.insert(spell->meter).second) continue;
        ++(spell->inferred ? outage.silent : outage.reported);
        if (!spell->inferred) outage.from = std::min(outage.from, spell->from);
    }
    const auto* const away = absence(place.concentrator, outage.from, last_back(spells));
    const double share = static_cast<double>(dark.size()) / std::max(place.customers, 1);
    const double enough = away != nullptr ? whole_dark : place.concentrator ? whole_alive : whole_unknown;
    outage.whole = share >= enough;
    outage.customers = outage.whole ? place.customers : static_cast<int>(dark.size());
    outage.to = restored(place, spells, outage.from, outage.whole);
    if (outage.to && *outage.to < outage.from) outage.to = outage.from;
    // Somebody must have said so: the silence of a few at a cut's border is the mesh's guess.
    cut.told = static_cast<int>(dark.size()) >= std::min(least, place.customers) &&
               (share >= share_least || away != nullptr) && outage.reported >= std::min(2, place.customers);
    return cut;
}

void Inference::cuts_of(NodeId transformer, const std::vector<Spell>& spells) {
    for (std::size_t first = 0; first < spells.size();) {
        std::vector<const Spell*> together;
        std::size_t last = first;
        for (; last < spells.size() && spells[last].from - spells[first].from <= settings_.together; ++last)
            together.push_back(&spells[last]);
        auto cut = cut_of(transformer, together);
        // Later words within a cut that lasts belong to it: they were told late or by somebody else.
        const bool inside = !cuts_.empty() && cuts_.back().outage.transformer == transformer &&
                            cuts_.back().outage.whole &&
                            (!cuts_.back().outage.to || *cuts_.back().outage.to > spells[first].from);
        if (cut.told && !inside) {
            cuts_.push_back(std::move(cut));
            first = last;
        } else {
            ++first;
        }
    }
}

/// Transformers of the feeder about which nobody could say anything, because who would have is dark too.
void Inference::take_along(NodeId feeder, Instant from, Instant latest) {
    for (const auto& [id, place] : facts_.transformers) {
        if (place.feeder != feeder) continue;
        const auto known = std::ranges::find_if(cuts_, [&](const Cut& cut) {
            return cut.outage.transformer == id && cut.outage.from <= from + settings_.together &&
                   (!cut.outage.to || *cut.outage.to > from);
        });
        const auto* const away = absence(place.concentrator, from, latest);
        if (known != cuts_.end() || away == nullptr) continue;
        Cut cut;
        cut.told = true;
        cut.outage.transformer = id;
        cut.outage.feeder = feeder;
        cut.outage.from = from;
        cut.outage.customers = place.customers;
        if (away->to) cut.outage.to = std::max(from, *away->to - settings_.boot);
        cuts_.push_back(std::move(cut));
    }
}

void Inference::blame_feeders() {
    std::map<NodeId, int> transformers;
    for (const auto& [id, place] : facts_.transformers)
        if (place.feeder && place.customers > 0) ++transformers[*place.feeder];
    std::ranges::stable_sort(cuts_, {}, [](const Cut& cut) { return cut.outage.from; });
    struct Blamed {
        NodeId feeder;
        Instant from, latest;
    };
    std::vector<Blamed> blamed;
    for (std::size_t i = 0; i < cuts_.size(); ++i) {
        const auto feeder = facts_.transformers.at(cuts_[i].outage.transformer).feeder;
        if (!feeder || cuts_[i].outage.feeder || !cuts_[i].outage.whole) continue;
        std::vector<std::size_t> together;
        for (std::size_t j = i; j < cuts_.size(); ++j) {
            if (cuts_[j].outage.from - cuts_[i].outage.from > settings_.together) break;
            if (cuts_[j].outage.whole && facts_.transformers.at(cuts_[j].outage.transformer).feeder == feeder)
                together.push_back(j);
        }
        if (together.size() < 2 ||
            static_cast<double>(together.size()) < feeder_share * transformers[*feeder])
            continue;
        Blamed one{*feeder, cuts_[i].outage.from, Instant::min()};
        for (const auto at : together) {
            cuts_[at].outage.feeder = feeder;
            const auto over = cuts_[at].outage.to;
            one.latest = std::max(one.latest, over ? *over + switching_apart : Instant::max());
        }
        blamed.push_back(one);
    }
    for (const auto& one : blamed) take_along(one.feeder, one.from, one.latest);
}

OutagePicture Inference::work() {
    for (const auto& [transformer, spells] : spells_of(facts_))
        if (facts_.transformers.contains(transformer)) cuts_of(transformer, spells);
    blame_feeders();
    OutagePicture picture;
    std::set<DeviceNumber> explained;
    for (const auto& cut : cuts_) {
        picture.outages.push_back(cut.outage);
        const auto& place = facts_.transformers.at(cut.outage.transformer);
        if (cut.outage.whole && !cut.outage.to && place.concentrator) explained.insert(*place.concentrator);
    }
    std::ranges::stable_sort(picture.outages, {}, &InferredOutage::from);
    for (const auto& absence : facts_.absences)
        if (!absence.to && !explained.contains(absence.concentrator))
            picture.concentrators_down.push_back(absence.concentrator);
    return picture;
}

}  // namespace

OutagePicture infer_outages(const OutageSettings& settings, const OutageFacts& facts) {
    return Inference{settings, facts}.work();
}

ReliabilityIndices indices_of(const OutageSettings& settings, const std::vector<InferredOutage>& outages,
                              int customers, Instant from, Instant to) {
    ReliabilityIndices indices;
    indices.customers = customers;
    double minutes = 0;
    for (const auto& outage : outages) {
        const Instant end = std::min(outage.to.value_or(to), to), begin = std::max(outage.from, from);
        if (end <= begin) continue;
        if (outage.to && *outage.to - outage.from <= settings.sustained) {
            indices.momentary += outage.customers;
            continue;
        }
        if (outage.from >= from) indices.interrupted += outage.customers;
        minutes += outage.customers * std::chrono::duration<double, std::ratio<60>>(end - begin).count();
    }
    indices.customer_minutes = std::llround(minutes);
    if (customers > 0) {
        indices.saidi_min = minutes / customers;
        indices.saifi = static_cast<double>(indices.interrupted) / customers;
    }
    if (indices.interrupted > 0) indices.caidi_min = minutes / static_cast<double>(indices.interrupted);
    return indices;
}

}  // namespace wattmesh::headend::monitor
