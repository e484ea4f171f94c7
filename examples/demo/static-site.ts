import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binOf } from "./bin-of.ts";
import type { DemoService } from "./demo-service.ts";

const pages = 20;

function pageText(page: number): string {
  return `<!doctype html><title>Page ${page}</title><h1>Page ${page} of ${pages}</h1>\n`;
}

/** http-server with a folder of static pages; each exchange reads one and compares every byte. */
export function staticSite(parent: string, port: number): DemoService {
  const folder = join(parent, "site");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.html"), "<!doctype html><title>Site</title><h1>Up again</h1>\n");
  for (let page = 0; page < pages; page++) writeFileSync(join(folder, `page-${page}.html`), pageText(page));
  return {
    name: "site",
    title: "http-server",
    port,
    command: [binOf("http-server"), folder, "-a", "127.0.0.1", "-p", String(port), "-c-1", "--silent"],
    warmExchanges: 30,
    sample: "/",
    async exchange(client, id, signal) {
      const page = Number(id.split("-").at(-1)) % pages;
      const { status, body, coldStart } = await client.get(`/page-${page}.html?id=${id}`, signal);
      if (status !== 200 || body !== pageText(page))
        throw new Error(`GET page ${page}: ${status} ${body.slice(0, 200)}`);
      return { coldStart };
    },
  };
}
