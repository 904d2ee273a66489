// Prometheus' text format, version 0.0.4, read strictly: whatever the format leaves no room for is
// an error here, so that a scraper never has to be lenient with tickd.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace tickd::test {

class exposition {
public:
    // Throws std::runtime_error, naming the line, when `text` breaks a rule.
    explicit exposition(std::string_view text);

    using labels = std::map<std::string, std::string>;

    // The sample with exactly these labels. Throws when there is none.
    [[nodiscard]] double value(const std::string& name, const labels& of = {}) const;
    [[nodiscard]] bool has(const std::string& name, const labels& of = {}) const;
    // Of all samples of that name that have these labels, and perhaps more.
    [[nodiscard]] double sum(const std::string& name, const labels& of = {}) const;
    [[nodiscard]] std::size_t count(const std::string& name, const labels& of = {}) const;
    // The values that a label has.
    [[nodiscard]] std::set<std::string> values_of(const std::string& name,
                                                  const std::string& label) const;
    // Name to type, of every family.
    [[nodiscard]] const std::map<std::string, std::string>& families() const noexcept {
        return types_;
    }

private:
    void read_comment(std::string_view line);
    void read_sample(std::string_view line);
    void check_histogram(const std::string& name) const;
    [[nodiscard]] std::string family_of(const std::string& sample) const;

    std::map<std::string, std::string> types_;
    std::set<std::string> helped_;
    std::string open_;  // the family whose samples may follow
    std::map<std::string, std::map<labels, double>> samples_;
};

}  // namespace tickd::test
