// Finds what somebody probably meant by a name that does not exist.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tickd {

// The candidate nearest to `word`, or empty when none is near: first one whose last dotted part
// equals that of `word` (the right key in the wrong section), else the one that the fewest typing
// errors lead to, at most a third of the word.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace tickd
