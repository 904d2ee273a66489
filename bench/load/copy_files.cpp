#include "bench/load/copy_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <format>
#include <stdexcept>
#include <utility>

#include "ingest/copy_encode.h"
#include "tests/support/daemon_process.h"

namespace bench {

namespace {

constexpr std::size_t null_field_bytes = 4;

[[noreturn]] void fail(const std::filesystem::path& path) {
    throw std::runtime_error(std::format("{}: {}", path.string(), std::strerror(errno)));
}

}  // namespace

output_file::output_file(std::filesystem::path path)
    : path_(std::move(path)), file_(std::fopen(path_.c_str(), "wbe")) {
    if (!file_) fail(path_);
}

void output_file::write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) fail(path_);
}

void output_file::close() {
    if (std::fclose(file_.release()) != 0) fail(path_);
}

copy_file::copy_file(std::filesystem::path path) : file_(std::move(path)) {
    ingest::byte_buffer header;
    ingest::begin_copy_stream(header);
    file_.write(header.view());
}

void copy_file::close() {
    ingest::byte_buffer trailer;
    ingest::end_copy_stream(trailer);
    file_.write(trailer.view());
    file_.close();
}

std::string without_last_null(std::string_view tuple) {
    std::string shorter(tuple.substr(0, tuple.size() - null_field_bytes));
    --shorter[1];  // the count of fields: big-endian, and far below 256
    return shorter;
}

mapped_file::mapped_file(const std::filesystem::path& path)
    : size_(std::filesystem::file_size(path)) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) fail(path);
    void* const mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    ::close(file);
    if (mapped == MAP_FAILED) fail(path);
    begin_ = static_cast<const char*>(mapped);
}

mapped_file::~mapped_file() { ::munmap(const_cast<char*>(begin_), size_); }

double psql_copy(const std::string& conninfo, const std::string& target,
                 const std::filesystem::path& file, const std::string& options) {
    const auto begun = std::chrono::steady_clock::now();
    const auto ended = tickd::test::run_program(
        {"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", conninfo, "-c",
         std::format("\\copy {} from '{}' {}", target, file.string(), options)});
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
    if (ended.exit_code != 0) throw std::runtime_error("psql: " + ended.err);
    return passed.count();
}

}  // namespace bench
