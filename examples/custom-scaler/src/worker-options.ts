import { z } from "zod";

/** What stands below `options:` of this scaler. */
export const workerOptions = z.strictObject({
  resources: z.array(
    z.strictObject({
      name: z.string().regex(/^[A-Za-z0-9._:-]+$/),
      /** Module that listens on `process.env.PORT`; relative to the working directory. */
      module: z.string().min(1),
      port: z.int().min(1).max(65_535),
      /** Read by core, which knows its keys. */
      policy: z.unknown().optional(),
    }),
  ),
});

export type WorkerOptions = z.output<typeof workerOptions>;
