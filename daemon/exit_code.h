// What the process tells its caller: the codes of sysexits.h, listed in docs/operations.md.
#pragma once

namespace tickd {

enum class exit_code : int {
    ok = 0,
    check_failed = 1,     // a check ran and found something: db health, verify
    could_not_check = 2,  // a check could not be run to its end
    usage = 64,           // EX_USAGE: unknown option or argument
    data = 65,            // EX_DATAERR: input that cannot be used
    no_input = 66,        // EX_NOINPUT: a file that cannot be read
    unavailable = 69,     // EX_UNAVAILABLE: the database or the daemon cannot be reached
    internal = 70,        // EX_SOFTWARE: a fault of ours
    os_error = 71,        // EX_OSERR: no socket, no thread, no file descriptor
    cannot_create = 73,   // EX_CANTCREAT: an output file
    io_error = 74,        // EX_IOERR: reading or writing broke off
    try_again = 75,       // EX_TEMPFAIL: not everything was settled; run it again
    not_allowed = 77,     // EX_NOPERM: rights are missing
    config = 78,          // EX_CONFIG: the configuration is wrong; nothing was started
};

}  // namespace tickd
