import { type DlxPeer, isConfigError, openPort, type PeerAddress, silentLogger, systemClock } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { staticPeers } from "./static-peers.ts";

function open(options: unknown) {
  const connect = ({ id, url }: PeerAddress): DlxPeer => ({
    id: `${id} at ${url}`,
    readActivity: () => Promise.reject(new Error("nobody asks")),
    fence: () => Promise.reject(new Error("nobody asks")),
  });
  const context = { id: "static", clock: systemClock, logger: silentLogger, connect };
  return openPort(staticPeers, options, context, { place: "cluster.peers.options" });
}

const a = { id: "a", url: "http://10.0.0.1:8081/" };
const b = { id: "b", url: "https://[::1]:8081/base" };

it("lists every DLX that is written, and knows which is its own", async () => {
  const peers = await open({ dlxs: [a, b], self: "b" });
  expect(peers.self).toBe("b");
  const listed = await peers.listPeers();
  expect(listed.map(({ id }) => id)).toEqual(["a at http://10.0.0.1:8081", "b at https://[::1]:8081/base"]);
});

describe("what is refused, with its place", () => {
  it.each([
    ["nobody", { dlxs: [] }, "cluster.peers.options.dlxs"],
    ["an id twice", { dlxs: [a, { ...b, id: "a" }] }, "cluster.peers.options.dlxs[1].id"],
    ["an address twice", { dlxs: [a, { ...b, url: "http://10.0.0.1:8081" }] }, "cluster.peers.options.dlxs[1].url"],
    ["no address", { dlxs: [{ id: "a", url: "10.0.0.1:8081" }] }, "cluster.peers.options.dlxs[0].url"],
    ["no id", { dlxs: [{ ...a, id: "a b" }] }, "cluster.peers.options.dlxs[0].id"],
    ["a stranger as its own", { dlxs: [a], self: "c" }, "cluster.peers.options.self"],
    ["an unknown key", { dlxs: [a], slf: "a" }, "cluster.peers.options.slf"],
  ])("%s", async (_, options, place) => {
    const error: unknown = await open(options).catch((reason: unknown) => reason);
    expect(isConfigError(error) && error.issues.map((issue) => issue.place)).toEqual([place]);
  });
});
