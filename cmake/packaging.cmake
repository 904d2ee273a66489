# What is installed, and how cpack makes a package for Debian 13 of it. dev/package calls it.
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS  # whatever the builder's umask
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(doc_folder "${CMAKE_INSTALL_DATADIR}/doc/tickd")
set(packaging_folder "${PROJECT_BINARY_DIR}/packaging")

install(TARGETS tickd RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")

install(FILES systemd/tickd.service systemd/tickd.socket DESTINATION lib/systemd/system)
install(FILES systemd/tickd.sysusers.conf DESTINATION lib/sysusers.d RENAME tickd.conf)
install(FILES systemd/tickd.tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME tickd.conf)
# Where the program looks, wherever it was installed itself.
install(FILES packaging/tickd.yaml DESTINATION /etc/tickd)

# Debian wants pages and changelog compressed, and the same bytes each time.
set(compressed "")
function(tickd_compressed source name)
    set(output "${packaging_folder}/${name}.gz")
    add_custom_command(OUTPUT "${output}"
        COMMAND "${CMAKE_COMMAND}" -E make_directory "${packaging_folder}"
        COMMAND sh -c "gzip -9nc \"$1\" >\"$2\"" sh "${source}" "${output}"
        DEPENDS "${source}" VERBATIM)
    set(compressed "${compressed};${output}" PARENT_SCOPE)
endfunction()
tickd_compressed("${PROJECT_BINARY_DIR}/manual/tickd.1" tickd.1)
tickd_compressed("${PROJECT_BINARY_DIR}/manual/tickd.yaml.5" tickd.yaml.5)
tickd_compressed("${PROJECT_SOURCE_DIR}/CHANGELOG.md" changelog)
# The pages are another folder's, so their rule is reached by its target.
add_custom_target(package_parts DEPENDS ${compressed})
add_dependencies(package_parts manual tickd)

install(FILES "${packaging_folder}/tickd.1.gz" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${packaging_folder}/tickd.yaml.5.gz" DESTINATION "${CMAKE_INSTALL_MANDIR}/man5")
install(FILES "${PROJECT_BINARY_DIR}/manual/tickd.bash"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME tickd)

# Laid out as in the checkout, so that links between the pages hold.
install(FILES "${packaging_folder}/changelog.gz" README.md ARCHITECTURE.md CHANGELOG.md SECURITY.md
    DESTINATION "${doc_folder}")
install(FILES LICENSE DESTINATION "${doc_folder}" RENAME copyright)
install(DIRECTORY docs sql monitoring containers DESTINATION "${doc_folder}")
install(FILES conf/tickd.yaml conf/tickd-minimal.yaml DESTINATION "${doc_folder}/conf")
install(PROGRAMS examples/feed_handler.py DESTINATION "${doc_folder}/examples")
install(FILES examples/read_ticks.cpp DESTINATION "${doc_folder}/examples")
install(PROGRAMS clients/python/read_ticks.py clients/python/verify_activity.py
    DESTINATION "${doc_folder}/clients/python")
install(FILES clients/cpp/tick_reader.h clients/cpp/tick_reader.cpp
    DESTINATION "${doc_folder}/clients/cpp")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tickd)
set(CPACK_PACKAGE_VENDOR "tickd's maintainers")
set(CPACK_PACKAGE_CONTACT "tickd's maintainers <root@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "market ticks and activity events into TimescaleDB")
set(CPACK_PACKAGE_DESCRIPTION "tickd takes market ticks and activity events as lines of JSON over TCP, \
checks every one of them, and writes them to PostgreSQL with TimescaleDB: exact, acknowledged after \
the commit, and provable afterwards.")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
# /etc is outside of the prefix.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
# Stripped while it is packaged, with what was stripped in a package of its own.
set(CPACK_STRIP_FILES OFF)
set(CPACK_DEBIAN_DEBUGINFO_PACKAGE ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)  # debug information takes xz a minute
# Each of them makes users or folders as its file says, with systemd running or without.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "postgresql-client-17 | postgresql-client")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "postgresql-17-timescaledb, prometheus, python3")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${PROJECT_SOURCE_DIR}/packaging/debian/conffiles"
    "${PROJECT_SOURCE_DIR}/packaging/debian/postinst"
    "${PROJECT_SOURCE_DIR}/packaging/debian/prerm"
    "${PROJECT_SOURCE_DIR}/packaging/debian/postrm")
include(CPack)
