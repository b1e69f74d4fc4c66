import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP way to a port of this machine that can be cut, whole or in one direction, without either side being told. */
export interface TcpProxy {
  port: number;
  cut(direction: 'both' | 'to-server' | 'to-client'): void;
  mend(): void;
  close(): void;
}

export async function startProxy(port: number): Promise<TcpProxy> {
  let isCut = { toServer: false, toClient: false };
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket, direction: 'toServer' | 'toClient') => {
    sockets.add(from);
    from.on('data', (chunk) => {
      if (!isCut[direction]) to.write(chunk);
    });
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    from.on('error', () => undefined);
  };
  const server: Server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    pass(client, upstream, 'toServer');
    pass(upstream, client, 'toClient');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    cut: (direction) => {
      isCut = { toServer: direction !== 'to-client', toClient: direction !== 'to-server' };
    },
    // A connection that has lost bytes is of no use to anybody.
    mend: () => {
      isCut = { toServer: false, toClient: false };
      for (const socket of sockets) socket.destroy();
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
