# Packages out of a built release; dev/package and the test of the package use it.
# Sourced, behind common.sh.
# shellcheck shell=bash

# tickd_packages BUILD OUTPUT [VERSION]: prints the files of the packages it has made.
tickd_packages() {
    local build=$1 output=$2 version=${3:-} log=$1/cpack.log options=() file
    [ -z "$version" ] || options=(-D "CPACK_PACKAGE_VERSION=$version")
    rm -rf "$output"
    mkdir -p "$output"
    if ! cpack --config "$build/CPackConfig.cmake" -G DEB -B "$output" "${options[@]}" >"$log" 2>&1; then
        say "cpack failed ($log):"
        tail -n 20 "$log" >&2
        return 1
    fi
    rm -rf "$output/_CPack_Packages"
    # Debian's name for what cpack calls .ddeb.
    for file in "$output"/*.ddeb; do
        [ ! -e "$file" ] || mv "$file" "${file%.ddeb}.deb"
    done
    (cd "$output" && sha256sum -- *.deb >SHA256SUMS)
    ls "$output"/*.deb
}
