import { expect, it } from "vitest";
import { nearestWord } from "./nearest-word.ts";

it.each([
  ["idelAfter", "idleAfter"],
  ["IDLE_AFTER", "idleAfter"],
  ["idle-after", "idleAfter"],
  ["host", "hosts"],
  ["dxl", "dlx"],
  ["maxheld", "maxHeld"],
  ["colour", undefined],
  ["", undefined],
  ["x", undefined],
])("%j means %j", (written, meant) => {
  expect(nearestWord(written, ["idleAfter", "hosts", "dlx", "maxHeld", "minAwake"])).toBe(meant);
});
