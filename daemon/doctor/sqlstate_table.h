// The table of ingest/sqlstate_policy.h for people and for programs.
#pragma once

#include <string>

namespace tickd {

// A heading and a line a rule: state or class, action, meaning; then what each action does.
[[nodiscard]] std::string sqlstate_text();

// {"rules":[{"sqlstate":"08","kind":"class","action":"reconnect","meaning":"..."},...],
//  "otherwise":"pause","actions":{"reconnect":"...",...}}
[[nodiscard]] std::string sqlstate_json();

}  // namespace tickd
