import { describe, expect, it } from "vitest";
import { toHostName } from "./host-name.ts";

describe("toHostName", () => {
  it.each([
    ["app.example.com", "app.example.com"],
    ["App.EXAMPLE.com", "app.example.com"],
    ["app.example.com:8080", "app.example.com"],
    ["app.example.com:", "app.example.com"],
    ["app.example.com.", "app.example.com"],
    ["app.example.com.:443", "app.example.com"],
    ["a_b.example", "a_b.example"],
    ["127.0.0.1:80", "127.0.0.1"],
    ["[::1]:8080", "[::1]"],
    ["[2001:DB8::1]", "[2001:db8::1]"],
    ["", ""],
    [":80", ""],
  ])("reads %j as %j", (text, name) => {
    expect(toHostName(text)).toBe(name);
  });

  it.each([
    "a b",
    "a b/c@d",
    "user@host",
    "host/path",
    "host?query",
    "host#x",
    "host:80:80",
    "host:port",
    "[::1",
    "::1",
    "a,b\u00e9",
    "a\\b",
    "a".repeat(256),
  ])("refuses %j", (text) => {
    expect(toHostName(text)).toBeUndefined();
  });
});
