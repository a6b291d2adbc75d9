"""A server with one `selectors` loop, as tutorials have it. `selectors_port.rs` is its port.

    python3 examples/programs/selectors_port.py 127.0.0.1 7014
"""

import selectors
import socket
import sys
import types

sel = selectors.DefaultSelector()


def accept_wrapper(sock):
    conn, addr = sock.accept()
    conn.setblocking(False)
    data = types.SimpleNamespace(addr=addr, outb=b"", ended=False)
    sel.register(conn, selectors.EVENT_READ, data=data)


def service_connection(key, mask):
    sock, data = key.fileobj, key.data
    if mask & selectors.EVENT_READ:
        recv_data = sock.recv(1024)
        data.outb += recv_data.upper()
        data.ended = not recv_data
    if mask & selectors.EVENT_WRITE and data.outb:
        sent = sock.send(data.outb)
        data.outb = data.outb[sent:]
    if data.ended and not data.outb:
        sel.unregister(sock)
        sock.close()
        return
    # What waits to be sent is sent first: who does not read is not read from.
    sel.modify(sock, selectors.EVENT_WRITE if data.outb else selectors.EVENT_READ, data)


def main():
    lsock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    lsock.bind((sys.argv[1], int(sys.argv[2])))
    lsock.listen()
    print("selectors_port: listening on %s:%d" % lsock.getsockname(), flush=True)
    lsock.setblocking(False)
    sel.register(lsock, selectors.EVENT_READ, data=None)
    while True:
        for key, mask in sel.select(timeout=None):
            if key.data is None:
                accept_wrapper(key.fileobj)
                continue
            try:
                service_connection(key, mask)
            except ConnectionError:
                sel.unregister(key.fileobj)
                key.fileobj.close()


main()
