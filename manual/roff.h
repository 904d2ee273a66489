// Text as the man macros take it.
#pragma once

#include <string>
#include <string_view>

namespace manual {

// Plain text: nothing in it is a request or an escape, and hyphens can be copied into a shell.
[[nodiscard]] std::string roff(std::string_view plain);

// The same of a piece of our Markdown: `code` and **strong** become bold, links keep their text.
[[nodiscard]] std::string roff_of_markdown(std::string_view text);

[[nodiscard]] std::string bold(std::string_view plain);
[[nodiscard]] std::string italic(std::string_view plain);

// Lines as they are, indented.
[[nodiscard]] std::string verbatim(std::string_view lines);

// `.TH`, the first line of a page. No date: the same source makes the same page.
[[nodiscard]] std::string title(std::string_view name, int section, std::string_view version);

// `.TP`: a term and what is said about it, both in roff already.
[[nodiscard]] std::string item(std::string_view term, std::string_view text);

}  // namespace manual
