#include "terminal-sim/field/mesh_flash.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "protocol/base/reader.h"
#include "protocol/base/writer.h"
#include "protocol/cosem/image_file.h"

namespace wattmesh::sim {
namespace {

using mesh::ImageState;
using mesh::ImageTrouble;

// state, number, size and digest in 64 octets, one octet per block, the blocks
constexpr std::uint32_t flash_magic = 0x574D4D31;  // "WMM1"
constexpr std::size_t flash_header_size = 64;

}  // namespace

MeshFlash::MeshFlash(std::filesystem::path file, Bytes vendor_key, Meter& meter, Ciphers& ciphers)
    : file_(std::move(file)), vendor_key_(to_buffer(vendor_key)), meter_(meter), ciphers_(ciphers) {
    if (!file_.empty()) restore();
    if (offer_ && state_ == ImageState::verified) judge();
}

MeshFlash::~MeshFlash() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void MeshFlash::restore() {
    std::ifstream in{file_, std::ios::binary};
    const Buffer content{std::istreambuf_iterator<char>{in}, {}};
    Reader reader{content};
    if (reader.u32() != flash_magic) return;
    const auto state = reader.u8(), trouble = reader.u8();
    mesh::ImageOffer offer{.number = reader.u32(), .size = reader.u32(), .sha256 = reader.array<32>()};
    if (!reader.ok() || state > static_cast<std::uint8_t>(ImageState::refused) || offer.size == 0 ||
        trouble > static_cast<std::uint8_t>(mesh::image_trouble_last) || offer.size > mesh::image_size_max ||
        content.size() != flash_header_size + offer.blocks() + offer.size)
        return;
    descriptor_ = ::open(file_.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor_ < 0) return;
    state_ = static_cast<ImageState>(state);
    trouble_ = static_cast<ImageTrouble>(trouble);
    for (std::size_t i = 0; i < offer.blocks(); ++i) blocks_.push_back(content[flash_header_size + i] == 1);
    octets_ = to_buffer(Bytes{content}.subspan(flash_header_size + offer.blocks()));
    offer_ = offer;
}

bool MeshFlash::begin(const mesh::ImageOffer& offer) {
    if (offer.size == 0 || offer.size > mesh::image_size_max) return false;
    offer_ = offer;
    state_ = ImageState::receiving;
    trouble_ = ImageTrouble::none;
    blocks_.assign(offer.blocks(), false);
    octets_.assign(offer.size, 0xFF);
    if (file_.empty()) return true;
    const auto fresh = std::filesystem::path{file_.string() + ".new"};
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor_ < 0) throw std::runtime_error(fresh.string() + ": cannot be opened");
    write_header();
    write(Buffer(blocks_.size() + octets_.size(), 0), flash_header_size);
    std::filesystem::rename(fresh, file_);
    return true;
}

void MeshFlash::renumber(std::uint32_t number) {
    offer_->number = number;
    write_header();
}

void MeshFlash::keep(std::uint16_t block, Bytes octets) {
    const std::size_t start = block * mesh::image_block_size;
    std::copy(octets.begin(), octets.end(), octets_.begin() + static_cast<std::ptrdiff_t>(start));
    blocks_.at(block) = true;
    write(octets, flash_header_size + blocks_.size() + start);
    const std::uint8_t there = 1;  // after the block itself
    write({&there, 1}, flash_header_size + block);
}

void MeshFlash::erase() {
    blocks_.assign(blocks_.size(), false);
    state_ = ImageState::receiving;
    write(Buffer(blocks_.size(), 0), flash_header_size);
    write_header();
}

bool MeshFlash::take_over() {
    judge();
    write_header();
    return state_ == ImageState::verified;
}

void MeshFlash::judge() {
    const auto image = cosem::SignedImage::open(octets_, vendor_key_, ciphers_);
    trouble_ = !image                                 ? ImageTrouble::not_signed
               : image->header().model != Meter::type ? ImageTrouble::other_model
                                                      : ImageTrouble::none;
    state_ = trouble_ == ImageTrouble::none ? ImageState::verified : ImageState::failed;
    if (state_ == ImageState::verified)
        meter_.hold_image(image->header().version, image->header().identifier, image->header().image_size);
}

void MeshFlash::write_header() {
    Writer out;
    out.u32(flash_magic).u8(static_cast<std::uint8_t>(state_)).u8(static_cast<std::uint8_t>(trouble_));
    out.u32(offer_->number).u32(offer_->size).bytes(offer_->sha256);
    Buffer header = out.take();
    header.resize(flash_header_size);
    write(header, 0);
}

void MeshFlash::write(Bytes octets, std::size_t at) {
    if (file_.empty()) return;
    if (::pwrite(descriptor_, octets.data(), octets.size(), static_cast<off_t>(at)) !=
        static_cast<ssize_t>(octets.size()))
        throw std::runtime_error(file_.string() + ": cannot be written any more (is the disk full?)");
}

}  // namespace wattmesh::sim
