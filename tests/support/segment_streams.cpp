#include "tests/support/segment_streams.h"

#include <algorithm>
#include <format>
#include <stdexcept>

#include "ingest/frame_buffer.h"
#include "ingest/record_parser.h"
#include "ingest/segment_decoder.h"
#include "ingest/timestamp.h"
#include "tests/support/real_data.h"

namespace tickd::test {

using ingest::int128;

ingest::segment_tick stream_tick::view() const {
    const auto optional = [](const std::optional<std::string>& text) {
        return text ? ingest::optional_text(*text) : ingest::optional_text{};
    };
    return {.time_us = time_us,
            .bid = bid,
            .ask = ask,
            .mid = mid,
            .volume = volume,
            .symbol = symbol,
            .source = optional(source),
            .metadata = optional(metadata)};
}

std::string describe(const stream_tick& tick) {
    return std::format("{} {} {} {} {} {} {} {}", tick.time_us, ingest::to_text(tick.bid),
                       ingest::to_text(tick.ask), ingest::to_text(tick.mid),
                       tick.volume ? ingest::to_text(*tick.volume) : "-", tick.symbol,
                       tick.source.value_or("-"), tick.metadata.value_or("-"));
}

namespace {

class stream_maker {
public:
    explicit stream_maker(std::mt19937_64& random) : random_(random) {
        for (int i = 0; i < 3; ++i) unit_ *= coin() ? 1000 : 1;
        reach_ = int128{1} << below(coin() ? 20 : 64);
        volume_reach_ = coin() ? 10'000 : ingest::volume_limit - 1;
        symbols_ = one_in(3) ? 1 + below(300) : 1;
        sources_ = one_in(4) ? 1 + below(5) : 1;
        time_unit_us_ = one_in(2) ? 1 : 1000;
        gap_ = one_in(5) ? 3'000'000'000 : 1 + below(100'000);
        volume_odds_ = pick_odds();
        source_odds_ = pick_odds();
        metadata_odds_ = one_in(2) ? 0 : pick_odds();
        extreme_odds_ = one_in(5) ? 30 : 0;
        mid_odds_ = one_in(4) ? 200 : 0;
        same_time_odds_ = below(1000);
        bid_ = signed_price();
    }

    stream_tick next() {
        if (!chance(same_time_odds_)) {
            time_us_ += static_cast<std::int64_t>(below(gap_)) * time_unit_us_;
        }
        stream_tick tick{.time_us = time_us_};
        if (!constant_) bid_ += (int128{below(2001)} - 1000) * unit_;
        if (chance(2)) bid_ = signed_price();
        tick.bid = extreme(clamp(bid_));
        tick.ask = extreme(clamp(bid_ + (int128{below(300)} - 40) * unit_));
        tick.mid = ingest::mid_of(tick.bid, tick.ask);
        if (chance(mid_odds_)) tick.mid = extreme(clamp(tick.mid + int128{below(7)} - 3));
        if (chance(volume_odds_)) {
            tick.volume = volume_reach_ == 10'000 ? int128{below(10'000)} * unit_ : wide_volume();
        }
        tick.symbol = std::format("S{}", below(symbols_));
        if (chance(source_odds_)) tick.source = std::string(below(sources_) * 10, 's');
        if (chance(metadata_odds_)) {
            tick.metadata = std::format(R"({{"n": {}, "x": "{}"}})", below(1000),
                                        std::string(one_in(50) ? 20'000 : below(40), 'm'));
        }
        return tick;
    }

private:
    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    bool coin() { return one_in(2); }
    bool chance(std::uint64_t odds) { return below(1000) < odds; }
    std::uint64_t pick_odds() { return coin() ? (coin() ? 0 : 1000) : below(1000); }

    static int128 clamp(int128 price) {
        return std::clamp(price, 1 - ingest::price_limit, ingest::price_limit - 1);
    }
    int128 signed_price() {
        const int128 price = clamp(int128{below(1'000'000)} * unit_ * reach_ / 1'000'000);
        return one_in(4) ? -price : price;
    }
    int128 extreme(int128 usual) {
        if (!chance(extreme_odds_)) return usual;
        return coin() ? ingest::price_limit - 1 : 1 - ingest::price_limit;
    }
    int128 wide_volume() {
        if (one_in(10)) return coin() ? ingest::volume_limit - 1 : 0;
        const auto any = static_cast<ingest::uint128>(random_()) << 64 | random_();
        return static_cast<int128>(any % static_cast<ingest::uint128>(ingest::volume_limit));
    }

    std::mt19937_64& random_;
    int128 unit_ = 1, reach_ = 1, volume_reach_ = 0, bid_ = 0;
    std::uint64_t symbols_, sources_, gap_, volume_odds_, source_odds_, metadata_odds_,
        extreme_odds_, mid_odds_, same_time_odds_;
    std::int64_t time_unit_us_;
    std::int64_t time_us_ = 1'723'161'254'024'000 - (coin() ? 0 : 2 * 1'723'161'254'024'000);
    bool constant_ = one_in(5);
};

}  // namespace

