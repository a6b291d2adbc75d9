/* An echo server on libuv's streams. Says its port, and runs until it is killed. */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* The loop is one thread, and a read is echoed before the next: one buffer serves all. */
static char shared[65536];

static void room(uv_handle_t *stream, size_t wanted, uv_buf_t *buffer) {
  (void)stream, (void)wanted;
  *buffer = uv_buf_init(shared, sizeof shared);
}

static void closed(uv_handle_t *stream) { free(stream); }

/* What the socket had no room for. */
struct rest {
  uv_write_t request;
  char bytes[];
};

static void written(uv_write_t *request, int status) {
  (void)status;
  free(request);
}

static void came(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  if (count == 0)
    return;
  if (count < 0) {
    uv_close((uv_handle_t *)stream, closed);
    return;
  }
  uv_buf_t bytes = uv_buf_init(buffer->base, (unsigned)count);
  int sent = uv_try_write(stream, &bytes, 1);
  if (sent < 0)
    sent = 0;
  if (sent < count) {
    struct rest *rest = malloc(sizeof *rest + (size_t)(count - sent));
    memcpy(rest->bytes, buffer->base + sent, (size_t)(count - sent));
    bytes = uv_buf_init(rest->bytes, (unsigned)(count - sent));
    uv_write(&rest->request, stream, &bytes, 1, written);
  }
}

static void connected(uv_stream_t *listener, int status) {
  if (status < 0)
    return;
  uv_tcp_t *stream = malloc(sizeof *stream);
  uv_tcp_init(listener->loop, stream);
  if (uv_accept(listener, (uv_stream_t *)stream) == 0) {
    uv_tcp_nodelay(stream, 1);
    uv_read_start((uv_stream_t *)stream, room, came);
  } else {
    uv_close((uv_handle_t *)stream, closed);
  }
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  uv_loop_t *loop = uv_default_loop();
  uv_tcp_t listener;
  uv_tcp_init(loop, &listener);
  struct sockaddr_in at;
  uv_ip4_addr("127.0.0.1", 0, &at);
  uv_tcp_bind(&listener, (const struct sockaddr *)&at, 0);
  if (uv_listen((uv_stream_t *)&listener, 1024, connected))
    return 1;
  int length = sizeof at;
  uv_tcp_getsockname(&listener, (struct sockaddr *)&at, &length);
  printf("port %d\n", ntohs(at.sin_port));
  fflush(stdout);
  return uv_run(loop, UV_RUN_DEFAULT);
}
