import type { Logger } from "@dormouse/core";
import { expect, it } from "vitest";
import { deferLog } from "./defer-log.ts";

function recording(lines: string[], bound = ""): Logger {
  const at = (_: object, message: string): void => void lines.push(bound + message);
  return { debug: at, info: at, warn: at, error: at, child: () => recording(lines, `${bound}child `) };
}

it("keeps lines, also those of children, until they are released, and lets later ones pass", () => {
  const lines: string[] = [];
  const deferred = deferLog(recording(lines));
  deferred.logger.warn({}, "one");
  deferred.logger.child({}).info({}, "two");
  expect(lines).toEqual([]);
  deferred.release();
  deferred.release();
  deferred.logger.error({}, "three");
  expect(lines).toEqual(["one", "child two", "three"]);
});

it("keeps a hundred and no more", () => {
  const lines: string[] = [];
  const deferred = deferLog(recording(lines));
  for (let count = 0; count < 500; count += 1) deferred.logger.debug({}, String(count));
  deferred.release();
  expect(lines).toHaveLength(100);
});
