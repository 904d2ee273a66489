#include "daemon/config/yaml_bounds.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <format>
#include <sstream>

namespace tickd {

namespace {

// Some thousand listeners with every setting given.
constexpr std::size_t values_max = 100'000;

struct too_many_values {
    YAML::Mark at;
};

// Counts what it is told of and keeps nothing.
class counting_handler final : public YAML::EventHandler {
public:
    void OnDocumentStart(const YAML::Mark& at) override { begins_at_ = at; }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& at, YAML::anchor_t /*anchor*/) override { count(at); }
    void OnAlias(const YAML::Mark& at, YAML::anchor_t /*anchor*/) override { count(at); }
    void OnScalar(const YAML::Mark& at, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  const std::string& /*value*/) override {
        count(at);
    }
    void OnSequenceStart(const YAML::Mark& at, const std::string& /*tag*/,
                         YAML::anchor_t /*anchor*/, YAML::EmitterStyle::value /*style*/) override {
        count(at);
    }
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark& at, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                    YAML::EmitterStyle::value /*style*/) override {
        count(at);
    }
    void OnMapEnd() override {}

    [[nodiscard]] const YAML::Mark& begins_at() const { return begins_at_; }

private:
    void count(const YAML::Mark& at) {
        if (++count_ > values_max) throw too_many_values{at};
    }

    YAML::Mark begins_at_ = YAML::Mark::null_mark();
    std::size_t count_ = 0;
};

}  // namespace

std::optional<yaml_fault> check_yaml_bounds(const std::string& text) {
    std::istringstream in{text};
    YAML::Parser parser{in};
    counting_handler first, second;
    try {
        if (!parser.HandleNextDocument(first) || !parser.HandleNextDocument(second)) return {};
    } catch (const too_many_values& found) {
        return yaml_fault{found.at, std::format("has more than {} values in it", values_max)};
    }
    return yaml_fault{
        second.begins_at(),
        "must be a single YAML document; what begins here does not belong to the first one"};
}

}  // namespace tickd
