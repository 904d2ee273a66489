// SQL in tests: the answer as text, or an exception that fails the test with the server's words.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "daemon/db/pg_connection.h"

namespace tickd::test {

// What a query gave: rows of columns, NULL as `\N`.
using text_rows = std::vector<std::vector<std::string>>;

// All of these throw std::runtime_error.
[[nodiscard]] pg_connection connect(const std::string& conninfo);
void run(pg_connection& connection, const std::string& sql);
text_rows rows(pg_connection& connection, const std::string& sql,
               std::initializer_list<pg_parameter> parameters = {});
// The only column of the only row.
[[nodiscard]] std::string one(pg_connection& connection, const std::string& sql,
                              std::initializer_list<pg_parameter> parameters = {});

// The SQLSTATE that the statement ends with; empty when it succeeds. For statements that are
// expected to be refused.
[[nodiscard]] std::string sqlstate_of(pg_connection& connection, const std::string& sql);

// A COPY ... FROM STDIN of `lines`; the SQLSTATE, empty when it succeeds.
[[nodiscard]] std::string copy_sqlstate(pg_connection& connection, const std::string& sql,
                                        const std::string& lines);

// Returns once the query, whose answer is one boolean, says `t`. Throws after 30 seconds.
void await(pg_connection& connection, const std::string& sql);

}  // namespace tickd::test