std::vector<stream_tick> random_stream(std::mt19937_64& random, std::size_t ticks) {
    stream_maker maker(random);
    std::vector<stream_tick> made;
    made.reserve(ticks);
    for (std::size_t i = 0; i < ticks; ++i) made.push_back(maker.next());
    return made;
}

stored_segment stored(const ingest::encoded_segment& made) {
    return {.header = made.header,
            .symbol = std::string(made.header.symbol),
            .data = std::string(made.data),
            .metadata = std::string(made.metadata)};
}

std::vector<stored_segment> into_segments(ingest::segment_encoder& encoder,
                                          const std::vector<stream_tick>& ticks) {
    std::vector<stored_segment> segments;
    for (const stream_tick& tick : ticks) {
        if (encoder.add(tick.view())) continue;
        segments.push_back(stored(encoder.finish()));
        if (!encoder.add(tick.view())) throw std::runtime_error("an empty segment refused a tick");
    }
    if (!encoder.empty()) segments.push_back(stored(encoder.finish()));
    return segments;
}

ingest::tick_columns decoded(const std::vector<stored_segment>& segments, bool with_metadata) {
    ingest::tick_columns columns;
    ingest::segment_decoder decoder;
    for (const stored_segment& each : segments) {
        const auto appended =
            with_metadata ? decoder.append_with_metadata(each.data, each.metadata, {}, columns)
                          : decoder.append(each.data, {}, columns);
        if (!appended) {
            throw std::runtime_error("a segment " + std::string(to_string(appended.error())));
        }
    }
    return columns;
}

stream_tick tick_of(const ingest::tick_columns& columns, std::size_t i) {
    stream_tick tick{.time_us = columns.time_us[i],
                     .bid = columns.bid[i],
                     .ask = columns.ask[i],
                     .mid = columns.mid[i],
                     .symbol = std::string(columns.symbol[i])};
    if (columns.has_volume(i)) tick.volume = columns.volume[i];
    if (columns.source.number(i) != ingest::text_column::none) {
        tick.source = std::string(columns.source[i]);
    }
    if (!columns.metadata.ends.empty() && !columns.metadata[i].empty()) {
        tick.metadata = std::string(columns.metadata[i]);
    }
    return tick;
}

std::vector<stream_tick> recorded_ticks(const std::string& gzipped_path) {
    const std::string text = gunzip(gzipped_path);
    ingest::frame_buffer frames;
    ingest::record_parser parser(ingest::limits::line_bytes_default);
    ingest::record record;
    std::vector<stream_tick> ticks;
    std::string_view rest = text;
    while (!rest.empty()) {
        const auto room = frames.room();
        const std::size_t part = std::min(room.size(), rest.size());
        std::copy_n(rest.data(), part, room.data());
        frames.received(part);
        rest.remove_prefix(part);
        while (const auto frame = frames.next()) {
            if (!parser.parse(frame->line, {}, {}, 1'800'000'000'000'000, record).accepted()) {
                throw std::runtime_error("a recorded tick is refused");
            }
            const auto optional = [](ingest::optional_text kept) {
                return ingest::present(kept) ? std::optional{std::string(kept)} : std::nullopt;
            };
            ticks.push_back({.time_us = record.time_us,
                             .bid = record.bid,
                             .ask = record.ask,
                             .mid = record.mid,
                             .volume = record.volume,
                             .symbol = std::string(record.symbol),
                             .source = optional(record.source),
                             .metadata = optional(record.metadata)});
        }
    }
    return ticks;
}

}  // namespace tickd::test
