#include "tests/bench/baseline/baseline.h"

#include "tests/bench/baseline/station.h"

namespace wattmesh::bench {
namespace {
constexpr std::array<const char*, 4> names{"minhop", "rpl-lite", "central-rssi", "reactive"};
}  // namespace

std::optional<Rival> rival_of(std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (name == names[i]) return static_cast<Rival>(i);
    return std::nullopt;
}
const char* name_of(Rival rival) { return names[static_cast<std::size_t>(rival)]; }

Baseline::Baseline(Rival rival, sim::RadioField& field, std::size_t meters, mesh::PhyRate rate,
                   std::size_t answer_size, Ciphers& ciphers)
    : field_(field), meters_(meters), book_(std::make_shared<Book>()) {
    book_->rival = rival;
    book_->rate = rate;
    book_->meters = meters;
    book_->answer_size = answer_size;
    book_->ciphers = &ciphers;
    book_->boots.assign(meters + 1, 0);
    book_->attached.assign(meters + 1, false);
    book_->joined.assign(meters + 1, false);
    constexpr std::array meter_makers{minhop_meter, rpl_meter, central_meter, reactive_meter};
    constexpr std::array root_makers{minhop_root, rpl_root, central_root, reactive_root};
    const auto which = static_cast<std::size_t>(rival);
    for (std::size_t i = 0; i < meters; ++i)
        field.set_program(i, [book = book_, i, make = meter_makers[which]](auto& radio, auto& random) {
            return make(*book, address_of(i), radio, random);
        });
    field.set_program(meters, [book = book_, make = root_makers[which]](auto& radio, auto& random) {
        book->joined.assign(book->meters + 1, false);
        return make(*book, radio, random);
    });
}

Baseline::~Baseline() = default;

std::uint32_t Baseline::send(std::size_t meter, std::size_t request_size, Duration deadline) {
    const auto handle = ++book_->handles;
    bool taken = false;
    field_.with_program(meters_, [&](sim::RadioProgram& program, Instant now) {
        program.tick(now);
        dynamic_cast<RivalRoot&>(program).ask(handle, address_of(meter), request_size, deadline);
        taken = true;
    });
    if (!taken) book_->events.push_back(concentrator::MeshFailure{handle, dcu::ReadFault::not_joined});
    return handle;
}

std::optional<concentrator::MeshEvent> Baseline::take_event() {
    if (book_->events.empty()) return std::nullopt;
    auto event = std::move(book_->events.front());
    book_->events.pop_front();
    return event;
}

std::optional<std::vector<std::size_t>> Baseline::route(std::size_t meter) const {
    std::optional<std::vector<std::size_t>> found;
    field_.with_program(meters_, [&](sim::RadioProgram& program, Instant) {
        const auto relays = dynamic_cast<RivalRoot&>(program).route(address_of(meter));
        if (!relays) return;
        found.emplace();
        for (const auto relay : *relays) found->push_back(meter_at(relay));
    });
    return found;
}

bool Baseline::joined(std::size_t meter) const { return book_->joined[address_of(meter)]; }
bool Baseline::attached(std::size_t meter) const {
    return field_.alive(meter) && book_->attached[address_of(meter)];
}
std::uint64_t Baseline::parent_changes() const { return book_->parent_changes; }

}  // namespace wattmesh::bench
