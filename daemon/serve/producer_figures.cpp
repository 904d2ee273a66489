#include "daemon/serve/producer_figures.h"

namespace tickd {

producer_registry::entry producer_registry::of(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    if (const auto known = figures_.find(name); known != figures_.end()) {
        return {known->second.get(), true};
    }
    if (figures_.size() < names_max_) {
        auto& made = figures_[name] = std::make_unique<producer_figures>();
        return {made.get(), true};
    }
    if (!rest_) rest_ = std::make_unique<producer_figures>();
    return {rest_.get(), false};
}

std::vector<producer_registry::named> producer_registry::all() const {
    const std::scoped_lock lock(mutex_);
    std::vector<named> found;
    found.reserve(figures_.size() + 1);
    for (const auto& [name, figures] : figures_) found.push_back({name, figures.get()});
    if (rest_) found.push_back({{}, rest_.get()});
    return found;
}

}  // namespace tickd
