#include "headend/read_direct.h"

#include <iostream>
#include <optional>
#include <utility>

#include "headend/command_line.h"
#include "headend/console/data_text.h"
#include "headend/direct_line.h"
#include "protocol/cosem/obis_names.h"
#include "protocol/cosem/units.h"
#include "protocol/dlms/client.h"

namespace wattmesh::headend {
namespace {

constexpr SystemTitle tool_title{{'W', 'M', 'T', 'T', 'O', 'O', 'L', '1'}};
constexpr std::uint16_t class_data = 1, class_register = 3, class_extended_register = 4;

/// Counters of one run: sending starts above what the meter says it accepted last.
class RunCounters : public CounterStore {
public:
    explicit RunCounters(std::uint32_t last) : sent_(last) {}
    std::optional<std::uint32_t> next() override {
        if (sent_ == 0xFFFF'FFFF) return std::nullopt;
        return ++sent_;
    }
    bool accept(std::uint32_t received) override {
        if (accepted_ && received <= *accepted_) return false;
        accepted_ = received;
        return true;
    }
    void raise(std::uint32_t next) override {
        if (next > sent_) sent_ = next - 1;
    }

private:
    std::uint32_t sent_;
    std::optional<std::uint32_t> accepted_;
};

/// One association over a line of its own: opened, asked, released.
class DirectTalk {
public:
    DirectTalk(const platform::HostPort& place, LineKind kind, Sap sap, dlms::ClientConfig config,
               std::uint32_t last_counter)
        : line_(place, kind, sap),
          counters_(last_counter),
          client_(std::move(config), ciphers_, random_, counters_, counters_) {
        client_.associate();
        run();
        if (!client_.associated()) throw std::runtime_error("the meter did not open an association");
    }

    dlms::ReadOutcome get(const dlms::AttributeId& id) {
        client_.get(id);
        run();
        if (!outcome_) throw std::runtime_error("the meter gave no answer that fits the request");
        return *std::exchange(outcome_, std::nullopt);
    }

    void release() {
        client_.release();
        run();
    }

private:
    void run() {
        while (const auto apdu = client_.take_output()) {
            client_.receive(line_.exchange(*apdu));
            while (const auto event = client_.take_event()) on(*event);
        }
        while (const auto event = client_.take_event()) on(*event);
    }
    void on(const dlms::ClientEvent& event) {
        if (const auto* refused = std::get_if<dlms::AssociationRefused>(&event)) {
            throw std::runtime_error(
                refused->proof_failed
                    ? "the meter could not prove that it knows the key: check --ek and --ak"
                    : "the meter refused the association (result " + std::to_string(refused->result) +
                          ", diagnostic " + std::to_string(refused->diagnostic) +
                          "): check --client and its secret or keys");
        }
        if (const auto* failed = std::get_if<dlms::RequestFailed>(&event)) {
            throw std::runtime_error("the talk with the meter failed: " +
                                     std::string{to_string(failed->error.fault)});
        }
        if (const auto* read = std::get_if<dlms::ReadCompleted>(&event)) outcome_ = read->outcome;
    }

