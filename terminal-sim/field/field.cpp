#include "terminal-sim/field/field.h"

#include "terminal-sim/field/json_file.h"
#include "terminal-sim/meter/access.h"
#include "terminal-sim/meter/chance.h"
#include "terminal-sim/meter/keypad.h"

namespace wattmesh::sim {
namespace {

enum Stream : std::uint64_t { radio_chance = 0xF1E1, state_owner };

/// Tells this town's state folder from another's.
std::uint64_t owner_of(const Town& town) {
    std::uint64_t owner = scatter(town.request.seed);
    for (const auto& meter : town.meters) owner = draw(owner, state_owner, meter.number.integer());
    return owner;
}

const MeterKeys& keys_of(const Shipment& shipment, const DeviceNumber& meter) {
    const auto found = shipment.find(meter);
    if (found == shipment.end())
        throw std::runtime_error("shipment: has no keys for meter " + to_string(meter) +
                                 "; town and shipment must come from one "
                                 "`terminal-sim provision`");
    return found->second;
}

Truth make_truth(const FieldOptions& options) {
    return options.truth_file.empty() ? Truth{} : Truth{options.truth_file, options.keep_truth_rows};
}

}  // namespace

Field::Field(const Town& town, const Shipment& shipment, const FieldOptions& options, Ciphers& ciphers,
             Random& random)
    : town_(town), installed_at_(options.installed_at), truth_(make_truth(options)) {
    std::optional<FieldState> state;
    if (options.state_folder.empty()) {
        counters_ = std::make_unique<CounterFile>(town.meters.size() * 2);
    } else {
        std::filesystem::create_directories(options.state_folder);
        state_file_ = options.state_folder / "field.state";
        counters_ = std::make_unique<CounterFile>(options.state_folder / "counters", owner_of(town),
                                                  town.meters.size() * 2);
        key_file_ = KeyFile{options.state_folder / "keys"};
        state = read_field_state(state_file_);
    }
    if (state) installed_at_ = state->installed_at;
    population_ = std::make_unique<Population>(
        town_, installed_at_, *counters_, truth_,
        [this](std::size_t meter, KeyOwner owner, const dlms::Data& argument) {
            return held_keys_[meter]->take(owner, argument);
        },
        shipment.prepaid);

    std::vector<FieldMeter> nodes;
    for (std::size_t i = 0; i < town_.meters.size(); ++i) {
        const DeviceNumber number = town_.meters[i].number;
        const MeterKeys& keys = keys_of(shipment, number);
        FieldMeter node{number, keys.join, {}};
        if (state && state->devices.contains(number)) {
            node.state = state->devices[number].node;
            population_->meter(i).replay(state->devices[number].deeds);
        }
        nodes.push_back(std::move(node));
        held_keys_.push_back(std::make_unique<HeldKeys>(number, AccessKeys{keys.management, keys.reading, {}},
                                                        key_file_, ciphers));
        servers_.push_back(std::make_shared<dlms::Server>(
            system_title(number),
            radio_access(held_keys_[i]->keys(), system_title(town_.meters[i].concentrator), *counters_, i),
            population_->meter(i), ciphers, random));
        held_keys_[i]->tell(servers_[i]);
    }
    for (const auto& collector : town_.collectors) {
        const auto keys = shipment.collectors.find(collector.number);
        if (keys == shipment.collectors.end())
            throw std::runtime_error("shipment: has no key for collector " + to_string(collector.number));
        Buffer node, table;
        if (state && state->devices.contains(collector.number)) node = state->devices[collector.number].node;
        if (state && state->collectors.contains(collector.number))
            table = state->collectors[collector.number].table;
        nodes.push_back({collector.number, keys->second, std::move(node)});
        collectors_.push_back(std::make_unique<CollectorBox>(table, ciphers, random));
    }
    radio_ = std::make_unique<RadioField>(FieldSettings{draw(town_.request.seed, radio_chance, 0),
                                                        options.start, options.rate, options.power_on_spread},
                                          places_of(town_), std::move(nodes), town_.concentrators, ciphers);
    for (std::size_t i = 0; i < town_.meters.size(); ++i) connect(i);
    for (std::size_t i = 0; i < collectors_.size(); ++i) connect_collector(i);
    if (!options.firmware_vendor.empty()) give_flashes(options, ciphers);
    wire_up(state);
    population_->advance(options.start);
    deeds_saved_ = deeds_done();
    save();
}

Field::~Field() = default;

void Field::give_flashes(const FieldOptions& options, Ciphers& ciphers) {
    const auto folder =
        options.state_folder.empty() ? std::filesystem::path{} : options.state_folder / "firmware";
    if (!folder.empty()) std::filesystem::create_directories(folder);
    for (std::size_t i = 0; i < town_.meters.size(); ++i) {
        const auto file =
            folder.empty() ? std::filesystem::path{} : folder / to_string(town_.meters[i].number);
        flashes_.push_back(
            std::make_unique<MeshFlash>(file, options.firmware_vendor, population_->meter(i), ciphers));
        radio_->set_image_flash(i, flashes_.back().get());
    }
}

void Field::connect(std::size_t meter) {
    radio_->set_application(town_.meters[meter].number,
                            [this, meter](Bytes payload, Instant now, RadioField::Reply reply) {
                                if (payload.empty()) return;
                                const std::uint8_t sap = payload.front();
                                servers_[meter]->handle(Sap{sap}, payload.subspan(1), now,
                                                        [sap, reply = std::move(reply)](Buffer apdu) {
                                                            apdu.insert(apdu.begin(), sap);
                                                            reply(std::move(apdu));
                                                        });
                            });
}

std::optional<std::string> Field::keypad(const DeviceNumber& number, std::string_view line) {
    const auto index = population_->find(number);
    if (!index || population_->meter(*index).prepaid() == nullptr) return std::nullopt;
    auto answer = keypad_answer(population_->meter(*index), line, radio_->now());
    save();
    return answer;
}

std::size_t Field::deeds_done() const {
    std::size_t deeds = 0;
    for (std::size_t i = 0; i < population_->size(); ++i) deeds += population_->meter(i).deeds().size();
    return deeds;
}

void Field::save() {
    deeds_saved_ = deeds_done();
    if (state_file_.empty()) return;
    FieldState state{installed_at_, {}, {}};
    for (std::size_t i = 0; i < town_.meters.size(); ++i) {
        const DeviceNumber number = town_.meters[i].number;
        state.devices[number] = {population_->meter(i).deeds(), radio_->save_state(number)};
    }
    for (std::size_t i = 0; i < collectors_.size(); ++i) {
        const DeviceNumber number = town_.collectors[i].number;
        state.devices[number] = {{}, radio_->save_state(number)};
        auto& kept = state.collectors[number];
        kept.table = collectors_[i]->state();
        for (const auto meter : collectors_[i]->wire().meters())
            kept.meters.push_back(town_.meters[meter].number);
    }
    Buffer content = encode(state);
    if (content == saved_) return;
    write_private_file(state_file_, std::string(content.begin(), content.end()));
    saved_ = std::move(content);
}

}  // namespace wattmesh::sim
