import { silentLogger } from "@dormouse/core";
import { expect, it } from "vitest";
import { Closing } from "./closing.ts";

it("closes everything once, the last opened first, also where a part fails", async () => {
  const closed: string[] = [];
  const warned: unknown[] = [];
  const closing = new Closing({ ...silentLogger, warn: (fields) => void warned.push(fields) });
  const part = (name: string, fails = false): AsyncDisposable => ({
    [Symbol.asyncDispose]: async () => {
      closed.push(name);
      if (fails) throw new Error("cannot close");
    },
  });
  const first = part("first");
  expect(closing.add("first", first)).toBe(first);
  closing.add("second", part("second", true));
  closing.addStep("third", async () => void closed.push("third"));
  await closing[Symbol.asyncDispose]();
  await closing[Symbol.asyncDispose]();
  expect(closed).toEqual(["third", "second", "first"]);
  expect(warned).toMatchObject([{ part: "second" }]);
});
