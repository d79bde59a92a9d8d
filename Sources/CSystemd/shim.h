// libsystemd's notifications and sockets. No logic.
#ifndef CLAVIGER_CSYSTEMD_H
#define CLAVIGER_CSYSTEMD_H

#include <stdlib.h>
#include <systemd/sd-daemon.h>

#endif
