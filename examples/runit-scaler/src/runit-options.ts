import { z } from "zod";

/** What stands below `options:` of this scaler. */
export const runitOptions = z.strictObject({
  /** Folder that runsvdir watches. */
  folder: z.string().min(1).default("/etc/service"),
  services: z.array(
    z.strictObject({
      /** Of the service's folder. */
      name: z.string().regex(/^[A-Za-z0-9_:-][A-Za-z0-9._:-]*$/),
      /** Where it listens, on the machine itself. */
      port: z.int().min(1).max(65_535),
      /** Read by core, which knows its keys. */
      policy: z.unknown().optional(),
    }),
  ),
});

export type RunitOptions = z.output<typeof runitOptions>;
