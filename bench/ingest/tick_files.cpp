#include "bench/ingest/tick_files.h"

#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/load/copy_files.h"
#include "ingest/batch.h"
#include "ingest/block.h"
#include "ingest/copy_encode.h"
#include "ingest/record_parser.h"
#include "ingest/timestamp.h"
#include "ingest/verdict.h"

namespace bench {

namespace {

// A field of COPY's text format.
void append_text_field(std::string_view text, std::string& to) {
    if (!ingest::present(text)) {
        to += "\\N";
        return;
    }
    for (const char c : text) {
        switch (c) {
            case '\\': to += "\\\\"; break;
            case '\t': to += "\\t"; break;
            case '\n': to += "\\n"; break;
            case '\r': to += "\\r"; break;
            default: to += c;
        }
    }
}

void append_text_row(const ingest::block& in, const ingest::tick_row& row, std::string& to) {
    to += ingest::to_rfc3339(row.time_us);
    to += '\t';
    append_text_field(in.text(row.symbol), to);
    for (const ingest::int128 price : {row.bid, row.ask, row.mid}) {
        to.append("\t").append(ingest::to_text(price));
    }
    to.append("\t").append(row.has_volume ? ingest::to_text(row.volume) : "\\N");
    for (const ingest::text_ref text : {row.source, row.metadata}) {
        to += '\t';
        append_text_field(in.text(text), to);
    }
    to += '\n';
}

class file_maker {
public:
    explicit file_maker(const std::filesystem::path& folder)
        : lines_(folder / "ticks.ndjson"),
          text_(folder / "arrival.txt"),
          arrival_(folder / "arrival.copy"),
          sorted_(folder / "sorted.copy") {
        files_.lines = folder / "ticks.ndjson";
        files_.text = folder / "arrival.txt";
        files_.arrival = folder / "arrival.copy";
        files_.sorted = folder / "sorted.copy";
    }

    void add(std::string_view line) {
        lines_.write(line);
        padded_.assign(line).append(ingest::line_padding_bytes, ' ');
        const std::string_view bare(padded_.data(), line.size() - 1);
        ingest::record record;
        const ingest::refusal refused = parser_.parse(bare, {}, {}, latest_us, record);
        if (!refused.accepted() || record.kind != ingest::record_kind::tick) {
            throw std::runtime_error("not a tick that tickd takes: " + std::string(bare));
        }
        if (!block_) {
            block_ = std::make_unique<ingest::block>();
            static_cast<void>(block_->add_origin({.session_id = 1}));
        }
        block_->keep(record, bare, latest_us, 0);
        write_arrival(block_->ticks().back());
        ++files_.rows;
        if (!block_->has_room()) finish_block();
    }

    [[nodiscard]] tick_files finish() {
        if (block_) finish_block();
        finish_batch();
        lines_.close();
        text_.close();
        arrival_.close();
        sorted_.close();
        return std::move(files_);
    }

private:
    // Later than any tick: nothing is refused for being ahead of its time.
    static constexpr std::int64_t latest_us = 4'102'444'800'000'000;

    void write_arrival(const ingest::tick_row& row) {
        tuple_.clear();
        ingest::append_tick(*block_, row, tuple_);
        const std::string mission_tuple = without_last_null(tuple_.view());
        arrival_.write(mission_tuple);
        files_.expected.add(mission_tuple);
        text_row_.clear();
        append_text_row(*block_, row, text_row_);
        text_.write(text_row_);
    }

    void finish_block() {
        batch_.add(std::exchange(block_, nullptr));
        if (!batch_.has_room(ingest::limits::batch_rows_max)) finish_batch();
    }

    void finish_batch() {
        if (batch_.empty()) return;
        batch_.prepare(ingest::segments_wanted::no);
        std::string_view stream = batch_.tick_stream();
        stream.remove_prefix(copy_header_bytes);
        stream.remove_suffix(copy_trailer_bytes);
        sorted_.write(stream);
        static_cast<void>(batch_.release());
    }

    tick_files files_;
    output_file lines_, text_;
    copy_file arrival_, sorted_;
    ingest::record_parser parser_{ingest::limits::line_bytes_default};
    std::unique_ptr<ingest::block> block_;
    ingest::batch batch_;
    ingest::byte_buffer tuple_;
    std::string padded_, text_row_;
};

}  // namespace

tick_files make_tick_files(const tick_workload& of, std::uint64_t rows_max,
                           const std::filesystem::path& folder,
                           const std::function<void(std::uint64_t)>& progress) {
    file_maker maker(folder);
    std::uint64_t made = 0;
    each_line(of, rows_max, [&](std::string_view line) {
        maker.add(line);
        if (++made % 1024 == 0) progress(made);
    });
    return maker.finish();
}

}  // namespace bench
