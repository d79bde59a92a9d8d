// libsystemd's notifications, sockets and journal. No logic.
#ifndef CLAVIGER_CSYSTEMD_H
#define CLAVIGER_CSYSTEMD_H

// The journal's macros would put C's file and line into every entry.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <stdlib.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

#endif
