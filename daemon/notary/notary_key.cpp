#include "daemon/notary/notary_key.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <format>
#include <fstream>
#include <iterator>

namespace tickd {

std::expected<note_signer, std::string> read_key(const std::string& path) {
    struct stat about{};
    std::ifstream file(path, std::ios::binary);
    if (!file.is_open() || ::stat(path.c_str(), &about) != 0) {
        return std::unexpected(std::format("cannot read {}: {}", path, std::strerror(errno)));
    }
    if ((about.st_mode & 077U) != 0 && std::getenv("CREDENTIALS_DIRECTORY") == nullptr) {
        return std::unexpected(path + " may be read by others: chmod 600 it");
    }
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    auto key = note_signer::parse(text);
    if (!key) return std::unexpected(path + ' ' + key.error());
    return key;
}

std::expected<note_signer, std::string> make_key(const std::string& path, const std::string& name) {
    ed25519_bytes seed{};
    if (RAND_priv_bytes(seed.data(), static_cast<int>(seed.size())) != 1) {
        return std::unexpected("libcrypto gives no random bytes");
    }
    auto key = note_signer::make(name, seed);
    if (!key) return key;
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const std::string text = key->private_text() + '\n';
    const bool kept =
        file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(file) == 0;
    const int failure = errno;
    if (file >= 0) ::close(file);
    if (!kept) {
        return std::unexpected(std::format("cannot make {}: {}", path, std::strerror(failure)));
    }
    return key;
}

std::string key_path(const config& settings) {
    if (!settings.notary.key_file.empty()) return settings.notary.key_file;
    const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr) return {};
    const std::string credential = std::string(folder) + "/notary.key";
    return ::access(credential.c_str(), F_OK) == 0 ? credential : std::string();
}

}  // namespace tickd
