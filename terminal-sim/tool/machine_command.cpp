#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "platform/arguments.h"
#include "platform/log.h"
#include "platform/main_guard.h"
#include "security/ciphers.h"
#include "security/private_file.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/machine_till.h"

namespace wattmesh::sim {
namespace {

constexpr int exit_nothing_kept = 3, exit_no_end = 4, exit_given_back = 5;
constexpr std::chrono::seconds between_tries{1};
using Ended = MachineOutcome::State;

void print_event(Poco::JSON::Object json) {
    json.stringify(std::cout);
    std::cout << std::endl;
}

Poco::JSON::Object machine_event(const char* event) {
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    json.set("event", event);
    return json;
}

int end_machine(const char* event, const MachineOutcome& outcome, int status) {
    auto json = machine_event(event);
    json.set("reason", outcome.reason);
    json.set("text", outcome.text);
    print_event(json);
    return status;
}

std::string trimmed(std::string text) {
    text.erase(text.find_last_not_of(" \r\n") + 1);
    return text;
}

MachineTalkSettings talk_settings(const platform::Settings& settings) {
    MachineTalkSettings talk;
    if (settings.has("via") == settings.has("serial"))
        throw platform::UsageError(
            "say where the concentrator is: either --via HOST:PORT or --serial DEVICE");
    if (settings.has("via")) talk.via = settings.required<platform::HostPort>("via");
    if (settings.has("serial"))
        talk.serial = {.device = settings.required<std::string>("serial"),
                       .baud = settings.optional<std::uint32_t>("baud", 115'200),
                       .parity = platform::Parity::none};
    const auto ca = settings.required<std::filesystem::path>("ca");
    std::ostringstream pem;
    if (!(pem << std::ifstream{ca}.rdbuf())) throw platform::UsageError("--ca: cannot read " + ca.string());
    talk.ca_pem = pem.str();
    talk.name = settings.required<std::string>("name");
    const auto token = security::read_private_file(settings.required<std::filesystem::path>("token-file"));
    talk.token = trimmed({token.reveal().begin(), token.reveal().end()});
    talk.answer_real_max = std::chrono::seconds{settings.optional_in<int>("timeout", 20, 1, 300)};
    return talk;
}

void print_sold(const MachineOutcome& outcome, bool resumed, std::int64_t& sale) {
    const auto receipt = Poco::JSON::Parser{}.parse(outcome.receipt).extract<Poco::JSON::Object::Ptr>();
    sale = receipt->getValue<std::int64_t>("sale");
    auto json = machine_event("sold");
    json.set("resumed", resumed);
    json.set("receipt", receipt);
    print_event(json);
}

/// Until it is sold or refused, or the time is over.
int finish_sale(MachineTill& till, std::chrono::seconds wait, bool resumed) {
    const auto until = std::chrono::steady_clock::now() + wait;
    for (;;) {
        const auto outcome = till.sell();
        if (outcome.state == Ended::sold) {
            std::int64_t sale = 0;
            print_sold(outcome, resumed, sale);
            till.forget();
            till.confirm(sale);  // or the counter prints it once more
            return 0;
        }
        if (outcome.state == Ended::refused) {
            till.forget();
            return end_machine("given_back", outcome, exit_given_back);
        }
        if (std::chrono::steady_clock::now() >= until) return end_machine("no_end_yet", outcome, exit_no_end);
        std::this_thread::sleep_for(between_tries);
    }
}

/// What the customer puts in; 0: nothing.
std::int64_t money_put_in() {
    print_event(machine_event("insert"));
    std::int64_t amount = 0;
    std::cin >> amount;
    return std::cin && amount > 0 ? amount : 0;
}

}  // namespace

int run_machine(const Call& call) {
    const auto& settings = call.settings;
    platform::start_log(settings.optional<std::string>("log", "warning"));
    platform::forbid_memory_dumps();
    security::SystemRandom random;
    MachineTalk talk{talk_settings(settings), random};
    MachineTill till{talk, random, settings.required<std::string>("terminal"),
                     settings.required<std::filesystem::path>("state")};
    const std::chrono::seconds wait{settings.optional_in<int>("wait", 60, 0, 3'600)};
    if (till.pending()) return finish_sale(till, wait, true);

    const auto meter = settings.required<std::string>("meter");
    const auto tender = settings.required_in<std::int64_t>("tender", 1, 2'000'000'000);
    const auto offer = till.quote(meter, tender);
    if (offer.state != Ended::sold) return end_machine("out_of_service", offer, exit_nothing_kept);
    auto quoted = machine_event("quote");
    quoted.set("quote", Poco::JSON::Parser{}.parse(offer.receipt));
    print_event(quoted);
    const auto paid = money_put_in();
    if (paid == 0) return end_machine("nothing_put_in", {}, exit_nothing_kept);
    // What is kept must be sellable now: vending may have gone away while the customer counted his coins.
    const auto again = till.quote(meter, paid);
    if (again.state != Ended::sold) return end_machine("not_taken", again, exit_nothing_kept);
    till.keep(meter, paid);
    auto kept = machine_event("kept");
    kept.set("tender", paid);
    kept.set("key", till.pending()->key);
    print_event(kept);
    return finish_sale(till, wait, false);
}

}  // namespace wattmesh::sim
