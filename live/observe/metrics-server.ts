import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

/** Serves metrics over HTTP, at /metrics, in the text format of Prometheus. */
export class MetricsServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws the system's error where the port is taken. */
  static async start(registry: Registry, { host, port }: { readonly host: string; readonly port: number }): Promise<MetricsServer> {
    const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000, maxHeaderSize: 8_192 }, (request, response) => {
      const path = (request.url ?? "").split("?", 1)[0];
      if (path !== "/metrics") return void response.writeHead(404, { "content-type": "text/plain" }).end("Metrics are at /metrics.\n");
      if (request.method !== "GET" && request.method !== "HEAD") return void response.writeHead(405, { allow: "GET, HEAD" }).end();
      registry.metrics().then(
        (text) => { response.writeHead(200, { "content-type": registry.contentType }).end(text); },
        () => { response.writeHead(500).end(); },
      );
    });
    server.maxConnections = 32;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
    // Whoever scrapes does not keep the process alive.
    server.unref();
    return new MetricsServer(server);
  }

  /** http://HOST:PORT/metrics */
  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}/metrics`;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => { this.#server.close(() => resolve()); });
    this.#server.closeAllConnections();
    await closed;
  }
}
