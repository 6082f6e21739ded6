/* The load: whole exchanges with one server on this machine, many at a time, in one thread. For Linux.
 *
 * An exchange is two visits, each on a connection of its own. A visit does what a student's program does: connect, read
 * the welcome, send the message in one piece, read the reply up to the end of the stream, close. Message 2 is made from
 * the reply to message 1: numbers swapped, client id 2, secret and status as they came. Every byte of a reply is
 * checked. This must cost less than the server that it measures, so it knows only the spelling of JSON that this
 * project and its peers write.
 *
 *     cc -O2 -o load load.c && ./load 127.0.0.1:PORT COUNT CONCURRENCY TAG SECONDS
 *
 * TAG is a number that no other run has: it makes the teams of this run new to the server. Ends after COUNT exchanges,
 * or after SECONDS; those that are not over by then have failed. Prints one JSON object. Exit code 0, or 2 if the
 * arguments are wrong.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_COUNT = 1000000,
    MAX_CONCURRENCY = 4096,
    MAX_SECONDS = 600,
    MAX_TAG = 0x7fffffff,
    BATCH = 256,        /* sockets that one epoll_wait reports */
    SECRET_DIGITS = 64,
    HEAD_SIZE = 400,
    MESSAGE_SIZE = 600, /* a head, the longest status and a secret fit */
    RECEIVE_SIZE = 2048 /* a welcome has at most 200 bytes, a reply at most 1,000 */
};

static const char ADDRESS_PREFIX[] = "127.0.0.1:";
static const char WELCOME_WORD[] = "connection";
static const char WAITING[] = "waiting for message 2";
static const char FINISHED[] = "Finished successfully";

struct exchange {
    int socket;
    int visit; /* 1 or 2 */
    int message_sent;
    long started_ns;
    unsigned long number;
    char secret[SECRET_DIGITS + 1]; /* "" until a reply brings it */
    char head[HEAD_SIZE];           /* how the message and its reply begin: everything before the secret */
    char received[RECEIVE_SIZE];
    size_t received_length;
};

static struct sockaddr_in server = {.sin_family = AF_INET};
static int poller;
static unsigned long tag, count, begun, finished, failed;
static long *durations_ns;              /* one for each finished exchange */
static const char *first_failure = ""; /* why the first failed exchange failed */

static void die(const char *what, int code)
{
    fprintf(stderr, "load: %s\n", what);
    exit(code);
}

static long now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

/* The head of the message of this visit. Numbers, team and class are new with each TAG and exchange. */
static void write_head(struct exchange *exchange)
{
    unsigned long mixed = tag + exchange->number;
    unsigned long numbers[2] = {1000000 + mixed % 4000000, 5500000 + mixed / 4000000 % 4000000};
    int is_second = exchange->visit == 2;

    snprintf(exchange->head, sizeof exchange->head,
             "{\"studentnr1\": \"%lu\", \"studentnr2\": \"%lu\", \"classname\": \"BENCH\", \"clientid\": %d, "
             "\"teamname\": \"load %lx %lu\", \"ip\": \"127.0.0.1\", \"secret\": \"",
             numbers[is_second], numbers[!is_second], exchange->visit, tag, exchange->number);
}

