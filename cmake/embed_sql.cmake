# Writes embedded_sql.cpp, which implements daemon/db/embedded_sql.h, from FOLDER/NNNN_name.sql.
# The bytes are kept exactly, because the daemon records their checksum.
cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/embed_bytes.cmake")

file(GLOB files "${FOLDER}/*.sql")
list(SORT files COMPARE NATURAL)

set(arrays "")
set(rows "")
set(count 0)
set(last_number 0)
foreach(file IN LISTS files)
    get_filename_component(stem "${file}" NAME_WE)
    get_filename_component(file_name "${file}" NAME)
    if(NOT file_name MATCHES "^0*([1-9][0-9]*)_([a-z0-9_]+)\\.sql$")
        message(FATAL_ERROR "${file}: a migration is named NNNN_name.sql, numbered from 0001")
    endif()
    set(number "${CMAKE_MATCH_1}")
    set(name "${CMAKE_MATCH_2}")
    if(NOT number GREATER last_number)
        message(FATAL_ERROR "${file}: the number ${number} is taken")
    endif()
    set(last_number "${number}")

    c_literal(literal bytes "${file}")
    string(APPEND arrays "// ${file_name}\nconstexpr char sql_${number}[] =\n${literal};\n\n")
    string(APPEND rows "    {${number}, \"${name}\", {sql_${number}, ${bytes}}},\n")
    math(EXPR count "${count} + 1")
endforeach()

if(count EQUAL 0)
    set(table "")
    set(result "{}")
else()
    set(table "constexpr embedded_migration migrations[] = {\n${rows}};\n\n")
    set(result "migrations")
endif()
file(WRITE "${OUTPUT}"
"// The files of sql/migrations, byte for byte. Written by cmake/embed_sql.cmake.
#include \"daemon/db/embedded_sql.h\"

#include <span>
#include <string_view>

namespace tickd {
namespace {

${arrays}${table}}  // namespace

std::span<const embedded_migration> embedded_migrations() noexcept { return ${result}; }

}  // namespace tickd
")
