import type { Socket } from "node:net";
import { connect, createServer } from "node:net";

/** A proxy that can stop forwarding without closing its connections, or close them all. */
export interface TcpProxy {
  readonly port: number;
  /** Stops forwarding; neither side notices. */
  cut(): void;
  /** Forwards, and accepts connections, again. */
  mend(): void;
  /** Closes all connections, and new ones until `mend`. */
  hangUp(): void;
  /** Number of new connections that were closed at once. */
  readonly refused: number;
  stop(): Promise<void>;
}

export async function tcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let isHungUp = false;
  let refused = 0;
  const server = createServer((near) => {
    if (isHungUp) {
      refused++;
      near.destroy();
      return;
    }
    const far = connect(target, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      const end = () => {
        near.destroy();
        far.destroy();
        sockets.delete(socket);
      };
      socket.on("error", end).on("close", end);
      if (isCut) socket.pause();
    }
    near.on("data", (data) => far.write(data));
    far.on("data", (data) => near.write(data));
    if (isCut) for (const socket of [near, far]) socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.pause();
    },
    hangUp() {
      isHungUp = true;
      for (const socket of sockets) socket.destroy();
    },
    get refused() {
      return refused;
    },
    mend() {
      isCut = false;
      isHungUp = false;
      for (const socket of sockets) socket.resume();
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
