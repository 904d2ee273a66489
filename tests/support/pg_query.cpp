#include "tests/support/pg_query.h"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace tickd::test {

pg_connection connect(const std::string& conninfo) {
    pg_target target;
    target.conninfo = conninfo;
    target.connect_timeout = std::chrono::seconds(30);
    auto connection = pg_connection::connect(target);
    if (!connection) throw std::runtime_error(to_text(connection.error()));
    return std::move(*connection);
}

void run(pg_connection& connection, const std::string& sql) {
    if (auto done = connection.exec(sql); !done) {
        throw std::runtime_error(to_text(done.error()) + "\nin: " + sql);
    }
}

text_rows rows(pg_connection& connection, const std::string& sql,
               std::initializer_list<pg_parameter> parameters) {
    const auto result = connection.query(sql, parameters);
    if (!result) throw std::runtime_error(to_text(result.error()) + "\nin: " + sql);
    text_rows all;
    for (int row = 0; row < result->size(); ++row) {
        std::vector<std::string> columns;
        for (int column = 0; column < result->columns(); ++column) {
            columns.emplace_back(result->is_null(row, column) ? "\\N" : result->at(row, column));
        }
        all.push_back(std::move(columns));
    }
    return all;
}

std::string one(pg_connection& connection, const std::string& sql,
                std::initializer_list<pg_parameter> parameters) {
    const text_rows all = rows(connection, sql, parameters);
    if (all.size() != 1 || all[0].size() != 1) {
        throw std::runtime_error("not one row of one column: " + sql);
    }
    return all[0][0];
}

std::string sqlstate_of(pg_connection& connection, const std::string& sql) {
    const auto done = connection.exec(sql);
    return done ? std::string() : done.error().sqlstate;
}

std::string copy_sqlstate(pg_connection& connection, const std::string& sql,
                          const std::string& lines) {
    if (auto begun = connection.copy_begin(sql); !begun) return begun.error().sqlstate;
    if (auto put = connection.copy_put(lines); !put) return put.error().sqlstate;
    const auto ended = connection.copy_end();
    return ended ? std::string() : ended.error().sqlstate;
}

void await(pg_connection& connection, const std::string& sql) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (one(connection, sql) != "t") {
        if (std::chrono::steady_clock::now() > give_up) {
            throw std::runtime_error("never became true: " + sql);
        }
        std::this_thread::yield();
    }
}

}  // namespace tickd::test
