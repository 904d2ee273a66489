// Files for `psql \copy`, written piece by piece.
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace bench {

// Of COPY BINARY, see ingest/copy_encode.h.
inline constexpr std::size_t copy_header_bytes = 19;
inline constexpr std::size_t copy_trailer_bytes = 2;

// Throws std::runtime_error when a write fails.
class output_file {
public:
    explicit output_file(std::filesystem::path path);
    void write(std::string_view bytes);
    void close();
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    struct close_file {
        void operator()(std::FILE* file) const noexcept { static_cast<void>(std::fclose(file)); }
    };
    std::filesystem::path path_;
    std::unique_ptr<std::FILE, close_file> file_;
};

// One that holds a COPY BINARY stream: header and trailer come by themselves.
class copy_file {
public:
    explicit copy_file(std::filesystem::path path);
    void write(std::string_view tuples) { file_.write(tuples); }
    void close();

private:
    output_file file_;
};

// The tuple without its last field, which is NULL.
[[nodiscard]] std::string without_last_null(std::string_view tuple);

// A file's bytes, read-only, as long as this lives. Throws std::runtime_error.
class mapped_file {
public:
    explicit mapped_file(const std::filesystem::path& path);
    ~mapped_file();
    mapped_file(const mapped_file&) = delete;
    mapped_file& operator=(const mapped_file&) = delete;
    [[nodiscard]] std::string_view bytes() const noexcept { return {begin_, size_}; }

private:
    const char* begin_ = nullptr;
    std::size_t size_ = 0;
};

// Runs `psql -c "\copy TARGET from FILE FORMAT"` and gives how long that took, the start of psql
// included. Throws std::runtime_error when it fails. `target`: table and columns; `options`: behind
// the file, may be empty.
[[nodiscard]] double psql_copy(const std::string& conninfo, const std::string& target,
                               const std::filesystem::path& file, const std::string& options);

}  // namespace bench
