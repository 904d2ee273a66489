#include "daemon/config/did_you_mean.h"

#include <algorithm>
#include <cstddef>

namespace tickd {

namespace {

// Longer words are no typing errors, and the work below is quadratic.
constexpr std::size_t word_bytes_max = 100;

// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
std::size_t distance(std::string_view a, std::string_view b) {
    const std::size_t columns = b.size() + 1;
    std::vector<std::size_t> cells((a.size() + 1) * columns);
    const auto cell = [&](std::size_t i, std::size_t j) -> std::size_t& {
        return cells[i * columns + j];
    };
    for (std::size_t i = 0; i <= a.size(); ++i) cell(i, 0) = i;
    for (std::size_t j = 0; j <= b.size(); ++j) cell(0, j) = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = cell(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
            std::size_t best = std::min({cell(i - 1, j) + 1, cell(i, j - 1) + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = std::min(best, cell(i - 2, j - 2) + 1);
            }
            cell(i, j) = best;
        }
    }
    return cell(a.size(), b.size());
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
    if (word.size() > word_bytes_max) return {};
    for (const std::string& candidate : candidates) {
        if (candidate != word && last_part(candidate) == last_part(word)) return candidate;
    }
    std::string best;
    std::size_t best_distance = word.size() / 3 + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t errors = distance(word, candidate);
        if (errors < best_distance) {
            best = candidate;
            best_distance = errors;
        }
    }
    return best;
}

}  // namespace tickd
