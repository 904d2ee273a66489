// What is counted for each producer, for whoever observes. Bounded: the first
// limits::producer_labels_max names have figures of their own, the rest share one set, so that a
// feed that makes up names costs neither memory here nor series in what scrapes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "daemon/serve/counters.h"
#include "ingest/limits.h"

namespace tickd {

// Added to by the session thread of the producer's lane, once per block; the shared set by those of
// all lanes.
struct producer_figures {
    counter received{};
    counter duplicates{};
    counter committed{};      // ticks and events
    counter dead_lettered{};  // committed as such
    counter seq_gaps{};
    counter watermark{};  // newest sequence known to be settled; of the shared set: 0
    // When the oldest record that is not committed was received, since 1970; 0: there is none. Of
    // the shared set: 0.
    std::atomic<std::int64_t> oldest_us{0};
};

// Any thread; locked once per producer and lane, and when it is read.
class producer_registry {
public:
    explicit producer_registry(std::size_t names_max = ingest::limits::producer_labels_max)
        : names_max_(names_max) {}

    // The figures of a name, for as long as the registry lives, and whether they are its own.
    struct entry {
        producer_figures* figures = nullptr;
        bool own = false;
    };
    [[nodiscard]] entry of(const std::string& name);

    struct named {
        std::string name;  // empty: the rest
        const producer_figures* figures = nullptr;
    };
    // In order of name, the rest last and only if there is one.
    [[nodiscard]] std::vector<named> all() const;

private:
    const std::size_t names_max_;
    mutable std::mutex mutex_;
    std::map<std::string, std::unique_ptr<producer_figures>> figures_;
    std::unique_ptr<producer_figures> rest_;
};

}  // namespace tickd
