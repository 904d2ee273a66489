#include "ingest/json_normal_form.h"

#include <simdjson.h>

#include "ingest/json_text.h"
#include "ingest/limits.h"

namespace ingest {

verdict json_normalizer::normalize(std::string_view json, std::uint32_t depth_max,
                                   byte_buffer& out) {
    if (!simdjson::validate_utf8(json)) return verdict::not_utf8;
    const std::size_t begin = out.size();
    json_text text(json, scratch_, out, begin + limits::normal_form_bytes_max);
    const verdict read = text.whole_value(depth_max);
    if (read != verdict::accepted) out.truncate(begin);
    return read;
}

}  // namespace ingest
