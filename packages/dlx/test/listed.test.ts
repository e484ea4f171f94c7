import { type DlxPeer, type Logger, type PeerDiscovery, ScalerError, silentLogger } from "@dormouse/core";
import { afterEach, describe, expect, it } from "vitest";
import type { Passage } from "../src/gate/passage.ts";
import { ScriptedPlatform } from "./scripted-platform.ts";

let platform: ScriptedPlatform;
const warnings: { readonly fields: object; readonly text: string }[] = [];
const logger: Logger = {
  ...silentLogger,
  warn: (fields: object, text?: string) => void warnings.push({ fields, text: text ?? "" }),
};

/** A list whose entries a test changes. */
class Peers implements PeerDiscovery {
  readonly self?: string;
  ids: readonly string[] = [];
  error: Error | undefined;

  constructor(self?: string) {
    if (self !== undefined) this.self = self;
  }

  async listPeers(): Promise<readonly DlxPeer[]> {
    if (this.error !== undefined) throw this.error;
    return this.ids.map((id) => ({ id }) as DlxPeer);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** @returns ends the request once a claim was made, and not before */
async function hold(peers: PeerDiscovery): Promise<() => Promise<void>> {
  warnings.length = 0;
  platform = new ScriptedPlatform({}, undefined, { peers, logger });
  const gate = await platform.add("web");
  const passage = gate.hold({ arrivedAt: 0, signal: new AbortController().signal });
  passage.catch(() => {});
  await platform.clock.advance(1_000);
  expect(claims()).toBe(0);
  return () => finish(passage);
}

const claims = (): number => platform.calls.filter((call) => call.startsWith("setScale")).length;

async function finish(passage: Promise<Passage>): Promise<void> {
  await platform.clock.advance(2_500);
  expect(claims()).toBe(1);
  platform.start("web", "a");
  await platform.clock.advance(20);
  (await passage).end();
}

afterEach(() => platform.close());

describe("a DLX claims only once it is listed", () => {
  it("under the id that its discovery gives it", async () => {
    const peers = new Peers("pod-7");
    const finished = await hold(peers);
    peers.ids = [platform.keeper.process, "pod-1"];
    await platform.clock.advance(3_000);
    expect(claims()).toBe(0);
    peers.ids = ["pod-1", "pod-7"];
    await finished();
    expect(warnings).toEqual([]);
  });

  it("under the id of its process where that gives none", async () => {
    const peers = new Peers();
    const finished = await hold(peers);
    peers.ids = ["pod-1", platform.keeper.process];
    await finished();
    expect(warnings).toEqual([]);
  });

  it("and says once what it looks for and what it sees, when that takes longer than 5 s", async () => {
    const peers = new Peers("pod-7");
    const finished = await hold(peers);
    peers.ids = ["pod-1", "pod-2"];
    await platform.clock.advance(3_500);
    expect(warnings).toEqual([]);
    await platform.clock.advance(20_000);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.text).toContain("it looks for pod-7; listed are pod-1, pod-2");
    expect(warnings[0]?.fields).toEqual({ self: "pod-7", listed: ["pod-1", "pod-2"], count: 2 });
    peers.ids = ["pod-7"];
    await finished();
  });

  it("and says why the list cannot be read, where that is the reason", async () => {
    const peers = new Peers("pod-7");
    peers.error = new ScalerError("SCALER_FORBIDDEN", "may not list endpointslices");
    const finished = await hold(peers);
    await platform.clock.advance(8_000);
    expect(warnings[0]?.text).toContain("SCALER_FORBIDDEN: may not list endpointslices");
    peers.error = undefined;
    peers.ids = ["pod-7"];
    await finished();
  });
});
