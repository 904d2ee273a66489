# What is made at build time: the version, the embedded migrations and the status page, in <build>/generated.
set(generated_folder "${PROJECT_BINARY_DIR}/generated")
find_package(Git QUIET)

# Looks at git on every build, and rewrites the header only when the answer has changed.
add_custom_target(tickd_version
    BYPRODUCTS "${generated_folder}/tickd_version.h"
    COMMAND "${CMAKE_COMMAND}"
        "-DVERSION=${PROJECT_VERSION}"
        "-DSOURCE_DIR=${PROJECT_SOURCE_DIR}"
        "-DGIT=${GIT_EXECUTABLE}"
        "-DOUTPUT=${generated_folder}/tickd_version.h"
        -P "${PROJECT_SOURCE_DIR}/cmake/version.cmake"
    COMMENT "Looking at the version" VERBATIM)

file(GLOB migrations CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/sql/migrations/*.sql")
add_custom_command(
    OUTPUT "${generated_folder}/embedded_sql.cpp"
    COMMAND "${CMAKE_COMMAND}"
        "-DFOLDER=${PROJECT_SOURCE_DIR}/sql/migrations"
        "-DOUTPUT=${generated_folder}/embedded_sql.cpp"
        -P "${PROJECT_SOURCE_DIR}/cmake/embed_sql.cmake"
    DEPENDS ${migrations} "${PROJECT_SOURCE_DIR}/cmake/embed_sql.cmake"
        "${PROJECT_SOURCE_DIR}/cmake/embed_bytes.cmake"
    COMMENT "Embedding the migrations" VERBATIM)

file(GLOB page_files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/daemon/admin/page/*")
add_custom_command(
    OUTPUT "${generated_folder}/embedded_page.cpp"
    COMMAND "${CMAKE_COMMAND}"
        "-DFOLDER=${PROJECT_SOURCE_DIR}/daemon/admin/page"
        "-DOUTPUT=${generated_folder}/embedded_page.cpp"
        -P "${PROJECT_SOURCE_DIR}/cmake/embed_page.cmake"
    DEPENDS ${page_files} "${PROJECT_SOURCE_DIR}/cmake/embed_page.cmake"
        "${PROJECT_SOURCE_DIR}/cmake/embed_bytes.cmake"
    COMMENT "Embedding the status page" VERBATIM)

add_library(tickd_generated STATIC
    "${generated_folder}/embedded_sql.cpp" "${generated_folder}/embedded_page.cpp")
target_include_directories(tickd_generated
    PUBLIC "${PROJECT_BINARY_DIR}" "${generated_folder}"
    PRIVATE "${PROJECT_SOURCE_DIR}")
target_link_libraries(tickd_generated PRIVATE tickd_flags)
# ISO C++ promises literals of 65,536 characters only; both compilers take far longer ones.
target_compile_options(tickd_generated PRIVATE -Wno-overlength-strings)
add_dependencies(tickd_generated tickd_version)
