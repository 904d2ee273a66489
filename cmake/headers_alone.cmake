# Every header of ours compiled as the only thing in a file, so that each brings all it needs.
# Not part of the normal build: `cmake --build build/asan --target headers_alone`.
file(GLOB_RECURSE headers_alone RELATIVE "${PROJECT_SOURCE_DIR}" CONFIGURE_DEPENDS
    ingest/*.h verify/*.h daemon/*.h manual/*.h bench/*.h tests/*.h clients/*.h)

set(sources "")
foreach(header IN LISTS headers_alone)
    set(source "${PROJECT_BINARY_DIR}/headers_alone/${header}.cpp")
    file(CONFIGURE OUTPUT "${source}" CONTENT "#include \"@header@\"\n" @ONLY)
    list(APPEND sources "${source}")
endforeach()

if(sources)
    add_library(headers_alone OBJECT EXCLUDE_FROM_ALL ${sources})
    target_link_libraries(headers_alone PRIVATE tickd_daemon tick_reader tickd_flags)
    target_compile_options(headers_alone PRIVATE -O0 -g0)
    target_compile_definitions(headers_alone PRIVATE TICKD_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    if(TARGET Catch2::Catch2)
        target_link_libraries(headers_alone PRIVATE Catch2::Catch2)
    endif()
endif()
