#include "terminal-sim/meter/image_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"

namespace wattmesh::sim {
namespace {

using cosem::image_transfer::Status;

// status and version in 64 octets, identifier and size in 128, one octet per block, the blocks
constexpr std::uint32_t magic = 0x574D4931;  // "WMI1"
constexpr std::size_t status_size = 64, header_size = 192, version_max = 32, identifier_max = 64;

std::runtime_error trouble(const std::filesystem::path& file, const std::string& why) {
    return std::runtime_error("image file " + file.string() + ": " + why);
}

Buffer status_part(const SimImage& image) {
    Writer out;
    out.u32(magic).u8(static_cast<std::uint8_t>(image.status)).i64(epoch_us(image.verified_at));
    out.u8(static_cast<std::uint8_t>(image.version.size())).bytes(as_bytes(image.version));
    Buffer part = out.take();
    part.resize(status_size);
    return part;
}

Buffer whole(const SimImage& image) {
    Buffer content = status_part(image);
    Writer out;
    out.u32(image.size).u8(static_cast<std::uint8_t>(image.identifier.size())).bytes(image.identifier);
    const Buffer header = out.take();
    content.insert(content.end(), header.begin(), header.end());
    content.resize(header_size);
    for (const bool there : image.blocks) content.push_back(there ? 1 : 0);
    content.insert(content.end(), image.octets.begin(), image.octets.end());
    return content;
}

std::optional<SimImage> decode(Bytes content) {
    SimImage image;
    Reader in{content};
    if (in.u32() != magic) return std::nullopt;
    const auto status = in.u8();
    image.verified_at = from_epoch_us(in.i64());
    const std::size_t version_size = in.u8();
    if (!in.ok() || status > static_cast<std::uint8_t>(Status::activation_failed) ||
        version_size > version_max || content.size() < header_size)
        return std::nullopt;
    image.status = static_cast<Status>(status);
    const auto version = in.bytes(version_size);
    image.version.assign(version.begin(), version.end());
    Reader rest{content.subspan(status_size)};
    image.size = rest.u32();
    const std::size_t identifier_size = rest.u8();
    if (identifier_size > identifier_max || image.size > SimImage::size_max) return std::nullopt;
    image.identifier = to_buffer(rest.bytes(identifier_size));
    const std::size_t blocks = SimImage::blocks_of(image.size);
    if (content.size() != header_size + blocks + image.size) return std::nullopt;
    for (std::size_t i = 0; i < blocks; ++i) image.blocks.push_back(content[header_size + i] == 1);
    if (image.status != Status::activation_successful)
        image.octets = to_buffer(content.subspan(header_size + blocks));
    return image;
}

}  // namespace

ImageMemory::~ImageMemory() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<SimImage> ImageMemory::restore() {
    std::ifstream in{file_, std::ios::binary};
    if (!in) return std::nullopt;
    const Buffer content{std::istreambuf_iterator<char>{in}, {}};
    auto image = decode(content);
    if (!image) throw trouble(file_, "is damaged; remove it, and the image has to be sent again");
    descriptor_ = ::open(file_.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor_ < 0) throw trouble(file_, "cannot be written");
    return image;
}

void ImageMemory::begin(const SimImage& image) {
    const auto fresh = std::filesystem::path{file_.string() + ".new"};
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor_ < 0) throw trouble(fresh, "cannot be opened");
    write(whole(image), 0);
    std::filesystem::rename(fresh, file_);
}

void ImageMemory::keep_block(const SimImage& image, std::uint32_t number) {
    const std::size_t start = std::size_t{number} * SimImage::block_size;
    const Bytes octets = Bytes{image.octets}.subspan(start);
    write(octets.first(std::min<std::size_t>(octets.size(), SimImage::block_size)),
          header_size + image.blocks.size() + start);
    const std::uint8_t there = 1;  // after the block itself
    write({&there, 1}, header_size + number);
}

void ImageMemory::keep_status(const SimImage& image) { write(status_part(image), 0); }

void ImageMemory::write(Bytes octets, std::size_t at) {
    if (::pwrite(descriptor_, octets.data(), octets.size(), static_cast<off_t>(at)) !=
        static_cast<ssize_t>(octets.size()))
        throw trouble(file_, "cannot be written any more (is the disk full?)");
}

}  // namespace wattmesh::sim
