/*
 * notify: tells systemd (or whoever set NOTIFY_SOCKET) how the service stands: sd_notify(3).
 */
#ifndef TAPECAST_SERVE_NOTIFY_H
#define TAPECAST_SERVE_NOTIFY_H

/* "READY=1", "STOPPING=1". Nobody there: nothing happens. */
void notify(const char *state);

#endif
