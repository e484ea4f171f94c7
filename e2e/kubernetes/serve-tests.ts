import type { TestProject } from "vitest/node";
import { findServer } from "./find-server.ts";
import { openApiServer } from "./open-api-server.ts";

/** The server that the tests of one run share. */
export interface TestServer {
  /** Path of a file with which its administrator gets in. */
  readonly kubeconfig: string;
  /** It was there before the run and goes on after it: it may have nodes and a scheduler, and other people's things. */
  readonly isForeign: boolean;
  /** Whether controllers run: without them Deployments make no Pods, and namespaces never go away. */
  readonly hasControllers: boolean;
}

declare module "vitest" {
  export interface ProvidedContext {
    readonly kubernetes: TestServer;
  }
}

/** Vitest's hook before a run: one server for all tests of the project. Gives what ends it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const found = findServer();
  if (found.kind === "none") throw new Error(found.why);
  if (found.kind === "cluster") {
    project.provide("kubernetes", { kubeconfig: found.kubeconfig, isForeign: true, hasControllers: true });
    return async () => {};
  }
  const { folder, hasControllers } = found;
  const server = await openApiServer({ programs: folder, hasControllers });
  project.provide("kubernetes", { kubeconfig: server.kubeconfig, isForeign: false, hasControllers });
  return async () => server[Symbol.asyncDispose]();
}
