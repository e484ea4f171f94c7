import { describe, expect, it } from "vitest";
import { isNavigation, toErrorPage, toWaitingPage } from "./page.ts";

describe("toWaitingPage", () => {
  it.each([
    [undefined, 2],
    [0, 1],
    [300, 1],
    [3_001, 4],
    [120_000, 10],
  ])("asks again after a wake of %s ms in %s s", (expectedMs, seconds) => {
    const { headers, body } = toWaitingPage("app", expectedMs);
    expect(body).toContain(`content="${seconds}"`);
    expect(headers.join()).toContain(`Retry-After,${seconds}`);
  });

  it("shows hostile text as text", () => {
    expect(toWaitingPage(`<img onerror="x">&'`, 1).body).toContain(
      "&lt;img onerror=&quot;x&quot;&gt;&amp;&#39; was asleep",
    );
  });
});

it("toErrorPage names status, text and code", () => {
  const page = toErrorPage(503, "The <b>service</b> failed.", "SCALER_INTERNAL", ["Retry-After", "3"]);
  expect(page.body).toContain("<h1>503 Service Unavailable</h1><p>The &lt;b&gt;service&lt;/b&gt; failed.</p>");
  expect(page.headers.slice(-2)).toEqual(["Retry-After", "3"]);
});

it("isNavigation takes a browser's own word for it", () => {
  const headers = { "sec-fetch-mode": "navigate", accept: "text/html,*/*" };
  expect(isNavigation("GET", headers)).toBe(true);
  expect(isNavigation("HEAD", headers)).toBe(false);
  expect(isNavigation("GET", { accept: "text/html" })).toBe(false);
  expect(isNavigation("GET", { "sec-fetch-mode": "navigate" })).toBe(false);
});
