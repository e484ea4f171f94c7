import type { IncomingMessage } from "node:http";
import { expect, it } from "vitest";
import { shouldUpgrade } from "./should-upgrade.ts";

function ask(upgrade: string | undefined, method = "GET", minor = 1): boolean {
  return shouldUpgrade({
    method,
    headers: { upgrade },
    httpVersionMajor: 1,
    httpVersionMinor: minor,
  } as unknown as IncomingMessage);
}

it.each(["websocket", "WebSocket", "foo/2", "h2c, websocket", "TLS/1.0"])("lets %s leave HTTP", (upgrade) => {
  expect(ask(upgrade)).toBe(true);
});

it.each(["h2c", "H2C", " h2c ", "h2c,", "", undefined])("answers %j as if it had not asked", (upgrade) => {
  expect(ask(upgrade)).toBe(false);
});

it("upgrades nothing over HTTP/1.0, and always sets CONNECT apart", () => {
  expect(ask("websocket", "GET", 0)).toBe(false);
  expect(ask(undefined, "CONNECT")).toBe(true);
});
