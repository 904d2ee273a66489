// Signs checkpoints as a notary does, with keys made from a seed: for tests that need the real key,
// a wrong one, or notes that no honest signer makes.
#pragma once

#include <string>
#include <string_view>

namespace tickd::test {

class log_signer {
public:
    // The key is made of 32 bytes of `seed`.
    log_signer(std::string name, char seed);

    [[nodiscard]] const std::string& vkey() const noexcept { return vkey_; }
    // The line `— NAME BASE64\n` over these bytes.
    [[nodiscard]] std::string signature_line(std::string_view text) const;
    // The text, a blank line, its signature.
    [[nodiscard]] std::string note(std::string_view text) const;
    // A checkpoint; the root in base64.
    [[nodiscard]] std::string checkpoint(const std::string& size, const std::string& root) const;

private:
    std::string name_, seed_, id_, vkey_;
};

}  // namespace tickd::test
