#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "protocol/cosem/image_transfer.h"
#include "protocol/dlms/date_time.h"
#include "security/private_file.h"
#include "terminal-sim/tool/command.h"
#include "terminal-sim/tool/data_text.h"
#include "terminal-sim/tool/running.h"
#include "terminal-sim/tool/session_options.h"

namespace wattmesh::sim {
namespace {

using cosem::ImageTransfer;
using platform::SettingsError;
using Path = std::filesystem::path;

Buffer read_file(const Path& file) {
    std::ifstream in{file, std::ios::binary};
    if (!in) throw std::runtime_error(file.string() + ": cannot be read");
    Buffer content{std::istreambuf_iterator<char>{in}, {}};
    if (content.size() > cosem::image_size_max + 4096)
        throw std::runtime_error(file.string() + ": is too large");
    return content;
}

int make_key(const platform::Settings& settings) {
    security::OpensslCiphers ciphers;
    security::SystemRandom random;
    std::array<std::uint8_t, 32> secret{};
    std::unique_ptr<PrivateKey> key;
    while (!key) {
        random.fill(secret);
        key = ciphers.private_key(Curve::p256, secret);
    }
    security::write_private_file(settings.required<Path>("key"), secret);
    security::wipe(secret);
    std::printf("{\"public_key\":\"%s\"}\n", to_hex(key->public_key()).c_str());
    return 0;
}

int sign(const platform::Settings& settings) {
    security::OpensslCiphers ciphers;
    const auto secret = security::read_private_file(settings.required<Path>("key"));
    const auto key = ciphers.private_key(Curve::p256, secret.reveal());
    if (!key) throw SettingsError("--key: is not a P-256 key of `image key`");
    cosem::ImageHeader header;
    header.model = settings.required<std::string>("model");
    header.version = settings.required<std::string>("version");
    header.identifier = to_buffer(as_bytes(settings.optional<std::string>("id", header.version)));
    for (const auto size : {header.model.size(), header.version.size(), header.identifier.size()})
        if (size == 0 || size > cosem::image_text_size_max)
            throw SettingsError("--model, --version, --id: have 1 to 32 characters");
    const Buffer image = read_file(settings.required<Path>("in"));
    const Buffer file = cosem::sign_image(header, image, *key, ciphers);
    std::ofstream out{settings.required<Path>("out"), std::ios::binary};
    out.write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
    out.flush();
    if (!out) throw std::runtime_error("--out: cannot be written");
    std::printf("{\"octets\":%zu,\"public_key\":\"%s\"}\n", file.size(), to_hex(key->public_key()).c_str());
    return 0;
}

void print(const cosem::ImageEvent& event) {
    std::string line = fmt::format(R"({{"event":"{}","blocks_done":{},"blocks":{})", to_string(event.kind),
                                   event.blocks_done, event.blocks);
    if (!event.reason.empty()) line += fmt::format(R"(,"reason":"{}")", json_escaped(event.reason));
    std::printf("%s}\n", line.c_str());
}

/// One association's worth of a transfer. Throws when the link breaks.
void carry(ImageTransfer& transfer, MeterSession& session, BenchCall& bench) {
    while (!transfer.finished()) {
        if (const auto pause = transfer.pause()) {
            bench.wait(*pause);
            transfer.resume_after_pause();
        }
        const auto step = transfer.next();
        if (!step) return;
        if (const auto* read = std::get_if<cosem::ReadStep>(&*step))
            transfer.answer(session.get(read->id));
        else if (const auto* write = std::get_if<cosem::WriteStep>(&*step))
            transfer.answer(session.set(write->id, write->value));
        else if (const auto* call = std::get_if<cosem::MethodCall>(&*step))
            transfer.answer(session.act(call->id, call->argument));
        while (const auto event = transfer.take_event()) print(*event);
    }
}

cosem::ImagePlan plan_of(const platform::Settings& settings, const cosem::MeterModel& model) {
    cosem::ImagePlan plan;
    plan.image_transfer = model.find(cosem::Quantity::image_transfer)->name;
    if (const auto* type = model.find(cosem::Quantity::meter_type)) plan.meter_type = type->name;
    if (const auto* schedule = model.find(cosem::Quantity::image_activation_schedule))
        plan.activation_schedule = schedule->name;
    plan.resume = settings.optional<bool>("resume", false);
    plan.pause = std::chrono::seconds{settings.optional_in<int>("pause", 10, 1, 3600)};
    if (settings.has("at")) {
        const auto at = parse_instant(settings.required<std::string>("at"));
        if (!at) throw SettingsError("--at: is neither Unix seconds nor like 2026-11-22T10:00:00Z");
        plan.activate_at = cosem::raw({.at = *at});
    }
    return plan;
}

int send(const platform::Settings& settings) {
    security::OpensslCiphers ciphers;
    const auto vendor = from_hex(settings.required<std::string>("vendor"));
    if (!vendor || vendor->size() != 64) throw SettingsError("--vendor: is not a public key of 128 digits");
    const Buffer file = read_file(settings.required<Path>("file"));
    const auto image = cosem::SignedImage::open(file, *vendor, ciphers);
    if (!image)
        throw std::runtime_error(fmt::format("the image file is {} at octet {}: nothing was sent",
                                             to_string(image.error().fault), image.error().offset));
    const LinkKind kind = link_of(settings);
    const BenchLine line = line_of(settings, kind);
    const auto& model = model_of(settings);
    const auto who = who_of(settings, model, "management");
    const auto meter = settings.required<platform::HostPort>("tcp");
    const Sap server{settings.optional<std::uint16_t>("server", management_logical_device.value)};
    const auto timeout = std::chrono::seconds{settings.optional_in<int>("timeout", 10, 1, 600)};

    ImageTransfer transfer{*image, plan_of(settings, model)};
    while (!transfer.finished()) {
        try {
            BenchCall bench{meter, kind, server, timeout, line};
            MeterSession session{bench, who};
            carry(transfer, session, bench);
            session.release();
        } catch (const std::runtime_error& trouble) {
            std::fprintf(stderr, "%s\n", trouble.what());
            transfer.interrupted();
        }
        while (const auto event = transfer.take_event()) print(*event);
    }
    return transfer.succeeded() ? 0 : 1;
}

}  // namespace

int run_image(const Call& call) {
    const std::string what = call.words.size() == 1 ? call.words.front() : "";
    if (what == "key") return make_key(call.settings);
    if (what == "sign") return sign(call.settings);
    if (what == "send") return send(call.settings);
    throw SettingsError("say one of `image key`, `image sign`, `image send`");
}

}  // namespace wattmesh::sim
