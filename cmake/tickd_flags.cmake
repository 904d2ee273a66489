# How our own code is compiled and linked. `tickd_flags` is linked PRIVATE by every target of ours
# and never exported: third-party headers come as SYSTEM and are not judged by it.
set(TICKD_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or thread; empty: none")

option(TICKD_FUZZ "Instrument for libFuzzer and build tests/fuzz: clang only" OFF)

add_library(tickd_flags INTERFACE)

target_compile_options(tickd_flags INTERFACE
    -Wall -Wextra -Wpedantic -Werror
    -Wconversion -Wsign-conversion -Wdouble-promotion -Wold-style-cast
    -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi
    -Wcast-align -Wformat=2 -Wimplicit-fallthrough -Wundef -Wvla
    # Stacks stay readable for perf and for the sanitizers, at no cost that we could measure.
    -fno-omit-frame-pointer
    # Files are named from the checkout's root, so binaries do not depend on where it lies.
    "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio allocates coroutines' frames by aligned_alloc and frees them by free, each behind an
    # operator of its own; g++ inlines only the one and takes them for a mismatch.
    target_compile_options(tickd_flags INTERFACE -Wno-mismatched-new-delete)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Checks the lock annotations; only clang knows them.
    target_compile_options(tickd_flags INTERFACE -Wthread-safety)
endif()

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

if(TICKD_SANITIZE)
    target_compile_options(tickd_flags INTERFACE
        "-fsanitize=${TICKD_SANITIZE}" -fno-sanitize-recover=all)
    target_link_options(tickd_flags INTERFACE "-fsanitize=${TICKD_SANITIZE}")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # The checks that the sanitizers insert mislead g++'s flow analysis into warnings about code
        # that the other builds, with the same warnings as errors, find clean.
        target_compile_options(tickd_flags INTERFACE
            -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow)
        if(TICKD_SANITIZE STREQUAL "thread")
            # Asio fences beside the locks that do the work; the sanitizer follows the locks.
            target_compile_options(tickd_flags INTERFACE -Wno-tsan)
        endif()
    endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    target_compile_options(tickd_flags INTERFACE
        -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|i.86")
        target_compile_options(tickd_flags INTERFACE -fcf-protection=full)
    endif()
    target_link_options(tickd_flags INTERFACE
        -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
endif()

if(TICKD_FUZZ)
    target_compile_options(tickd_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(NOT CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    # The standard library's own preconditions, on wherever assert is.
    target_compile_definitions(tickd_flags INTERFACE _GLIBCXX_ASSERTIONS)
endif()

find_program(TICKD_MOLD_PROGRAM mold)
if(TICKD_MOLD_PROGRAM)
    target_link_options(tickd_flags INTERFACE -fuse-ld=mold)
endif()
