/* The limit of the machine: the bytes of both visits, moved by one thread and epoll, and nothing else.
 *
 * Welcome, one receive, one reply of the right shape, close. No JSON, no key, no record, no deadline: it copies what
 * came up to the secret and puts a fixed secret and the status behind it. It takes for granted that a message comes
 * in one piece and in the project's own shape, as `tandem bench` sends it. What a server costs above this is its own.
 *
 *     cc -O2 -o limit limit.c && ./limit        prints "limit: listening on 127.0.0.1:PORT", runs until killed
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, AT_ONCE = 256, ROOM = 8192, HEAD = 700 };

static const char WELCOME[] = "limit: socket connection established. Send your message.";
static const char SECRET[] = "\"secret\": \"";
static const char NO_STATUS[] = "\"status\": \"\"}"; /* how message 1 ends, and only message 1 */
static const char SECRET_AND_STATUS[] =
    "\"secret\": \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\", \"status\": ";
static const char WAITING[] = "\"waiting for message 2\"}";
static const char FINISHED[] = "\"Finished successfully\"}";

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* A listening socket on a free port of 127.0.0.1; says which on standard error. */
static int listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, BACKLOG) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) < 0)
        fail("limit: cannot listen");
    fprintf(stderr, "limit: listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    return listener;
}

static char *append(char *end, const char *text, size_t length)
{
    memcpy(end, text, length);
    return end + length;
}

/* The reply: what came before the secret, then a secret and the status that is due. Returns its length, 0 for none. */
static size_t make_reply(char *reply, const char *came, size_t length)
{
    const char *secret = memmem(came, length, SECRET, sizeof SECRET - 1);
    size_t ending = sizeof NO_STATUS - 1;
    char *end = reply;

    if (!secret || secret - came > HEAD)
        return 0;
    end = append(end, came, secret - came);
    end = append(end, SECRET_AND_STATUS, sizeof SECRET_AND_STATUS - 1);
    if (length >= ending && memcmp(came + length - ending, NO_STATUS, ending) == 0)
        end = append(end, WAITING, sizeof WAITING - 1);
    else
        end = append(end, FINISHED, sizeof FINISHED - 1);
    return end - reply;
}

static void greet_all(int poller, int listener)
{
    int client;

    while ((client = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event interest = {.events = EPOLLIN, .data.fd = client};

        send(client, WELCOME, sizeof WELCOME - 1, MSG_NOSIGNAL);
        epoll_ctl(poller, EPOLL_CTL_ADD, client, &interest);
    }
}

static void answer(int client)
{
    char came[ROOM], reply[1000];
    ssize_t length = recv(client, came, sizeof came, 0);
    size_t answered = length > 0 ? make_reply(reply, came, length) : 0;

    if (answered)
        send(client, reply, answered, MSG_NOSIGNAL | MSG_MORE); /* the end of stream rides on the reply */
    close(client);
}

int main(void)
{
    struct rlimit files;
    struct epoll_event ready[AT_ONCE];
    int listener = listen_somewhere(), poller = epoll_create1(0);
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = listener};

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &interest) < 0)
        fail("limit: epoll");
    for (;;) {
        int count = epoll_wait(poller, ready, AT_ONCE, -1);

        for (int i = 0; i < count; i++) {
            if (ready[i].data.fd == listener)
                greet_all(poller, listener);
            else
                answer(ready[i].data.fd);
        }
    }
}
