# CLI11 and Boost.Asio are headers that carry their whole implementation, which every file that
# includes them would compile again. Both can be compiled once instead: with CLI11 a file of
# daemon/commands costs a third of what it did.
#
# No precompiled headers: tried with g++ 14 for the standard library, Asio, spdlog and Catch2. A
# header of 100 MB takes as long to load (1 to 2 s) as it saves; a file's time goes into templates.
set(source "${PROJECT_BINARY_DIR}/generated/compiled_headers.cpp")
file(CONFIGURE OUTPUT "${source}" @ONLY CONTENT
"// The implementations of CLI11 and Boost.Asio. Written by cmake/compiled_headers.cmake.
#include <CLI/CLI.hpp>
#include <CLI/impl/App_inl.hpp>
#include <CLI/impl/Argv_inl.hpp>
#include <CLI/impl/Config_inl.hpp>
#include <CLI/impl/Encoding_inl.hpp>
#include <CLI/impl/Formatter_inl.hpp>
#include <CLI/impl/Option_inl.hpp>
#include <CLI/impl/Split_inl.hpp>
#include <CLI/impl/StringTools_inl.hpp>
#include <CLI/impl/Validators_inl.hpp>

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
")

add_library(compiled_headers STATIC "${source}")
target_compile_definitions(compiled_headers PUBLIC CLI11_COMPILE BOOST_ASIO_SEPARATE_COMPILATION)
target_link_libraries(compiled_headers
    PUBLIC Boost::headers CLI11::CLI11 OpenSSL::SSL Threads::Threads
    PRIVATE tickd_flags)
