// Moves whole blocks from one thread to one other, without locks: Boost's single-producer,
// single-consumer queue, made to carry ownership.
//
// A ring never has to refuse in a running lane: it holds as many blocks as the lane's pool. What
// stops a session is having no spare block left, and then TCP pushes back.
#pragma once

// std::atomic in place of Boost's own, which ThreadSanitizer cannot see into.
#define BOOST_LOCKFREE_FORCE_STD_ATOMIC
#include <boost/lockfree/policies.hpp>
#include <boost/lockfree/spsc_queue.hpp>

#include <memory>

#include "ingest/block.h"
#include "ingest/limits.h"

namespace ingest {

class block_ring {
public:
    block_ring() = default;
    block_ring(const block_ring&) = delete;
    block_ring& operator=(const block_ring&) = delete;
    ~block_ring() {
        while (try_pop()) {
        }
    }

    // Filling thread only. True: the ring owns the block. False: full, and the caller keeps it.
    [[nodiscard]] bool try_push(std::unique_ptr<block>& full) noexcept {
        if (!queue_.push(full.get())) return false;
        static_cast<void>(full.release());
        return true;
    }

    // Draining thread only. Null when there is nothing to take.
    [[nodiscard]] std::unique_ptr<block> try_pop() noexcept {
        block* taken = nullptr;
        return queue_.pop(taken) ? std::unique_ptr<block>(taken) : nullptr;
    }

    // Draining thread only: how many blocks wait at least.
    [[nodiscard]] std::size_t waiting() const noexcept { return queue_.read_available(); }

private:
    boost::lockfree::spsc_queue<block*, boost::lockfree::capacity<limits::blocks_per_lane>> queue_;
};

}  // namespace ingest
