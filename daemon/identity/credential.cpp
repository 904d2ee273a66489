#include "daemon/identity/credential.h"

#include <algorithm>
#include <cstddef>

namespace tickd {

bool credential::covers(std::string_view producer) const noexcept {
    return producers.empty() || std::ranges::any_of(producers, [producer](const std::string& each) {
               return matches(each, producer);
           });
}

// Only the last star is ever gone back to: what those before it took cannot be worse than any
// other.
bool matches(std::string_view pattern, std::string_view text) noexcept {
    constexpr std::size_t none = std::string_view::npos;
    std::size_t p = 0, t = 0, star = none, taken = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            taken = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != none) {
            p = star + 1;
            t = ++taken;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace tickd
