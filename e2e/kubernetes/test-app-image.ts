import { chmodSync, copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildImage, nodePath } from "./build-image.ts";
import type { Image } from "./build-image.ts";

const source = fileURLToPath(new URL("test-app/server.ts", import.meta.url));

/** The service of cluster tests as an image: an HTTP server on port 8080 that test-app/server.ts describes. */
export async function buildTestAppImage(name = "localhost/test-app:1"): Promise<Image> {
  return buildImage({
    name,
    fill: async (root) => {
      copyFileSync(source, join(root, "app/server.ts"));
      writeWget(join(root, "usr/bin/wget"));
    },
    entrypoint: [nodePath, "/app/server.ts"],
  });
}

/** For pages that ask by wget: Debian's static busybox has one that crashes in an image without a name service. */
function writeWget(file: string): void {
  const lines = [
    `#!${nodePath}`,
    "const answer = await fetch(process.argv.at(-1));",
    "process.stdout.write(await answer.text());",
    "process.exitCode = answer.ok ? 0 : 1;",
  ];
  // A module, since it awaits at its top.
  writeFileSync(`${file}.mjs`, `${lines.join("\n")}\n`);
  writeFileSync(file, `#!${nodePath}\nimport("/usr/bin/wget.mjs");\n`);
  for (const each of [file, `${file}.mjs`]) chmodSync(each, 0o755);
}
