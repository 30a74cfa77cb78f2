/*
 * serve: the command that runs a server.
 *
 * Thread  main: signals, what is due once in a while, start and stop.
 * Promise one line on standard output when it is ready; nothing else unless asked. The first
 *         SIGTERM or SIGINT lets listeners go over the drain window, the second ends at
 *         once. SIGHUP reads the keys again; without keys it is as SIGTERM.
 */
#ifndef TAPECAST_SERVE_SERVE_H
#define TAPECAST_SERVE_SERVE_H

/* argv[0] is the command's name. Returns the exit status: 0 ended as told, 64 wrong use, 69 cannot
 * listen, 70 anything else. */
int serve_main(int argc, char **argv);

#endif
