# Writes embedded_page.cpp, which implements daemon/admin/embedded_page.h, from the files of FOLDER.
cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/embed_bytes.cmake")

file(GLOB files "${FOLDER}/*")
list(SORT files)

set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS files)
    get_filename_component(name "${file}" NAME)
    c_literal(literal bytes "${file}")
    string(APPEND arrays "// ${name}\nconstexpr char file_${number}[] =\n${literal};\n\n")
    string(APPEND rows "    {\"${name}\", {file_${number}, ${bytes}}},\n")
    math(EXPR number "${number} + 1")
endforeach()
if(number EQUAL 0)
    message(FATAL_ERROR "${FOLDER} is empty")
endif()

file(WRITE "${OUTPUT}"
"// The files of daemon/admin/page, byte for byte. Written by cmake/embed_page.cmake.
#include \"daemon/admin/embedded_page.h\"

#include <span>
#include <string_view>

namespace tickd {
namespace {

${arrays}constexpr embedded_file files[] = {
${rows}};

}  // namespace

std::span<const embedded_file> embedded_page() noexcept { return files; }

}  // namespace tickd
")
