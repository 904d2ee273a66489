// Any text is a signed note or none, for the writer's reader and for the verifier's alike.
#include "daemon/notary/signed_note.h"
#include "tests/fuzz/fuzz_text.h"
#include "verify/signed_note.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = tickd_fuzz::text_of(data, size);
    static_cast<void>(tickd::parse_vkey(text));
    static_cast<void>(tickd::note_signer::parse(text));
    static const tickd::note_verifier nobody{.name = "example.org/log", .key = {}};
    // Nobody has the private half of a key of zeros that this test could know.
    static_cast<void>(tickd::open_note(text, nobody));
    const auto bytes = tickd::from_base64(text);
    if (bytes) tickd_fuzz::require(tickd::to_base64(*bytes) == text);
    const auto head = tickd::parse_checkpoint(text);
    if (head) tickd_fuzz::require(tickd::to_text(*head) == text);
    static_cast<void>(verify::parse_note(text));
    return 0;
}
