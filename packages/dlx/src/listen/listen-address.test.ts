import { expect, it } from "vitest";
import { formatAddress, toListenOptions } from "./listen-address.ts";

it.each([
  ["127.0.0.1:8080", "127.0.0.1", 8080],
  ["localhost:0", "localhost", 0],
  ["[::1]:9000", "::1", 9000],
])("reads %s", (text, host, port) => {
  expect(toListenOptions(text)).toEqual({ host, port });
});

it("writes an address in the form in which it is read", () => {
  expect(formatAddress({ address: "127.0.0.1", family: "IPv4", port: 80 })).toBe("127.0.0.1:80");
  expect(formatAddress({ address: "::1", family: "IPv6", port: 80 })).toBe("[::1]:80");
});
