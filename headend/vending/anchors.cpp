#include "headend/vending/anchors.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace wattmesh::headend::vending {
namespace {

constexpr std::string_view key_purpose = "vend anchor key";
constexpr const char *secret_file = "vend-anchor.key", *public_file = "vend-anchor.pub",
                     *lines_file = "vend-anchors";
constexpr Duration anchored_within = std::chrono::hours{1};  ///< of the end of a day

std::unique_ptr<PrivateKey> fresh_key(const std::filesystem::path& file, const security::MasterKey& master,
                                      Random& random, Ciphers& ciphers) {
    std::array<std::uint8_t, 32> secret{};
    std::unique_ptr<PrivateKey> key;
    while (!key) {  // of 2^32 draws about one is no key
        random.fill(secret);
        key = ciphers.private_key(Curve::p256, secret);
    }
    security::create_private_file(file, master.wrap(key_purpose, secret));
    security::wipe(secret);
    return key;
}

std::unique_ptr<PrivateKey> kept_key(const std::filesystem::path& file, const security::MasterKey& master,
                                     Ciphers& ciphers) {
    const auto wrapped = security::read_private_file(file);
    const auto secret = master.unwrap(key_purpose, wrapped.reveal());
    auto key = secret ? ciphers.private_key(Curve::p256, secret->reveal()) : nullptr;
    if (!key) throw security::FileError(file.string() + " was changed, or belongs to another master key");
    return key;
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::vector<std::string> lines;
    std::ifstream in{file};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

}  // namespace

std::string anchor_line(const database::VendAnchor& anchor) {
    return anchor_text(anchor) + " key " + to_hex(anchor.public_key) + " signature " +
           to_hex(anchor.signature);
}

namespace {

void write_line(const std::filesystem::path& file, const database::VendAnchor& anchor) {
    const auto line = anchor_line(anchor) + "\n";
    const int out = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    const auto written = out < 0 ? -1 : ::write(out, line.data(), line.size());
    // On the disk before the database says that the day is signed.
    const bool kept = written == static_cast<ssize_t>(line.size()) && ::fdatasync(out) == 0;
    if (out >= 0) ::close(out);
    if (!kept) throw security::FileError("cannot write " + file.string());
}

}  // namespace

AnchorKeeper::AnchorKeeper(std::filesystem::path folder, const security::MasterKey& master, Random& random,
                           Ciphers& ciphers)
    : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    const auto file = folder_ / secret_file;
    key_ = std::filesystem::exists(file) ? kept_key(file, master, ciphers)
                                         : fresh_key(file, master, random, ciphers);
    if (!std::filesystem::exists(folder_ / public_file))
        security::create_private_file(folder_ / public_file, as_bytes(to_hex(key_->public_key())));
}

std::optional<database::VendAnchor> AnchorKeeper::anchor(database::Connection& connection, Instant now) {
    database::VendAnchors anchors{connection};
    auto due = anchors.due(now);
    if (!due) return std::nullopt;
    due->public_key = key_->public_key();
    due->signature = key_->sign(as_bytes(anchor_text(*due)));
    database::Transaction transaction{connection};
    anchors.add(*due);
    // Before the commit: a line too many is a day that is signed again, a line too few is no witness.
    write_line(folder_ / lines_file, *due);
    transaction.commit();
    return due;
}

std::vector<std::string> anchor_troubles(database::Connection& connection, Ciphers& ciphers,
                                         const std::filesystem::path& folder, Instant now) {
    database::VendAnchors anchors{connection};
    database::VendJournal journal{connection};
    const auto all = anchors.all();
    const auto keys = lines_of(folder / public_file);
    auto kept = lines_of(folder / lines_file);
    std::vector<std::string> found;
    for (const auto& anchor : all) {
        const auto name = "the anchor of " + database::day_text(anchor.day);
        if (std::find(keys.begin(), keys.end(), to_hex(anchor.public_key)) == keys.end())
            found.push_back(name + " is signed by another key than that of " +
                            (folder / public_file).string());
        if (!ciphers.verify(Curve::p256, anchor.public_key, as_bytes(anchor_text(anchor)), anchor.signature))
            found.push_back(name + " was altered: the signature is of something else");
        if (journal.hash_of(anchor.head.number) != anchor.head.hash)
            found.push_back(name + " names another batch " + std::to_string(anchor.head.number) +
                            " than the journal of sales has: the journal was written anew");
        if (std::erase(kept, anchor_line(anchor)) == 0)
            found.push_back(name + " is not among those kept in " + (folder / lines_file).string());
    }
    for (const auto& line : kept) {
        // A crash between line and commit leaves a line whose batch was signed a second time.
        const auto text = line.substr(0, line.find(" signed "));
        if (std::none_of(all.begin(), all.end(),
                         [&](const auto& anchor) { return anchor_text(anchor).starts_with(text + " "); }))
            found.push_back("the database has no anchor any more that was signed here: " + text);
    }
    if (!all.empty() && all.back().day > std::chrono::floor<std::chrono::days>(now))
        found.push_back("the last anchor is of a day to come, " + database::day_text(all.back().day) +
                        ": the clock was set back, and no day is signed until then");
    for (const auto day : anchors.missing(now - anchored_within))
        found.push_back("what was sealed on " + database::day_text(day) +
                        " has no anchor: is 'headend serve' with the role vending running?");
    return found;
}

void begin_anchors_anew(database::Connection& connection, const std::filesystem::path& folder, Instant now) {
    const auto file = folder / lines_file;
    if (!std::filesystem::exists(file)) return;
    std::filesystem::rename(file, file.string() + "." + std::to_string(epoch_us(now) / 1'000'000));
    for (const auto& anchor : database::VendAnchors{connection}.all()) write_line(file, anchor);
}

}  // namespace wattmesh::headend::vending
