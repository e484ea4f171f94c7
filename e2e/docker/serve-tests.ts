import type { TestProject } from "vitest/node";
import { findEngine } from "./find-engine.ts";
import { openEngine } from "./open-engine.ts";

/** The engine that the tests of one run share. */
export interface SharedEngine {
  /** Path of its socket. */
  readonly dockerSocket: string;
}

declare module "vitest" {
  export interface ProvidedContext extends SharedEngine {}
}

/** Vitest's hook before a run: one engine for all tests of the project. Gives what ends it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const found = findEngine();
  if (found.kind === "none") throw new Error(found.why);
  const engine = await openEngine(found);
  project.provide("dockerSocket", engine.socket);
  return async () => engine[Symbol.asyncDispose]();
}
