# Writes tickd_version.h: the project's version, with the commit unless it is that release's tag.
cmake_minimum_required(VERSION 3.25)

set(text "${VERSION}")
if(GIT)
    execute_process(
        COMMAND "${GIT}" describe --tags --always --dirty
        WORKING_DIRECTORY "${SOURCE_DIR}"
        OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE
        ERROR_QUIET RESULT_VARIABLE result)
    if(result EQUAL 0 AND NOT described STREQUAL "v${VERSION}")
        string(APPEND text " (${described})")
    endif()
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" @ONLY CONTENT
"// The version of this build. Written by cmake/version.cmake.
#pragma once

#include <string_view>

namespace tickd {
inline constexpr std::string_view version_text = \"@text@\";
}  // namespace tickd
")
