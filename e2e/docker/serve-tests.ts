import type { TestProject } from "vitest/node";
import { findEngine } from "./find-engine.ts";
import { openEngine } from "./open-engine.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Path of the socket of the engine that the tests of one run share. */
    readonly dockerSocket: string;
  }
}

/** Vitest's hook before a run: one engine for all tests of the project. Gives what ends it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const found = findEngine();
  if (found.kind === "none") throw new Error(found.why);
  const engine = await openEngine(found);
  project.provide("dockerSocket", engine.socket);
  return async () => engine[Symbol.asyncDispose]();
}
