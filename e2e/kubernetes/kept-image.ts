import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import type { Image } from "./build-image.ts";
import { kubernetesHome } from "./find-server.ts";

/** Where the archive of an image is kept. */
export function archiveOfImage(name: string): string {
  return join(kubernetesHome(), "images", `${basename(name).replaceAll(":", "-")}.tar`);
}

/**
 * An image that was built before.
 *
 * @throws Error where it was not
 */
export function keptImage(name: string): Image {
  const archive = archiveOfImage(name);
  if (!existsSync(archive)) throw new Error(`${name} was not built yet: leave --kept-images out`);
  return { name, archive };
}
