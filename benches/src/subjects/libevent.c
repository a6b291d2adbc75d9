/* An echo server on libevent's buffered sockets. Says its port, and runs until it is killed. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>

static void came(struct bufferevent *stream, void *unused) {
  (void)unused;
  bufferevent_write_buffer(stream, bufferevent_get_input(stream));
}

static void ended(struct bufferevent *stream, short what, void *unused) {
  (void)unused;
  if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
    bufferevent_free(stream);
}

static void accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                     int length, void *base) {
  (void)listener, (void)address, (void)length;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct bufferevent *stream = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
  bufferevent_setcb(stream, came, NULL, ended, NULL);
  bufferevent_enable(stream, EV_READ | EV_WRITE);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  struct event_base *base = event_base_new();
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct evconnlistener *listener =
      evconnlistener_new_bind(base, accepted, base, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 1024,
                              (struct sockaddr *)&at, sizeof at);
  if (!listener)
    return 1;
  socklen_t length = sizeof at;
  getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&at, &length);
  printf("port %d\n", ntohs(at.sin_port));
  fflush(stdout);
  return event_base_dispatch(base);
}
