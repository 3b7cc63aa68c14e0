#include "concentrator/journal/image_table.h"

#include <algorithm>

#include "concentrator/journal/sql.h"

namespace wattmesh::concentrator {

void ImageTable::create(soci::session& sql) {
    sql << "create table if not exists image (id integer primary key check (id = 1), identifier blob, "
           "size integer not null, verified integer not null)";
    sql << "create table if not exists image_block (number integer primary key, octets blob)";
}

std::optional<KeptImage> ImageTable::find() {
    KeptImage image;
    soci::blob identifier(sql_);
    soci::indicator present = soci::i_null;
    long long size = 0;
    int verified = 0;
    sql_ << "select identifier, size, verified from image", soci::into(identifier, present), soci::into(size),
        soci::into(verified);
    if (!sql_.got_data()) return std::nullopt;
    image.identifier = sql::content(identifier, present);
    image.size = static_cast<std::uint32_t>(size);
    image.verified = verified != 0;
    image.octets.resize(image.size);
    image.blocks.resize(KeptImage::blocks_of(image.size));
    long long number = 0;
    soci::blob octets(sql_);
    soci::statement st = (sql_.prepare << "select number, octets from image_block order by number",
                          soci::into(number), soci::into(octets, present));
    st.execute();
    while (st.fetch()) {
        const Buffer block = sql::content(octets, present);
        const auto at = static_cast<std::size_t>(number);
        if (at >= image.blocks.size() || at * KeptImage::block_size + block.size() > image.octets.size())
            continue;
        std::copy(block.begin(), block.end(),
                  image.octets.begin() + static_cast<std::ptrdiff_t>(at * KeptImage::block_size));
        image.blocks[at] = true;
    }
    return image;
}

void ImageTable::put(const ImageBegun& begun) {
    sql_ << "delete from image_block";
    sql_ << "delete from image";
    soci::blob identifier(sql_);
    sql::fill(identifier, begun.identifier);
    const long long size = begun.size;
    sql_ << "insert into image (id, identifier, size, verified) values (1, :identifier, :size, 0)",
        soci::use(identifier, "identifier"), soci::use(size, "size");
}

void ImageTable::put(const ImageBlockCame& block) {
    soci::blob octets(sql_);
    sql::fill(octets, block.octets);
    const long long number = block.number;
    sql_ << "insert into image_block (number, octets) values (:number, :octets) on conflict (number) do "
            "update set octets = excluded.octets",
        soci::use(number, "number"), soci::use(octets, "octets");
}

void ImageTable::put(const ImageVerified&) { sql_ << "update image set verified = 1"; }

}  // namespace wattmesh::concentrator
