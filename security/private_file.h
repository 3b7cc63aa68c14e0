#pragma once
#include <filesystem>
#include <stdexcept>

#include "security/secret_buffer.h"

namespace wattmesh::security {

/// A file that cannot be used: names it, says why and what to do.
struct FileError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Writes for the owner only (0600), whole or not at all: temporary file, fsync, rename, fsync of the folder.
/// Replaces what is there. Throws FileError.
void write_private_file(const std::filesystem::path& path, Bytes content);
/// The same, but throws when the file exists already.
void create_private_file(const std::filesystem::path& path, Bytes content);

/// Throws FileError when the file is missing, longer than `size_max`, not a regular file, owned by somebody
/// else, or open to the group or others.
SecretBuffer read_private_file(const std::filesystem::path& path, std::size_t size_max = 65'536);

}  // namespace wattmesh::security
