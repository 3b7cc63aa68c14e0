// firmware: vendors, images, orders and their state, for an administrator; each act in the audit log.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "headend/command_line.h"
#include "headend/console/json.h"
#include "headend/monitor/firmware_orders.h"
#include "security/ciphers.h"

namespace wattmesh::headend {
namespace {

using database::Firmware;
using database::FirmwareImageId;
constexpr std::size_t firmware_read_max = 1 << 20;
constexpr auto distribution_days = std::chrono::days{7}, activation_days = std::chrono::days{31};
constexpr int firmware_lines_max = 10'000;

monitor::FirmwareAsker cli_asker_of(const platform::Settings& settings) {
    return {TenantId{settings.optional<int>("tenant", 1)}, actor(), settings.required<std::string>("reason")};
}

std::int64_t number_of_word(const std::string& word, const std::string& what) {
    if (word.empty() || word.size() > 9 || word.find_first_not_of("0123456789") != std::string::npos)
        throw platform::UsageError("'" + word + "' is not the number of " + what);
    return std::stoll(word);
}

Buffer read_image(const std::string& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in) throw std::runtime_error(file + ": cannot be read");
    Buffer content{std::istreambuf_iterator<char>{in}, {}};
    if (content.size() > firmware_read_max) throw std::runtime_error(file + ": is too large");
    return content;
}

/// `--concentrator N`, or `--meters A,B,...`.
std::vector<DeviceNumber> meters_of(Desk& desk) {
    database::JobSubjects subjects{desk.connection};
    std::vector<DeviceNumber> meters;
    if (desk.raw.has("concentrator")) {
        meters = subjects.of_concentrator(number_from(desk.raw.required<std::string>("concentrator")));
        if (meters.empty()) throw std::runtime_error("this concentrator is unknown or has no meters");
        return meters;
    }
    std::istringstream list{desk.raw.required<std::string>("meters")};
    for (std::string word; std::getline(list, word, ',');) meters.push_back(number_from(word));
    std::sort(meters.begin(), meters.end());
    meters.erase(std::unique(meters.begin(), meters.end()), meters.end());
    if (meters.empty() || subjects.known(meters).size() != meters.size())
        throw std::runtime_error("not all of these meters are registered here; nothing was ordered");
    return meters;
}

int list_firmware(Desk& desk) {
    Firmware firmware{desk.connection};
    const TenantId tenant{desk.raw.optional<int>("tenant", 1)};
    for (const auto& vendor : firmware.vendors(tenant))
        std::cout << "vendor " << vendor.name << " key " << to_hex(vendor.public_key) << "\n";
    for (const auto& image : firmware.images(tenant))
        std::cout << "image " << image.id.value << " " << image.model << " " << image.version << " "
                  << image.size << " octets by " << image.vendor_name << ", uploaded by " << image.uploaded_by
                  << "\n";
    return 0;
}

int show_firmware(Desk& desk, database::JobId id) {
    const auto job = database::Jobs{desk.connection}.find(id);
    Firmware firmware{desk.connection};
    const auto image = firmware.image_of(id);
    if (!job || !image)
        throw std::runtime_error("job " + std::to_string(id.value) + " distributes no firmware");
    console::Json json;
    json.open_object().field("job", std::int64_t{id.value}).field("state", to_string(job->state));
    json.field("version", image->version).key("states").open_object();
    for (const auto& count : firmware.counts(id)) json.field(count.state, count.meters);
    json.close_object().key("concentrators").open_array();
    for (const auto& supply : firmware.supplies(id))
        json.open_object()
            .field("concentrator", supply.concentrator)
            .field("state", supply.state)
            .field("blocks_done", supply.blocks_done)
            .field("blocks", supply.blocks)
            .field("reason", supply.reason)
            .close_object();
    json.close_array().key("meters").open_array();
    for (const auto& meter : firmware.meters(id, "", {}, firmware_lines_max))
        json.open_object()
            .field("meter", meter.meter)
            .field("state", meter.state)
            .field("blocks", meter.blocks)
            .field("missing", meter.missing)
            .field("trouble", meter.trouble)
            .field("running", meter.running)
            .close_object();
    std::cout << json.close_array().close_object().take() << "\n";
    return 0;
}

int order_image(Desk& desk, FirmwareImageId image, bool activates) {
    const auto meters = meters_of(desk);
    const auto asker = cli_asker_of(desk.raw);
    database::Job job;
    job.scope = database::Scope::of(asker.tenant);
    job.created = desk.clock->now();
    job.deadline = job.created + (activates ? activation_days : distribution_days);
    const bool many = meters.size() > static_cast<std::size_t>(desk.settings.console.second_person_above);
    job.state = many ? database::JobState::proposed : database::JobState::queued;
    Instant at = job.created;
    if (desk.raw.has("at")) {
        const auto wanted = console::parse_iso(desk.raw.required<std::string>("at"));
        if (!wanted) throw platform::UsageError("--at: is not an instant like 2026-11-24T02:00:00Z");
        at = *wanted;
    }
    const auto id = activates ? monitor::order_activation(desk.connection, asker, job, image, meters, at)
                              : monitor::order_firmware(desk.connection, asker, job, image, meters);
    std::cout << id.value << "\n";
    std::cerr << "Job " << id.value << " for " << meters.size() << " meters"
              << (many ? " waits for a second person, who approves it in the console" : "") << ".\n";
    return 0;
}

}  // namespace

int run_firmware(const Words& words) {
    const auto arguments =
        parse_words(words, {"tenant", "reason", "name", "key", "concentrator", "meters", "at"});
    const auto& said = arguments.words();
    const std::string what = said.empty() ? "" : said[0];
    Desk desk{arguments};
    const auto now = desk.clock->now();
    if (what == "list" && said.size() == 1) return list_firmware(desk);
    if (what == "trust" && said.size() == 1) {
        const auto name = desk.raw.required<std::string>("name");
        monitor::add_firmware_vendor(desk.connection, cli_asker_of(desk.raw), name,
                                     desk.raw.required<std::string>("key"), now);
        std::cerr << "Images that " << name << " signed are taken from now on.\n";
        return 0;
    }
    if (what == "upload" && said.size() == 2) {
        security::OpensslCiphers ciphers;
        const auto image = monitor::keep_firmware_image(desk.connection, ciphers, cli_asker_of(desk.raw),
                                                        read_image(said[1]), now);
        std::cout << image.id.value << "\n";
        std::cerr << "Image " << image.id.value << ": " << image.model << " " << image.version
                  << ", signed by " << image.vendor_name << ".\n";
        return 0;
    }
    if (said.size() == 2 && (what == "order" || what == "activate"))
        return order_image(desk, FirmwareImageId{number_of_word(said[1], "an image")}, what == "activate");
    if (what == "show" && said.size() == 2)
        return show_firmware(desk, database::JobId{number_of_word(said[1], "a job")});
    throw platform::UsageError(
        "say: headend firmware list | trust | upload FILE | order IMAGE | "
        "activate IMAGE | show JOB");
}

}  // namespace wattmesh::headend
