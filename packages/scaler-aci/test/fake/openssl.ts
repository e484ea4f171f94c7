import { spawnSync } from "node:child_process";
import { describe } from "vitest";

/** Whether certificates can be made here. */
const hasOpenssl: boolean = spawnSync("openssl", ["version"]).status === 0;

/** `describe` for tests behind TLS: left out, and said so, where there is no openssl. */
export const describeWithOpenssl: typeof describe.skip = hasOpenssl ? describe : describe.skip;

if (!hasOpenssl)
  console.warn("Skipped: there is no openssl here to make certificates with; get it with: apt-get install openssl");