    security::OpensslCiphers ciphers_;
    security::SystemRandom random_;
    DirectLine line_;
    RunCounters counters_;
    dlms::Client client_;
    std::optional<dlms::ReadOutcome> outcome_;
};

Key128 key_from(const platform::Settings& settings, const std::string& name) {
    const auto octets = from_hex(settings.required<std::string>(name));
    const auto key = octets ? Key128::from(*octets) : std::nullopt;
    if (!key) throw platform::SettingsError("--" + name + " is not a key of 32 hexadecimal digits");
    return *key;
}

dlms::ClientConfig config_for(const platform::Settings& settings, Sap client) {
    dlms::ClientConfig config;
    config.own_title = tool_title;
    if (client == reading_client) {
        config.mechanism = dlms::Mechanism::low;
        config.password = to_buffer(as_bytes(settings.required<std::string>("secret")));
    } else if (client == management_client) {
        config.mechanism = dlms::Mechanism::high_gmac;
        config.ciphered = true;
        config.keys = dlms::ClientKeys{key_from(settings, "ek"), key_from(settings, "ak")};
    }
    return config;
}

/// The last counter the meter accepted from this client (0-0:43.1.x), which anybody may read.
std::uint32_t last_counter(const platform::HostPort& place, LineKind kind, Sap client) {
    DirectTalk talk{place, kind, public_client, {}, 0};
    const ObisCode counter{{0, 0, 43, 1, static_cast<std::uint8_t>(client.value), 255}};
    const auto outcome = talk.get({class_data, counter, 2});
    talk.release();
    const auto* data = std::get_if<dlms::Data>(&outcome);
    const auto value = data != nullptr ? data->integer() : std::nullopt;
    if (!value || *value < 0 || *value > 0xFFFF'FFFF)
        throw std::runtime_error("the meter does not show its invocation counter " + to_string(counter));
    return static_cast<std::uint32_t>(*value);
}

const dlms::Data& value_in(const dlms::ReadOutcome& outcome, const dlms::AttributeId& id) {
    if (const auto* refused = std::get_if<dlms::AccessResult>(&outcome)) {
        throw std::runtime_error("the meter does not give " + to_string(id.object) + " attribute " +
                                 std::to_string(id.attribute) + " (class " + std::to_string(id.class_id) +
                                 "): " + std::string{to_string(*refused)});
    }
    return std::get<dlms::Data>(outcome);
}

void print_register(DirectTalk& talk, dlms::AttributeId id, std::int64_t value) {
    id.attribute = 3;
    const auto outcome = talk.get(id);
    const auto* pair = value_in(outcome, id).elements();
    const bool scaled = pair != nullptr && pair->size() == 2 && (*pair)[0].integer() && (*pair)[1].integer();
    const int scaler = scaled ? static_cast<int>(*(*pair)[0].integer()) : 0;
    const auto unit = scaled ? cosem::unit_name(static_cast<int>(*(*pair)[1].integer())) : std::string_view{};
    if (scaler == 0) {
        std::cout << value;
    } else {
        std::cout << cosem::scaled(value, scaler);
    }
    std::cout << (unit.empty() ? "" : " ") << unit << "\n";
}

}  // namespace

int read_direct(const platform::Arguments& arguments) {
    const auto word = only_word(arguments, "an OBIS code like 1.8.0");
    const auto code = ObisCode::parse(word);
    if (!code) throw platform::UsageError("'" + word + "' is not an OBIS code like 1.8.0 or 1-0:1.8.0*255");
    const auto settings = arguments.settings();
    const auto secrets = settings.has("keys")
                             ? platform::Settings{settings.required<std::filesystem::path>("keys")}
                             : settings;
    const auto place = settings.required<platform::HostPort>("tcp");
    const auto link = settings.optional<std::string>("link", "wrapper");
    if (link != "wrapper" && link != "hdlc")
        throw platform::UsageError("--link '" + link + "' is unknown: wrapper or hdlc");
    const LineKind kind = link == "hdlc" ? LineKind::hdlc : LineKind::wrapper;
    const Sap client{settings.optional_in<std::uint16_t>("client", 16, 1, 127)};
    const dlms::AttributeId id{
        settings.optional_in<std::uint16_t>("class", cosem::usual_class(*code), 1, 65'535), *code,
        static_cast<std::int8_t>(settings.optional_in<int>("attribute", 2, 1, 127))};
    auto config = config_for(secrets, client);
    const std::uint32_t counter = config.ciphered ? last_counter(place, kind, client) : 0;
    DirectTalk talk{place, kind, client, std::move(config), counter};
    const auto outcome = talk.get(id);
    const dlms::Data& value = value_in(outcome, id);
    const bool is_register =
        (id.class_id == class_register || id.class_id == class_extended_register) && id.attribute == 2;
    if (is_register && value.integer()) {
        print_register(talk, id, *value.integer());
    } else {
        std::cout << console::data_text(value) << "\n";
    }
    talk.release();
    return 0;
}

}  // namespace wattmesh::headend
