#include "daemon/admin/status_page.h"

#include <string>
#include <string_view>

#include "daemon/admin/embedded_page.h"

namespace tickd {

namespace {

constexpr std::string_view page_file = "status.html";

// Nothing from elsewhere, nothing inline, in nobody's frame: a name that a producer chose stays a
// name, whatever is in it.
constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for "
    "'script'";

[[nodiscard]] std::string content_type_of(std::string_view name) {
    if (name.ends_with(".html")) return "text/html; charset=utf-8";
    if (name.ends_with(".css")) return "text/css; charset=utf-8";
    if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
    if (name.ends_with(".svg")) return "image/svg+xml";
    return "application/octet-stream";
}

}  // namespace

void add_status_page(admin_server& to) {
    for (const embedded_file& each : embedded_page()) {
        const std::string path = each.name == page_file ? "/" : "/" + std::string(each.name);
        to.add(path, audience::anybody, [each] {
            return admin_page{.status = 200,
                              .content_type = content_type_of(each.name),
                              .body = std::string(each.bytes),
                              .headers = {{"Content-Security-Policy", std::string(policy)},
                                          {"Referrer-Policy", "no-referrer"}}};
        });
    }
}

}  // namespace tickd
