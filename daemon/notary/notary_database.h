// What the notary asks of the database, as the role tickd_notary.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "daemon/db/link_cutter.h"
#include "daemon/db/pg_connection.h"
#include "ingest/activity_hash.h"
#include "ingest/activity_record.h"

namespace tickd {

struct log_head {
    std::string origin;
    std::int64_t size = 0;
    std::string root;  // hex
};

struct log_record {
    std::string text;
    std::string columns;  // tenant, tseq, first id, count, root and entry as the table has them
};

class notary_database {
public:
    explicit notary_database(pg_target target);

    // All of these end the connection when it is lost.
    [[nodiscard]] bool connected() const noexcept { return connection_.has_value(); }
    [[nodiscard]] std::expected<void, pg_error> connect();
    [[nodiscard]] std::expected<log_head, pg_error> head();
    // Records [begin, end), fewer when the table has fewer.
    [[nodiscard]] std::expected<std::vector<log_record>, pg_error> records(std::int64_t begin,
                                                                           std::int64_t end);
    // The root over the record's rows, read back and hashed again, in hex; another text when they
    // are not the rows it says.
    [[nodiscard]] std::expected<std::string, pg_error> root_of_rows(
        const ingest::activity_record& record);
    // Returns when everything that could be read so far is on the disk, of this server and of its
    // synchronous standbys.
    [[nodiscard]] std::expected<void, pg_error> make_durable();
    [[nodiscard]] std::expected<void, pg_error> append_heartbeat();
    [[nodiscard]] std::expected<void, pg_error> append_key(const std::string& vkey);
    [[nodiscard]] std::expected<void, pg_error> keep_copy(std::int64_t size,
                                                          const std::string& note);
    // Whether there are checkpoints of before.
    [[nodiscard]] std::expected<bool, pg_error> has_copies();

    // From any thread: what waits for the server fails soon, and so does everything later.
    void give_up() noexcept;

private:
    [[nodiscard]] std::expected<pg_rows, pg_error> ask(
        const std::string& sql, std::initializer_list<pg_parameter> parameters = {});
    [[nodiscard]] pg_error lost(pg_error error);

    pg_target target_;
    std::optional<pg_connection> connection_;
    ingest::activity_hasher hasher_;
    link_cutter cutter_;
};

// As `columns` of a record that stands in the table as it should.
[[nodiscard]] std::string columns_of(const ingest::activity_record& record,
                                     const std::string& text);

}  // namespace tickd
