#include "security/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "security/file_descriptor.h"

namespace wattmesh::security {

namespace {

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path) {
    throw FileError(what + " " + path.string() + ": " + std::generic_category().message(errno));
}

void write_all(int file, Bytes content, const std::filesystem::path& path) {
    while (!content.empty()) {
        const ssize_t count = ::write(file, content.data(), content.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) fail("cannot write", path);
        content = content.subspan(static_cast<std::size_t>(count));
    }
}

void sync_folder_of(const std::filesystem::path& path) {
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
    const FileDescriptor open_folder{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!open_folder.valid() || ::fsync(open_folder.get()) != 0)
        fail("cannot make durable the folder", folder);
}

/// The content under a temporary name beside `path`, durable.
std::filesystem::path write_beside(const std::filesystem::path& path, Bytes content) {
    std::string name = path.string() + ".XXXXXX";
    const FileDescriptor file{::mkostemp(name.data(), O_CLOEXEC)};  // mode 0600
    if (!file.valid()) fail("cannot create", name);
    try {
        write_all(file.get(), content, name);
        if (::fsync(file.get()) != 0) fail("cannot make durable", name);
    } catch (...) {
        ::unlink(name.c_str());
        throw;
    }
    return name;
}

}  // namespace

void write_private_file(const std::filesystem::path& path, Bytes content) {
    const auto beside = write_beside(path, content);
    if (::rename(beside.c_str(), path.c_str()) != 0) {
        const int reason = errno;
        ::unlink(beside.c_str());
        errno = reason;
        fail("cannot write", path);
    }
    sync_folder_of(path);
}

void create_private_file(const std::filesystem::path& path, Bytes content) {
    const auto beside = write_beside(path, content);
    const int result = ::link(beside.c_str(), path.c_str());  // unlike rename, never replaces
    const int reason = errno;
    ::unlink(beside.c_str());
    errno = reason;
    if (result != 0) fail("cannot create", path);
    sync_folder_of(path);
}

SecretBuffer read_private_file(const std::filesystem::path& path, std::size_t size_max) {
    const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!file.valid()) fail("cannot read", path);
    struct stat facts{};
    if (::fstat(file.get(), &facts) != 0) fail("cannot read", path);
    if (!S_ISREG(facts.st_mode)) throw FileError(path.string() + " is not a regular file");
    if ((facts.st_mode & 077) != 0) {
        throw FileError(path.string() + " holds secrets but others may read it: chmod 600 " + path.string());
    }
    if (facts.st_uid != ::geteuid() && facts.st_uid != 0) {
        throw FileError(path.string() +
                        " holds secrets but belongs to another user: chown it to the user of this program");
    }
    if (static_cast<std::size_t>(facts.st_size) > size_max) {
        throw FileError(path.string() + " is longer than " + std::to_string(size_max) + " octets");
    }
    Buffer content(static_cast<std::size_t>(facts.st_size));
    std::size_t done = 0;
    while (done < content.size()) {
        const ssize_t count = ::read(file.get(), content.data() + done, content.size() - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("cannot read", path);
        if (count == 0) break;
        done += static_cast<std::size_t>(count);
    }
    content.resize(done);
    return SecretBuffer{std::move(content)};
}

}  // namespace wattmesh::security
