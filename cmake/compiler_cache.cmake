# ccache, when there is one. A second checkout finds what the first one compiled: paths below the
# checkout count as relative.
option(TICKD_CCACHE "Compile through ccache when it is installed" ON)

find_program(TICKD_CCACHE_PROGRAM ccache)
if(TICKD_CCACHE AND TICKD_CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER
        "${TICKD_CCACHE_PROGRAM}"
        "base_dir=${PROJECT_SOURCE_DIR}"
        "hash_dir=false")
endif()
