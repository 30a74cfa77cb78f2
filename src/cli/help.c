#include "cli/help.h"

#include "cli/cli.h"

/* clang-format off */
#define HELP_SERVER \
	"Server:\n" \
	"  -u, --url URL          the server (default TAPECAST_URL, or http://127.0.0.1:8080)\n" \
	"      --token TOKEN      sent as a bearer token (default TAPECAST_TOKEN)\n" \
	"      --token-file FILE  the same, from a file: a command line can be seen by others\n" \
	"  -q, --quiet            on standard error only what went wrong\n" \
	"  -h, --help             this text\n"

const char help_tapecast[] =
	"tapecast streams events from servers to browsers: one tape, many readers.\n"
	"\n"
	"Usage: tapecast COMMAND [OPTION]...\n"
	"\n"
	"  serve   run a server             tapecast serve --dev\n"
	"  pub     publish to a stream      tapecast pub news 'hello, world'\n"
	"  sub     read streams             tapecast sub news\n"
	"  bench   measure a server         tapecast bench fanout --listeners 1000\n"
	"  token   make and check tokens    tapecast token check --key key.jwk\n"
	"  doctor  look at a Redis server   tapecast doctor --redis redis://localhost\n"
	"  help    read on                  tapecast help sub\n"
	"\n"
	"      --version  which tapecast this is\n"
	"  -h, --help     this text\n"
	"\n"
	"The first minute:\n"
	"  tapecast serve --dev                in one terminal; then open http://127.0.0.1:8080/\n"
	"  tapecast sub news                   in another\n"
	"  tapecast pub news 'hello, world'    in a third\n"
	"\n"
	"man tapecast(7) explains streams, positions and gaps.\n";

const char help_token[] =
	"Usage: tapecast token keygen --out FILE [OPTION]...\n"
	"       tapecast token mint --key FILE [OPTION]...\n"
	"       tapecast token check --key FILE [OPTION]... [TOKEN|-]\n"
	"Makes keys and tokens (JWT), and says what is wrong with a token.\n"
	"\n"
	"  tapecast token keygen --out key.jwk\n"
	"  tapecast token mint --key key.jwk --sub ada --subscribe 'chat/*' > token\n"
	"  tapecast token check --key key.jwk --subscribe chat/1 < token\n"
	"\n"
	"Key:\n"
	"      --key FILE         a JWK, a JWKS, a public key in PEM, or a secret of 32 bytes and\n"
	"                         more; check takes several\n"
	"      --jwk FILE         check: the signature alone; the payload may be anything\n"
	"      --alg ALG          keygen: HS256, HS384, HS512 or EdDSA [EdDSA]\n"
	"      --kid NAME         keygen: the key's name\n"
	"      --out FILE         keygen: a new file, for its owner alone\n"
	"\n"
	"Claims:\n"
	"      --sub NAME         mint: who the token is for\n"
	"      --subscribe WHAT   mint: a pattern of streams: a name, a start and *, {sub};\n"
	"                         check: a stream that the token must allow; several\n"
	"      --publish WHAT     the same, for publishing\n"
	"      --admin            mint: the calls for administrators too\n"
	"      --ttl SECONDS      mint: how long the token is good [3600]\n"
	"      --issuer NAME      iss: mint writes it, check wants it\n"
	"      --audience NAME    aud: mint writes it, check wants it\n"
	"      --leeway SECONDS   check: how wrong clocks may be, at most 60 [0]\n"
	"  -h, --help             this text\n";

const char help_doctor[] =
	"Usage: tapecast doctor --redis URL [--redis-password-file FILE]\n"
	"Looks at the Redis server that nodes are to share. Each finding comes with the line\n"
	"that mends it; nothing is changed.\n"
	"\n"
	"  tapecast doctor --redis redis://10.0.0.5\n"
	"\n"
	"      --redis URL        as serve is given it; else TAPECAST_REDIS\n"
	"      --redis-password-file FILE\n"
	"                         its first line; else TAPECAST_REDIS_PASSWORD_FILE\n"
	"  -h, --help             this text\n"
	"\n"
	"Exit status: 0 nothing is wrong, 1 something is, 64 usage, 69 no server answers.\n";