/* Open the connection of this visit. Return 0 if that fails at once. */
static int connect_visit(struct exchange *exchange)
{
    struct epoll_event interest = {.events = EPOLLIN, .data.ptr = exchange};

    write_head(exchange);
    exchange->message_sent = 0;
    exchange->received_length = 0;
    exchange->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (exchange->socket < 0)
        die("no socket can be had", 1);
    if (connect(exchange->socket, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS) {
        close(exchange->socket);
        return 0;
    }
    epoll_ctl(poller, EPOLL_CTL_ADD, exchange->socket, &interest);
    return 1;
}

static void note_failure(const char *why)
{
    failed++;
    if (!*first_failure)
        first_failure = why;
}

/* Begin the next exchange in this place, if there is one left. */
static void begin_next(struct exchange *exchange)
{
    while (begun < count) {
        exchange->number = begun++;
        exchange->visit = 1;
        exchange->secret[0] = '\0';
        exchange->started_ns = now_ns();
        if (connect_visit(exchange))
            return;
        note_failure("the connection was refused");
    }
}

static void fail(struct exchange *exchange, const char *why)
{
    close(exchange->socket);
    note_failure(why);
    begin_next(exchange);
}

static void send_message(struct exchange *exchange)
{
    char message[MESSAGE_SIZE];
    const char *status = exchange->visit == 1 ? "" : WAITING;
    int length = snprintf(message, sizeof message, "%s%s\", \"status\": \"%s\"}", exchange->head, exchange->secret, status);

    exchange->message_sent = 1;
    if (send(exchange->socket, message, length, MSG_NOSIGNAL) != length)
        fail(exchange, "the message could not be sent");
}

/* Whether the reply is the right one. Keep the secret that it brings. */
static int is_right_reply(struct exchange *exchange, const char *reply, size_t length)
{
    char expected_end[100], secret[SECRET_DIGITS + 1];
    size_t head_length = strlen(exchange->head);
    int end_length = snprintf(expected_end, sizeof expected_end, "\", \"status\": \"%s\"}",
                              exchange->visit == 1 ? WAITING : FINISHED);

    if (length != head_length + SECRET_DIGITS + end_length || memcmp(reply, exchange->head, head_length) != 0 ||
        memcmp(reply + head_length + SECRET_DIGITS, expected_end, end_length) != 0)
        return 0;
    memcpy(secret, reply + head_length, SECRET_DIGITS);
    secret[SECRET_DIGITS] = '\0';
    if (strspn(secret, "0123456789abcdef") != SECRET_DIGITS)
        return 0;
    if (exchange->visit == 2)
        return strcmp(secret, exchange->secret) == 0;
    strcpy(exchange->secret, secret);
    return 1;
}

/* The server has ended its side: check the reply, then go on to visit 2 or to the next exchange. */
static void end_visit(struct exchange *exchange)
{
    const char *reply = memchr(exchange->received, '{', exchange->received_length);

    if (!reply) {
        fail(exchange, "the server closed without a reply");
    } else if (!is_right_reply(exchange, reply, exchange->received + exchange->received_length - reply)) {
        fail(exchange, "the reply is not the right one");
    } else {
        close(exchange->socket);
        if (exchange->visit == 2) {
            durations_ns[finished++] = now_ns() - exchange->started_ns;
            begin_next(exchange);
            return;
        }
        exchange->visit = 2;
        if (!connect_visit(exchange)) {
            note_failure("the connection was refused");
            begin_next(exchange);
        }
    }
}

static void receive(struct exchange *exchange)
{
    ssize_t length = recv(exchange->socket, exchange->received + exchange->received_length,
                          RECEIVE_SIZE - exchange->received_length, 0);

    if (length > 0) {
        exchange->received_length += length;
        if (exchange->received_length == RECEIVE_SIZE)
            fail(exchange, "the reply is too long");
        else if (!exchange->message_sent &&
                 memmem(exchange->received, exchange->received_length, WELCOME_WORD, sizeof WELCOME_WORD - 1))
            send_message(exchange);
    } else if (length == 0) {
        end_visit(exchange);
    } else if (errno == ECONNREFUSED) {
        fail(exchange, "the connection was refused");
    } else if (errno != EAGAIN) {
        fail(exchange, "the connection was reset");
    }
}

static int compare_longs(const void *left, const void *right)
{
    long difference = *(const long *)left - *(const long *)right;

    return (difference > 0) - (difference < 0);
}

/* The durations must be in order. */
static double percentile_ms(unsigned percent)
{
    return finished ? durations_ns[(finished - 1) * percent / 100] / 1e6 : 0.0;
}

static unsigned long parse_number(const char *text, unsigned long least, unsigned long most)
{
    char *end;
    unsigned long number;

    errno = 0;
    number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || number < least || number > most)
        die("wrong usage: an argument is not a number, or too small or too large", 2);
    return number;
}

/* Run exchanges until all are over or the time is. */
static void run(unsigned long concurrency, long until_ns)
{
    struct epoll_event ready[BATCH];
    struct exchange *exchanges = calloc(concurrency, sizeof *exchanges);
    long left_ns;

    if (!exchanges)
        die("out of memory", 1);
    for (unsigned long place = 0; place < concurrency; place++)
        begin_next(&exchanges[place]);
    while (finished + failed < count && (left_ns = until_ns - now_ns()) > 0) {
        int ready_count = epoll_wait(poller, ready, BATCH, left_ns / 1000000 + 1);

        for (int i = 0; i < ready_count; i++)
            receive(ready[i].data.ptr);
    }
    if (finished + failed < count && !*first_failure)
        first_failure = "the time was over";
    free(exchanges);
}

static void report(double seconds)
{
    qsort(durations_ns, finished, sizeof *durations_ns, compare_longs);
    printf("{\"finished\": %lu, \"failed\": %lu, \"first_failure\": \"%s\", \"seconds\": %.6f, \"p50_ms\": %.3f, "
           "\"p99_ms\": %.3f}\n",
           finished, count - finished, first_failure, seconds, percentile_ms(50), percentile_ms(99));
}

int main(int argc, char **argv)
{
    struct rlimit files;
    unsigned long concurrency;
    long seconds, started_ns;

    if (argc != 6)
        die("usage: load 127.0.0.1:PORT COUNT CONCURRENCY TAG SECONDS", 2);
    if (strncmp(argv[1], ADDRESS_PREFIX, sizeof ADDRESS_PREFIX - 1) != 0)
        die("only a server at 127.0.0.1:PORT can be loaded", 2);
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = htons(parse_number(argv[1] + sizeof ADDRESS_PREFIX - 1, 1, 65535));
    count = parse_number(argv[2], 1, MAX_COUNT);
    concurrency = parse_number(argv[3], 1, MAX_CONCURRENCY);
    tag = parse_number(argv[4], 0, MAX_TAG);
    seconds = parse_number(argv[5], 1, MAX_SECONDS);

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    poller = epoll_create1(0);
    durations_ns = calloc(count, sizeof *durations_ns);
    if (poller < 0 || !durations_ns)
        die("out of memory", 1);

    started_ns = now_ns();
    run(concurrency, started_ns + seconds * 1000000000L);
    report((now_ns() - started_ns) / 1e9);
    return 0;
}
