import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A loopback address of which nobody else is likely to have the port 53. */
const address = "127.53.53.53";

const typeA = 1;
const refused = 5;

/** A name server that takes its time: every name is 127.0.0.1. */
export class SlowNames implements AsyncDisposable {
  /** How long the next answers take; undefined: there are none. */
  delayMs: number | undefined = 0;
  /** It refuses to answer. */
  refuses = false;
  queries = 0;
  #isClosed = false;
  readonly #socket = createSocket("udp4");

  /** Why there can be none on this machine; undefined: there can. */
  static async whyNot(): Promise<string | undefined> {
    return SlowNames.open().then(
      (names) => names[Symbol.asyncDispose]().then(() => undefined),
      (error: unknown) => `there can be no name server on ${address}, port 53: ${String(error)}`,
    );
  }

  static async open(): Promise<SlowNames> {
    const names = new SlowNames();
    names.#socket.on("message", (query, peer) => void names.#answer(query, peer));
    names.#socket.bind(53, address);
    await once(names.#socket, "listening");
    return names;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await new Promise<void>((resolve) => void this.#socket.close(resolve));
  }

  async #answer(query: Buffer, peer: { readonly port: number; readonly address: string }): Promise<void> {
    this.queries += 1;
    const { delayMs } = this;
    if (delayMs === undefined) return;
    await sleep(delayMs);
    if (this.#isClosed) return;
    this.#socket.send(toAnswer(query, this.refuses), peer.port, peer.address);
  }
}

/** A response (RFC 1035, section 4): the question again, and for an A question one address. */
function toAnswer(query: Buffer, refuses: boolean): Buffer {
  let end = 12;
  while (query[end] !== 0) end += (query[end] ?? 0) + 1;
  const question = query.subarray(12, end + 5);
  const answers = !refuses && query.readUInt16BE(end + 1) === typeA ? 1 : 0;
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180 | (refuses ? refused : 0), 2);
  for (const [offset, count] of [1, answers, 0, 0].entries()) head.writeUInt16BE(count, 4 + 2 * offset);
  const record = Buffer.from([0xc0, 12, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
  return Buffer.concat([head, question, ...(answers === 1 ? [record] : [])]);
}

/** A command that has the process after it ask this name server alone, by files in a folder that only it sees. */
export function askingSlowNames(folder: string): readonly string[] {
  writeFileSync(join(folder, "resolv.conf"), `nameserver ${address}\noptions timeout:2 attempts:2\n`);
  writeFileSync(join(folder, "nsswitch.conf"), "hosts: files dns\n");
  const mounts = ["resolv.conf", "nsswitch.conf"].map((name) => `mount --bind '${join(folder, name)}' /etc/${name}`);
  return ["unshare", "--mount", "sh", "-c", `${mounts.join(" && ")} && exec "$@"`, "sh"];
}
