#include "tests/support/exposition.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <regex>
#include <stdexcept>

namespace tickd::test {

namespace {

void must(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error("exposition: " + what);
}

bool is_name(const std::string& text) {
    static const std::regex form("[a-zA-Z_:][a-zA-Z0-9_:]*");
    return std::regex_match(text, form);
}
bool is_label(const std::string& text) {
    static const std::regex form("[a-zA-Z_][a-zA-Z0-9_]*");
    return std::regex_match(text, form);
}

double number_of(std::string_view text) {
    if (text == "+Inf") return std::numeric_limits<double>::infinity();
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    must(read.ec == std::errc{} && read.ptr == text.data() + text.size(),
         "no number: " + std::string(text));
    return value;
}

bool has_all(const exposition::labels& of, const exposition::labels& wanted) {
    return std::ranges::all_of(wanted, [&](const auto& each) {
        const auto found = of.find(each.first);
        return found != of.end() && found->second == each.second;
    });
}

}  // namespace

exposition::exposition(std::string_view text) {
    must(!text.empty() && text.back() == '\n', "must end with a line end");
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        must(!line.empty(), "an empty line");
        if (line.starts_with('#')) {
            read_comment(line);
        } else {
            read_sample(line);
        }
    }
    for (const auto& [name, type] : types_) {
        if (type == "histogram") check_histogram(name);
        must(helped_.contains(name), name + " has no help");
        must((type == "counter") == name.ends_with("_total"), name + " is no name for a " + type);
    }
}

void exposition::read_comment(std::string_view line) {
    static const std::regex form("# (HELP|TYPE) ([^ ]+) (.+)");
    std::smatch part;
    const std::string text(line);
    must(std::regex_match(text, part, form), "no comment of the format: " + text);
    const std::string name = part[2];
    must(is_name(name), "no name: " + name);
    if (part[1] == "HELP") {
        must(helped_.insert(name).second, name + " is helped twice");
        open_.clear();
    } else {
        const std::string type = part[3];
        must(type == "counter" || type == "gauge" || type == "histogram", "no type: " + type);
        must(types_.emplace(name, type).second, name + " stands there twice");
        open_ = name;
    }
}

std::string exposition::family_of(const std::string& sample) const {
    if (types_.contains(open_) && types_.at(open_) == "histogram") {
        for (const std::string_view part : {"_bucket", "_sum", "_count"}) {
            if (sample == open_ + std::string(part)) return open_;
        }
        return {};
    }
    return sample;
}

void exposition::read_sample(std::string_view line) {
    const std::size_t end_of_name = line.find_first_of("{ ");
    must(end_of_name != std::string_view::npos, "no sample: " + std::string(line));
    const std::string name(line.substr(0, end_of_name));
    must(is_name(name), "no name: " + name);
    must(!open_.empty() && family_of(name) == open_,
         name + " does not stand below its own type: " + open_);
    labels of;
    std::size_t at = end_of_name;
    if (line[at] == '{') {
        ++at;
        while (line.at(at) != '}') {
            const std::size_t equals = line.find('=', at);
            must(equals != std::string_view::npos, "no label: " + std::string(line));
            const std::string label(line.substr(at, equals - at));
            must(is_label(label), "no label: " + label);
            at = equals + 1;
            must(line.at(at) == '"', "a label's value needs quotes: " + std::string(line));
            std::string value;
            for (++at; line.at(at) != '"'; ++at) {
                if (line[at] != '\\') {
                    value += line[at];
                    continue;
                }
                const char escaped = line.at(++at);
                must(escaped == 'n' || escaped == '"' || escaped == '\\', "no such escape");
                value += escaped == 'n' ? '\n' : escaped;
            }
            must(of.emplace(label, value).second, "a label twice: " + std::string(line));
            ++at;
            if (line.at(at) == ',') ++at;
        }
        ++at;
    }
    must(line.at(at) == ' ', "no space before the value: " + std::string(line));
    must(samples_[name].emplace(of, number_of(line.substr(at + 1))).second,
         "a series twice: " + std::string(line));
}

void exposition::check_histogram(const std::string& name) const {
    if (!samples_.contains(name + "_count")) {
        must(!samples_.contains(name + "_bucket"), name + " has buckets and no count");
        return;
    }
    for (const auto& [of, total] : samples_.at(name + "_count")) {
        must(has(name + "_sum", of), name + " has no sum");
        std::map<double, double> buckets;
        for (const auto& [with_bound, seen] : samples_.at(name + "_bucket")) {
            labels without = with_bound;
            must(without.erase("le") == 1, name + " has a bucket without le");
            if (without == of) buckets[number_of(with_bound.at("le"))] = seen;
        }
        must(!buckets.empty() && std::isinf(buckets.rbegin()->first), name + " has no +Inf");
        must(buckets.rbegin()->second == total, name + ": +Inf is not its count");
        double before = 0;
        for (const auto& [bound, seen] : buckets) {
            must(seen >= before, name + " is not cumulative");
            before = seen;
        }
    }
}

bool exposition::has(const std::string& name, const labels& of) const {
    const auto found = samples_.find(name);
    return found != samples_.end() && found->second.contains(of);
}

double exposition::value(const std::string& name, const labels& of) const {
    must(has(name, of), "no such sample: " + name);
    return samples_.at(name).at(of);
}

double exposition::sum(const std::string& name, const labels& of) const {
    must(samples_.contains(name), "no such samples: " + name);
    double total = 0;
    for (const auto& [given, value] : samples_.at(name)) {
        if (has_all(given, of)) total += value;
    }
    return total;
}

std::size_t exposition::count(const std::string& name, const labels& of) const {
    const auto found = samples_.find(name);
    if (found == samples_.end()) return 0;
    return static_cast<std::size_t>(std::ranges::count_if(
        found->second, [&](const auto& each) { return has_all(each.first, of); }));
}

std::set<std::string> exposition::values_of(const std::string& name,
                                            const std::string& label) const {
    std::set<std::string> values;
    const auto found = samples_.find(name);
    if (found == samples_.end()) return values;
    for (const auto& [given, value] : found->second) {
        if (const auto known = given.find(label); known != given.end()) {
            values.insert(known->second);
        }
    }
    return values;
}

}  // namespace tickd::test
