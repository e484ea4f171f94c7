import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildImage, nodePath } from "./build-image.ts";
import type { Image } from "./build-image.ts";

const source = fileURLToPath(new URL("test-app/server.ts", import.meta.url));

/** The service of cluster tests as an image: an HTTP server on port 8080 that test-app/server.ts describes. */
export async function buildTestAppImage(name = "localhost/test-app:1"): Promise<Image> {
  return buildImage({
    name,
    fill: async (root) => copyFileSync(source, join(root, "app/server.ts")),
    entrypoint: [nodePath, "/app/server.ts"],
  });
}
