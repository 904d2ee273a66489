// What a lane's writer asks of its spool: blocks, in order, on disk while the database is away.
// Implemented over files by daemon/spool/file_spool and in memory by the simulation.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ingest/block.h"
#include "ingest/lane_database.h"

namespace ingest {

// What is kept beside a block.
struct spool_entry {
    std::int64_t number = 0;          // from 1, one after the other, never used twice in a spool
    std::optional<batch_name> doubt;  // the block may be committed already, under this name
};

class lane_spool {
public:
    virtual ~lane_spool() = default;

    // This spool's name in the ledger: sixteen bytes chosen at random when it was made.
    [[nodiscard]] virtual const uuid& name() const noexcept = 0;

    // Adds a block behind all others and gives its number. Nothing: it was not added, and nothing
    // half-added is left: the byte limit is reached or the disk is full or broken.
    [[nodiscard]] virtual std::optional<std::int64_t> append(const block& next,
                                                             std::optional<batch_name> doubt) = 0;
    // Makes durable what was appended, as far as the policy asks for it. False: it is not durable,
    // and the spool takes nothing more until the process starts anew (a failed fsync is final).
    [[nodiscard]] virtual bool sync() = 0;

    // Reads the oldest block not yet read since the last rewind. Nothing: there is none.
    [[nodiscard]] virtual std::optional<spool_entry> read(block& into) = 0;
    // Reading begins again with the oldest block that is not committed.
    virtual void rewind() = 0;
    // Everything up to `number` is in the database: its space may be given back.
    virtual void committed(std::int64_t number) = 0;

    // No block is there that is not committed.
    [[nodiscard]] virtual bool empty() const noexcept = 0;
    // The newest sequence of a producer among the blocks not committed; 0: none.
    [[nodiscard]] virtual std::uint64_t newest_seq(std::string_view producer) const = 0;
};

}  // namespace ingest
