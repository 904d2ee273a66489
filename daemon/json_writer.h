// JSON written from its first byte to its last: commas and quotes come by themselves.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/json_quoted.h"

namespace tickd {

class json_writer {
public:
    json_writer& begin_object() { return open('{'); }
    json_writer& end_object() { return close('}'); }
    json_writer& begin_array() { return open('['); }
    json_writer& end_array() { return close(']'); }

    // A member's name; its value, object or array follows. `name` needs no escapes.
    json_writer& key(std::string_view name) {
        separate();
        text_.append("\"").append(name).append("\":");
        first_ = true;
        return *this;
    }

    json_writer& value(std::string_view text) { return put(json_quoted(text)); }
    json_writer& value(const char* text) { return value(std::string_view(text)); }
    json_writer& value(bool flag) { return put(flag ? "true" : "false"); }
    json_writer& value(std::integral auto number)
        requires(!std::same_as<decltype(number), bool>)
    {
        return put(std::to_string(number));
    }
    json_writer& null() { return put("null"); }
    // Nothing is null.
    template <typename T>
    json_writer& value(const std::optional<T>& maybe) {
        return maybe ? value(*maybe) : null();
    }

    template <typename T>
    json_writer& member(std::string_view name, const T& of) {
        key(name);
        return value(of);
    }

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    void separate() {
        if (!first_) text_ += ',';
        first_ = false;
    }
    json_writer& put(std::string_view token) {
        separate();
        text_ += token;
        return *this;
    }
    json_writer& open(char bracket) {
        separate();
        text_ += bracket;
        first_ = true;
        return *this;
    }
    json_writer& close(char bracket) {
        text_ += bracket;
        first_ = false;
        return *this;
    }

    std::string text_;
    bool first_ = true;
};

}  // namespace tickd
