// A folder that exists as long as one test does.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tests {

class temporary_folder {
public:
    temporary_folder() {
        std::string name = std::filesystem::temp_directory_path() / "tickd-test-XXXXXX";
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
        path_ = name;
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    // Writes a file and gives its path.
    [[nodiscard]] std::string file(const std::string& name, std::string_view content) const {
        const std::filesystem::path path = path_ / name;
        std::ofstream out{path, std::ios::binary};
        out << content;
        if (!out.flush()) throw std::runtime_error{"cannot write " + path.string()};
        return path;
    }

private:
    std::filesystem::path path_;
};

}  // namespace tests
