#pragma once
#include <soci/soci.h>

#include "concentrator/journal/journal_store.h"

namespace wattmesh::concentrator {

/// Tables `image` (one row at most) and `image_block`. The caller owns the transaction.
class ImageTable {
public:
    explicit ImageTable(soci::session& sql) : sql_(sql) {}

    static void create(soci::session& sql);
    std::optional<KeptImage> find();
    void put(const ImageBegun& begun);
    void put(const ImageBlockCame& block);
    void put(const ImageVerified&);

private:
    soci::session& sql_;
};

}  // namespace wattmesh::concentrator