const char help_pub[] =
	"Usage: tapecast pub [OPTION]... STREAM [DATA|-]\n"
	"Publishes DATA as one event, or standard input as it comes, and prints the event's id.\n"
	"\n"
	"  tapecast pub news 'hello, world'\n"
	"  tapecast pub prices 4.20 --key ACME          a newer ACME may replace an older one\n"
	"  make 2>&1 | tapecast pub build/7 -           each line is an event, at once\n"
	"  tapecast pub build/7 --end complete          readers are told, and leave\n"
	"  curl -sN $URL -d @ask.json | tapecast pub chat/1 - --end complete\n"
	"                                               a model's answer, straight through\n"
	"\n"
	"With - (or no DATA) standard input goes out on one request. If its first line begins\n"
	"with event:, data:, id:, retry: or is a comment (\": ...\"), it is a stream of\n"
	"server-sent events; else each line is an event. --format says it for sure.\n"
	"\n"
	"Event:\n"
	"  -t, --type TYPE        what EventSource calls the event's type\n"
	"  -k, --key KEY          what it is about; a newer event with the key supersedes it\n"
	"      --ttl SECONDS      how long it is kept at most\n"
	"      --ephemeral        for those who listen now; not kept, no id\n"
	"      --json             DATA (or each line) is JSON; refused if it is not well-formed\n"
	"      --end STATE        then end the stream: complete, failed or cancelled.\n"
	"                         Without DATA: only that\n"
	"      --idempotency-key KEY\n"
	"                         published once, however often it is sent; each line gets a\n"
	"                         key of its own, KEY-1, KEY-2...\n"
	"      --if-match ID      only if ID is the stream's last event\n"
	"      --format FORM      of standard input: lines, ndjson or sse\n"
	"      --renew SECONDS    of standard input: how long one request lasts (default 60)\n"
	"\n" HELP_SERVER "\n"
	"Exit status: 0 published, 1 refused, 64 usage, 69 no connection.\n";

const char help_sub[] =
	"Usage: tapecast sub [OPTION]... STREAM...\n"
	"Prints what comes, one event a line. After a cut it resumes where it was.\n"
	"\n"
	"  tapecast sub news\n"
	"  tapecast sub chat/1 --from start             all that is kept, then what comes\n"
	"  tapecast sub prices --from -10 --count 10    the last ten\n"
	"  tapecast sub news sport --json | jq -r .data\n"
	"\n"
	"      --from WHERE       start, now (the default), -N (the last N), or a time such as\n"
	"                         2026-11-24T13:00:00Z\n"
	"      --after ID         what follows this event\n"
	"      --json             one JSON object a line: stream, id, type, key, time, data; the\n"
	"                         server's notices too: event (tapecast.*), id, data\n"
	"  -n, --count N          leave after N events\n"
	"      --timeout SECONDS  leave after this time\n"
	"      --no-resume        a cut is the end\n"
	"\n"
	"Standard error tells of cuts and of gaps: events that could not be given.\n"
	"\n" HELP_SERVER "\n"
	"Exit status: 0 the stream is complete (or --count, --timeout, as asked), 1 refused,\n"
	"3 the stream ended as failed, 4 as cancelled, 64 usage, 69 no connection,\n"
	"124 --timeout came before --count, 130 interrupted.\n";

const char help_bench[] =
	"Usage: tapecast bench [OPTION]... fanout|many|resume\n"
	"Measures a running server from one thread of this machine, and checks what arrives.\n"
	"\n"
	"  tapecast bench fanout --listeners 1000 --events 500 --rate 100\n"
	"  tapecast bench many --streams 500\n"
	"  tapecast bench resume --listeners 200 --events 1000\n"
	"\n"
	"  fanout   every listener reads one stream\n"
	"  many     the listeners are spread over many streams\n"
	"  resume   events are there already; all listeners come at once and read them all\n"
	"\n"
	"      --listeners N      connections that listen (default 100)\n"
	"      --events N         events published in all (default 1000)\n"
	"      --rate R           events a second; 0: as fast as they are taken (default 100)\n"
	"      --bytes B          size of an event's data, at least 48 (default 128)\n"
	"      --streams N        streams, for many (default 10)\n"
	"      --json             the result as one JSON object\n"
	"\n"
	"Latency runs from the moment an event is due to be sent until a listener has read it.\n"
	"Exit status: 0, or 1 if an event was lost, doubled or out of order.\n"
	"\n" HELP_SERVER;

/* clang-format on */

int help_print(const char *text)
{
	return cli_print(slice_of(text)) == OK ? EXIT_FINE : EXIT_INTERNAL;
}
